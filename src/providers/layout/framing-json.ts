import { type Framing, needsMore, type Refuse } from './framing.ts';
import type { Format, RecordLayout } from './layout.ts';

const quoteByte = 0x22;
const backslash = 0x5c;
const lf = 0x0a;

/** Where a key, its value and the value as it is written begin and end. */
type Found = { keyStart: number; keyEnd: number; start: number; end: number; from: number; to: number };

/**
 * NDJSON: a flat object of strings, numbers and nulls a line, with exactly the keys of its record in any order. Numbers
 * stay the digits they are, so that no amount passes through a double.
 */
export class JsonFraming implements Framing {
  from = 0;
  end = 0;
  markStart = 0;
  markEnd = 0;
  readonly base = 0;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #keys: readonly (readonly Buffer[])[];
  readonly #mark: Buffer;
  readonly #hasCr: boolean;
  readonly #scratch: number;
  readonly #refuse: Refuse;
  /** In the order in which they came. */
  readonly #found: readonly Found[];
  #count = 0;
  #scratchAt = 0;

  constructor(
    format: Extract<Format, { kind: 'json' }>,
    records: readonly RecordLayout[],
    type: string,
    scratch: number,
    refuse: Refuse,
  ) {
    this.#keys = records.map(({ fields }) => fields.map(({ name }) => Buffer.from(name)));
    this.#mark = Buffer.from(type);
    this.#hasCr = format.lineBreak === 'crlf';
    this.#scratch = scratch;
    this.#refuse = refuse;
    const most = Math.max(...this.#keys.map((keys) => keys.length));
    this.starts = new Int32Array(most);
    this.ends = new Int32Array(most);
    this.#found = Array.from({ length: most + 1 }, () => ({
      keyStart: 0,
      keyEnd: 0,
      start: 0,
      end: 0,
      from: 0,
      to: 0,
    }));
  }

  next(bytes: Buffer, from: number, to: number, isLast: boolean): number {
    bytes[to] = lf;
    const newline = bytes.indexOf(lf, from);
    if (newline === to && !isLast) return needsMore;
    const breakAt = this.#hasCr && bytes[newline - 1] === 0x0d ? newline - 1 : newline;
    this.from = from;
    this.end = breakAt;
    if (this.#hasCr && breakAt === newline && newline < to)
      this.#malformed(newline, 'a line break without a carriage return');
    this.#scratchAt = this.#scratch;
    this.#count = 0;
    this.#object(bytes, from);
    this.markStart = breakAt;
    this.markEnd = breakAt;
    for (let i = 0; i < this.#count; i += 1) {
      const found = this.#found[i];
      if (found === undefined || !this.#isKey(bytes, i, this.#mark)) continue;
      this.markStart = found.start;
      this.markEnd = found.end;
    }
    return Math.min(newline + 1, to);
  }

  #object(bytes: Buffer, from: number): void {
    let at = this.#skip(bytes, from);
    if (bytes[at] !== 0x7b) this.#malformed(at, 'not a JSON object');
    at = this.#skip(bytes, at + 1);
    while (bytes[at] !== 0x7d) {
      const found = this.#found[this.#count];
      if (found === undefined) this.#malformed(at, 'more keys than the record has');
      if (bytes[at] !== quoteByte) this.#malformed(at, 'not a key');
      at = this.#string(bytes, at, found);
      found.keyStart = found.start;
      found.keyEnd = found.end;
      at = this.#skip(bytes, at);
      if (bytes[at] !== 0x3a) this.#malformed(at, 'no colon behind a key');
      at = this.#value(bytes, this.#skip(bytes, at + 1), found);
      this.#count += 1;
      at = this.#skip(bytes, at);
      if (bytes[at] === 0x7d) break;
      if (bytes[at] !== 0x2c) this.#malformed(at, 'no comma behind a value');
      at = this.#skip(bytes, at + 1);
      if (bytes[at] === 0x7d) this.#malformed(at, 'a comma without a key behind it');
    }
    at = this.#skip(bytes, at + 1);
    if (at < this.end) this.#malformed(at, 'something behind the object');
  }

  #skip(bytes: Buffer, from: number): number {
    let at = from;
    while (at < this.end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at += 1;
    return at;
  }

  #value(bytes: Buffer, at: number, found: Found): number {
    found.from = at;
    if (bytes[at] === quoteByte) {
      const end = this.#string(bytes, at, found);
      found.to = end;
      return end;
    }
    let end = at;
    while (end < this.end && bytes[end] !== 0x2c && bytes[end] !== 0x7d && bytes[end] !== 0x20 && bytes[end] !== 0x09)
      end += 1;
    const bare = bytes.toString('latin1', at, end);
    if (!/^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|null)$/.test(bare))
      this.#malformed(at, `not a string or a number: ${bare}`);
    found.start = at;
    found.end = bare === 'null' ? at : end;
    found.to = end;
    return end;
  }

  /** A string beginning at its quote; escapes are undone in the scratch space. Returns where it ends. */
  #string(bytes: Buffer, at: number, found: Found): number {
    let i = at + 1;
    let isEscaped = false;
    while (bytes[i] !== quoteByte) {
      if (i >= this.end) this.#malformed(at, 'a string that is not closed');
      if (bytes[i] === backslash) {
        isEscaped = true;
        i += 1;
      }
      i += 1;
    }
    if (i >= this.end) this.#malformed(at, 'a string that is not closed');
    found.start = at + 1;
    found.end = i;
    if (isEscaped) {
      const text = this.#unescaped(bytes.subarray(at, i + 1), at);
      found.start = this.#scratchAt;
      found.end = this.#scratchAt + bytes.write(text, this.#scratchAt, 'utf8');
      this.#scratchAt = found.end;
    }
    return i + 1;
  }

  #unescaped(quoted: Buffer, at: number): string {
    const written = quoted.toString('utf8');
    if (Buffer.from(written).equals(quoted)) {
      try {
        const text: unknown = JSON.parse(written);
        if (typeof text === 'string' && text.isWellFormed()) return text;
      } catch {
        // Told below, as for half a surrogate pair and for bytes that are no UTF-8.
      }
    }
    return this.#malformed(at, 'a string with a wrong escape');
  }

  open(bytes: Buffer, record: number): void {
    const keys = this.#keys[record] as readonly Buffer[];
    this.starts.fill(-1);
    for (let i = 0; i < this.#count; i += 1) {
      // Keys mostly come in the order of the layout.
      const field = this.#isKey(bytes, i, keys[i]) ? i : keys.findIndex((key) => this.#isKey(bytes, i, key));
      const { start, end, keyStart, keyEnd } = this.#found[i] as Found;
      const key = () => bytes.toString('utf8', keyStart, keyEnd);
      if (field < 0) this.#malformed(start, `unknown key "${key()}"`);
      if ((this.starts[field] as number) >= 0) this.#malformed(start, `key "${key()}" twice`);
      this.starts[field] = start;
      this.ends[field] = end;
    }
    keys.forEach((key, field) => {
      if ((this.starts[field] as number) < 0) this.#malformed(this.end, `no key "${key}"`);
    });
  }

  original(field: number): { start: number; end: number } {
    const start = this.starts[field] as number;
    const found = this.#found.find((candidate, i) => i < this.#count && candidate.start === start);
    if (start < this.#scratch || found === undefined) return { start, end: this.ends[field] as number };
    return { start: found.from, end: found.to };
  }

  #isKey(bytes: Buffer, i: number, key: Buffer | undefined): boolean {
    const { keyStart, keyEnd } = this.#found[i] as Found;
    return (
      key !== undefined && key.length === keyEnd - keyStart && bytes.compare(key, 0, key.length, keyStart, keyEnd) === 0
    );
  }

  #malformed(at: number, reason: string): never {
    return this.#refuse('statement_malformed', this.from, Math.max(at, this.end), { reason });
  }
}
