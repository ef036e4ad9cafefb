import { type RecordColumns, type RecordFields, type Refusal, withoutNumbers } from './record.ts';

const quote = 34;
const backslash = 92;

/**
 * Reads a line that is one flat JSON object. Numbers keep their own characters, so that an amount never passes
 * through a float; escapes are undone in place (an escape is never shorter than what it stands for).
 * An absent key, `null` and `""` are all an empty field.
 */
export class NdjsonReader {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #numbers: readonly boolean[];
  readonly #seen: Uint32Array;
  #line = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** The range of the string last read. */
  #from = 0;
  #to = 0;

  constructor(columns: RecordColumns) {
    this.#columns = new Map(columns.names.map((name, i) => [name, i]));
    this.#numbers = columns.names.map((name) => columns.numbers.has(name));
    this.#seen = new Uint32Array(columns.names.length);
  }

  read(bytes: Uint8Array, start: number, end: number, fields: RecordFields): Refusal | undefined {
    fields.begin(bytes, start);
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#line += 1;
    if (!this.#take(123)) return this.#broken(start);
    if (this.#take(125)) return this.#atEnd() ? undefined : this.#broken(start);
    do {
      const refusal = this.#member(start, fields);
      if (refusal !== undefined) return refusal;
    } while (this.#take(44));
    return this.#take(125) && this.#atEnd() ? undefined : this.#broken(start);
  }

  #member(start: number, fields: RecordFields): Refusal | undefined {
    this.#skipBlanks();
    if (!this.#string()) return this.#broken(start);
    const name = this.#textBetween(this.#from, this.#to);
    const column = this.#columns.get(name);
    if (column === undefined)
      return { code: 'import_key_unknown', details: { field: withoutNumbers(name).slice(0, 60) } };
    if (this.#seen[column] === this.#line) return { code: 'import_key_repeated', details: { field: name } };
    this.#seen[column] = this.#line;
    if (!this.#take(58)) return this.#broken(start);
    this.#skipBlanks();
    const first = this.#bytes[this.#at];
    if (first === quote) {
      if (!this.#string()) return this.#broken(start);
    } else if (first === 110) {
      if (!this.#word('null')) return this.#broken(start);
      return undefined;
    } else {
      if (!this.#number()) return this.#broken(start);
      if (this.#numbers[column] !== true) return { code: 'import_number_for_text', details: { field: name } };
    }
    fields.starts[column] = this.#from;
    fields.ends[column] = this.#to;
    return undefined;
  }

  /** A string from its opening quote; its content is then between `#from` and `#to`. */
  #string(): boolean {
    const bytes = this.#bytes;
    if (this.#at >= this.#end || bytes[this.#at] !== quote) return false;
    let at = this.#at + 1;
    this.#from = at;
    while (at < this.#end && bytes[at] !== quote && bytes[at] !== backslash) at += 1;
    let to = at;
    while (at < this.#end && bytes[at] !== quote) {
      if (bytes[at] !== backslash) {
        bytes[to++] = bytes[at++] as number;
        continue;
      }
      const escaped = this.#escape(at);
      if (escaped === undefined) return false;
      to += Buffer.from(escaped.text).copy(bytes, to);
      at += escaped.length;
    }
    this.#to = to;
    this.#at = at + 1;
    return at < this.#end;
  }

  /** An escape sequence, or a pair of them for a character beyond U+FFFF. A lone surrogate is no character. */
  #escape(at: number): { text: string; length: number } | undefined {
    const source = this.#textBetween(at, Math.min(at + 12, this.#end));
    const match =
      /^\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})/.exec(
        source,
      );
    return match === null ? undefined : { text: JSON.parse(`"${match[0]}"`) as string, length: match[0].length };
  }

  #number(): boolean {
    this.#from = this.#at;
    while (this.#at < this.#end && isNumberByte(this.#bytes[this.#at] as number)) this.#at += 1;
    this.#to = this.#at;
    return this.#to > this.#from;
  }

  #word(word: string): boolean {
    const found = this.#textBetween(this.#at, Math.min(this.#at + word.length, this.#end)) === word;
    this.#at += word.length;
    return found;
  }

  #take(byte: number): boolean {
    this.#skipBlanks();
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #atEnd(): boolean {
    this.#skipBlanks();
    return this.#at >= this.#end;
  }

  #skipBlanks(): void {
    while (this.#at < this.#end && (this.#bytes[this.#at] === 32 || this.#bytes[this.#at] === 9)) this.#at += 1;
  }

  #textBetween(from: number, to: number): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, to - from).toString('utf8');
  }

  #broken(start: number): Refusal {
    return { code: 'import_json', details: { byte: this.#at - start + 1 } };
  }
}

/** Digits, sign, point and exponent; whether they make an amount is the field's own business. */
function isNumberByte(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 45 || byte === 43 || byte === 46 || byte === 101 || byte === 69;
}
