import type { ExchangeLayout } from './exchange-layout.ts';

/** The records of a file, by what they are for. */
export const parts = ['start', 'header', 'data', 'total', 'end'] as const;
export type Part = (typeof parts)[number];

/** In which order the records of a file come: [start] ([header] data… [total])… [end]. */
export class ExchangeFrame {
  readonly #layout: ExchangeLayout;
  #place: 'begins' | 'between' | 'group' | 'closed' | 'ended';
  /** True where data may stand. */
  takesData: boolean;

  constructor(layout: ExchangeLayout) {
    this.#layout = layout;
    this.#place = layout.start !== null ? 'begins' : this.#afterStart();
    this.takesData = this.#place === 'group';
  }

  /** What may come next. */
  next(): readonly Part[] {
    const { header, total, end } = this.#layout;
    const closing: readonly Part[] = end === null ? [] : ['end'];
    const group: readonly Part[] = header === null ? [] : ['header'];
    switch (this.#place) {
      case 'begins':
        return ['start'];
      case 'between':
        return [...group, ...closing];
      case 'group':
        return total === null ? ['data', ...group, ...closing] : ['data', 'total'];
      case 'closed':
        return closing;
      case 'ended':
        return [];
    }
  }

  /** Takes the next record; false where it cannot stand here. */
  take(part: Part): boolean {
    if (!this.next().includes(part)) return false;
    if (part === 'start') this.#place = this.#afterStart();
    else if (part === 'header') this.#place = 'group';
    else if (part === 'total') this.#place = this.#layout.header === null ? 'closed' : 'between';
    else if (part === 'end') this.#place = 'ended';
    this.takesData = this.#place === 'group';
    return true;
  }

  /** Whether the file may end here. */
  mayEnd(): boolean {
    const { total, end } = this.#layout;
    if (end !== null) return this.#place === 'ended';
    return this.#place !== 'begins' && (total === null || this.#place !== 'group');
  }

  #afterStart(): 'between' | 'group' {
    return this.#layout.header === null ? 'group' : 'between';
  }
}
