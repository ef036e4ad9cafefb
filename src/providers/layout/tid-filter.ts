/**
 * A Bloom filter over the identities of a file's lines: `add` says whether an identity was perhaps added before. It
 * never misses one that was. One bit set, made with the first line, of 16 to 32 bits a line, at most 16 MiB; the six bits of an
 * identity lie in two words within 64 bytes, so that a look costs one cache line.
 */
export class TidFilter {
  readonly #blocks: number;
  #bits: Int32Array | undefined;

  constructor(expectedRows: number) {
    const wanted = Math.ceil((expectedRows * 16) / blockBits);
    this.#blocks = 2 ** Math.min(18, Math.max(10, Math.ceil(Math.log2(wanted + 1))));
  }

  add(bytes: Uint8Array, view: DataView, start: number, end: number, cancelSeq: number): boolean {
    this.#bits ??= new Int32Array(this.#blocks * blockWords);
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
    a ^= a >>> 15;
    b ^= b >>> 16;
    const bits = this.#bits;
    const block = (a & (this.#blocks - 1)) * blockWords;
    const first = block + (b & (blockWords - 1));
    const second = block + ((b >>> 4) & (blockWords - 1));
    const firstMask = (1 << (b >>> 8)) | (1 << (b >>> 13)) | (1 << (b >>> 18));
    const secondMask = (1 << (b >>> 23)) | (1 << (a >>> 27)) | (1 << (a >>> 22));
    const old = bits[first] as number;
    bits[first] = old | firstMask;
    const other = bits[second] as number;
    bits[second] = other | secondMask;
    return (old & firstMask) === firstMask && (other & secondMask) === secondMask;
  }
}

const blockBits = 512;
const blockWords = blockBits / 32;
