import { parseDay } from '../kernel/business-day.ts';
import { holdsCardNumber } from '../kernel/card-number.ts';
import { Problem, type ProblemCode, type ProblemDetails } from '../kernel/problem.ts';
import { type RecordFields, withoutNumbers } from './record.ts';

/** The same years as in the files of payments. */
const years = { first: 2000, last: 2099 };

/**
 * The fields of one record by their names, read to values off the hot path. Each method throws the `Problem` that the
 * line is refused for; nothing is trimmed, cut or guessed.
 */
export class NamedFields {
  readonly #fields: RecordFields;
  readonly #confidential: boolean;

  /** `confidential`: no long number may be repeated by a refusal, in whichever column it has strayed. */
  constructor(fields: RecordFields, { confidential = false }: { readonly confidential?: boolean } = {}) {
    this.#fields = fields;
    this.#confidential = confidential;
  }

  isEmpty(name: string): boolean {
    return this.#fields.isEmpty(this.#column(name));
  }

  /** What `read` makes of the field, or null where it is empty. */
  optional<T>(name: string, read: (name: string) => T): T | null {
    return this.isEmpty(name) ? null : read(name);
  }

  /** The field as it stands, unchecked: for those who check it by a form of their own. */
  raw(name: string): string {
    return this.#fields.text(this.#column(name));
  }

  /** `ours`: a number that we gave, in which some digits look like a card's by chance. */
  text(name: string, { max = 64, ours = false }: { readonly max?: number; readonly ours?: boolean } = {}): string {
    const value = this.raw(name);
    const bytes = Buffer.byteLength(value);
    if (bytes < 1 || bytes > max || /\p{Cc}|^ | $/u.test(value)) this.refuse(name, 'import_text', { min: 1, max });
    if (!ours && holdsCardNumber(value)) this.refuseUnseen(name, 'import_card_number');
    return value;
  }

  choice<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.raw(name);
    const found = allowed.find((candidate) => candidate === value);
    return found ?? this.refuse(name, 'import_choice', { allowed: allowed.join(', ') });
  }

  day(name: string): Temporal.PlainDate {
    const day = parseDay(this.raw(name));
    if (day === undefined || day.year < years.first || day.year > years.last) this.refuse(name, 'import_day');
    return day;
  }

  /** `HH:MM`. */
  time(name: string): string {
    const value = this.raw(name);
    return /^([01]\d|2[0-3]):[0-5]\d$/.test(value) ? value : this.refuse(name, 'import_time');
  }

  won(name: string, { min, max }: { readonly min: bigint; readonly max: bigint }): bigint {
    const value = this.raw(name);
    const won = /^(0|-?[1-9]\d{0,18})$/.test(value) ? BigInt(value) : undefined;
    if (won === undefined || won < min || won > max) return this.refuse(name, 'import_number', { min, max });
    return won;
  }

  /** A small whole number that is no amount. */
  whole(name: string, { min, max }: { readonly min: number; readonly max: number }): number {
    const digits = this.won(name, { min: BigInt(min), max: BigInt(max) });
    return Number(digits);
  }

  /** Refuses the record for this field. */
  refuse(name: string, code: ProblemCode, details: ProblemDetails = {}): never {
    if (holdsCardNumber(this.raw(name))) this.refuseUnseen(name, 'import_card_number');
    const { value, ...place } = this.#fields.describe(this.#column(name));
    throw new Problem(code, {
      ...place,
      value: this.#confidential ? withoutNumbers(this.raw(name)) : value,
      ...details,
    });
  }

  /** Refuses the record for a field of which nothing may be repeated. */
  refuseUnseen(name: string, code: ProblemCode): never {
    const { field, bytes } = this.#fields.describe(this.#column(name));
    throw new Problem(code, { field, bytes });
  }

  #column(name: string): number {
    return this.#fields.names.indexOf(name);
  }
}
