import type { Suspect } from './facts.ts';

const blockBits = 512;
const blockWords = blockBits / 32;
/** As many identities are looked up in one go. */
const mostNoted = 512;

/**
 * A Bloom filter over the identities of a file's lines: tells which of them were perhaps there before. It never misses
 * one that was. One bit set, made with the first line, of 16 to 32 bits a line, at most 16 MiB; the six bits of an
 * identity lie in two words within 64 bytes, so that a look costs one cache line. Identities are noted first and looked
 * up many at a time: the processor then waits for several of those cache lines at once.
 */
export class TidFilter {
  readonly #blocks: number;
  #bits: Int32Array | undefined;
  #count = 0;
  readonly #first = new Int32Array(mostNoted);
  readonly #second = new Int32Array(mostNoted);
  readonly #starts = new Int32Array(mostNoted);
  readonly #ends = new Int32Array(mostNoted);
  readonly #cancelSeqs = new Int32Array(mostNoted);
  readonly #lineNos = new Int32Array(mostNoted);

  constructor(expectedRows: number) {
    const wanted = Math.ceil((expectedRows * 16) / blockBits);
    this.#blocks = 2 ** Math.min(18, Math.max(10, Math.ceil(Math.log2(wanted + 1))));
  }

  /** Notes the identity of a line; false where no more can be noted before `settle`. */
  note(bytes: Uint8Array, view: DataView, start: number, end: number, cancelSeq: number, lineNo: number): boolean {
    let a = 0x9e3779b1;
    let b = end - start;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      a = Math.imul(a ^ view.getInt32(at), 0x85ebca6b);
      a ^= a >>> 15;
      b = Math.imul(b + a, 0xc2b2ae35);
    }
    for (; at < end; at += 1) {
      a = Math.imul(a ^ (bytes[at] as number), 0x85ebca6b);
      a ^= a >>> 13;
      b = Math.imul(b + a, 0xc2b2ae35);
    }
    // Last, and mixed in on its own, so that it cannot cancel out what distinguishes two transaction ids.
    a = Math.imul(a ^ (a >>> 16), 0x7feb352d) + Math.imul(cancelSeq + 1, 0x27d4eb2f);
    b = Math.imul(b ^ cancelSeq, 0x165667b1);
    b = Math.imul(b ^ (b >>> 15), 0x846ca68b);
    const noted = this.#count;
    this.#first[noted] = a ^ (a >>> 15);
    this.#second[noted] = b ^ (b >>> 16);
    this.#starts[noted] = start;
    this.#ends[noted] = end;
    this.#cancelSeqs[noted] = cancelSeq;
    this.#lineNos[noted] = lineNo;
    this.#count = noted + 1;
    return this.#count < mostNoted;
  }

  /** Looks up and adds what was noted, whose bytes must still be there, and tells the lines perhaps there before. */
  settle(bytes: Buffer, suspects: Suspect[]): void {
    this.#bits ??= new Int32Array(this.#blocks * blockWords);
    const bits = this.#bits;
    const mask = this.#blocks - 1;
    const count = this.#count;
    for (let noted = 0; noted < count; noted += 1) {
      const a = this.#first[noted] as number;
      const b = this.#second[noted] as number;
      const block = (a & mask) * blockWords;
      const first = block + (b & (blockWords - 1));
      const second = block + ((b >>> 4) & (blockWords - 1));
      const firstMask = (1 << (b >>> 8)) | (1 << (b >>> 13)) | (1 << (b >>> 18));
      const secondMask = (1 << (b >>> 23)) | (1 << (a >>> 27)) | (1 << (a >>> 22));
      const old = bits[first] as number;
      bits[first] = old | firstMask;
      const other = bits[second] as number;
      bits[second] = other | secondMask;
      if ((old & firstMask) === firstMask && (other & secondMask) === secondMask) this.#suspect(noted, bytes, suspects);
    }
    this.#count = 0;
  }

  #suspect(noted: number, bytes: Buffer, suspects: Suspect[]): void {
    suspects.push({
      lineNo: this.#lineNos[noted] as number,
      providerTid: bytes.toString('utf8', this.#starts[noted], this.#ends[noted]),
      cancelSeq: this.#cancelSeqs[noted] as number,
    });
  }
}
