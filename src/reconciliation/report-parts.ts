import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { html, type Markup } from './markup.ts';
import type { BreakKind } from './outcome.ts';
import { reportWords } from './report-words.ts';

/** A word of the report in its language. */
export type Say = (name: keyof typeof reportWords) => string;

export function sayIn(language: Language): Say {
  return (name) => reportWords[name][language];
}

/** `-1234567n` → `−1,234,567`, with a true minus sign. */
export function wonText(won: bigint): string {
  return formatWon(won).replace('-', '−');
}

/** The same, with a plus sign where it is positive: for what is a difference. */
export function signedWonText(won: bigint | null): string {
  if (won === null) return '?';
  return won > 0n ? `+${wonText(won)}` : wonText(won);
}

/** The sum of a kind, or null where none of its amounts can be known: an unreadable line is not one of 0 won. */
export function knownWon(kind: BreakKind, won: bigint): bigint | null {
  return kind === 'unreadable' ? null : won;
}

export function countText(count: number): string {
  return formatWon(BigInt(count));
}

/** A cell of digits; zeros step back so that what differs is seen. */
export function numberCell(text: string, quiet = text === '0'): Markup {
  return html`<td class="${quiet ? 'n q' : 'n'}">${text}</td>`;
}

export function section(id: string, title: string, note: string | null, body: Markup): Markup {
  return html`<section id="${id}"><h2>${title}</h2>${note === null ? null : html`<p class="note">${note}</p>`}${body}</section>
`;
}

/** A share of a bar, in parts of 1; the colour is the number of a custom property of the style. */
export type BarPart = { readonly share: number; readonly colour: number; readonly title: string };

/** A horizontal bar that fills its cell, parts side by side. Text never stands inside, so it may be stretched. */
export function bar(parts: readonly BarPart[]): Markup {
  let from = 0;
  const shown = parts.filter(({ share }) => share > 0);
  const rects = shown.map(({ share, colour, title }) => {
    // A part that exists is seen, however small.
    const width = Math.max(share * 1000, 4);
    const rect = html`<rect x="${from.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10" class="c${colour}"><title>${title}</title></rect>`;
    from += width;
    return rect;
  });
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img">${rects}</svg>`;
}

/** A share for a bar: exact enough for pixels, whatever the size of the amounts. */
export function shareOf(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 100_000n) / whole) / 100_000;
}
