import { dayOfNumber } from './copy-payload.ts';
import { RecordBuffer, type WriteField } from './field-write.ts';

/** Days are remembered in so many places, by their lowest bits. */
const places = 64;

/** How a field writes days. They are remembered, since rows mostly repeat them. */
export class WrittenDays {
  readonly #write: WriteField;
  readonly #days = new Int32Array(places);
  readonly #bytes: (Buffer | null)[] = Array.from({ length: places }, () => null);

  constructor(write: WriteField) {
    this.#write = write;
  }

  /** The bytes of a day as PostgreSQL counts it; null where the field cannot hold it. */
  of(day: number): Buffer | null {
    const place = day & (places - 1);
    const known = this.#bytes[place] as Buffer | null;
    if (known !== null && this.#days[place] === day) return known;
    const to = new RecordBuffer();
    if (!this.#write(to, dayOfNumber(day), '')) return null;
    const bytes = Buffer.from(to.bytes.subarray(0, to.at));
    this.#days[place] = day;
    this.#bytes[place] = bytes;
    return bytes;
  }
}
