/** The distinct MIDs of a file, told from bytes without making a string for each line. */
export class MidSet {
  readonly #mids: Buffer[] = [];
  #slots = new Int32Array(256);

  /** True where it is the first of its kind. */
  add(bytes: Buffer, start: number, end: number): boolean {
    let hash = end - start;
    for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] as number;
      if (known === 0) {
        this.#insert(slot, Buffer.from(bytes.subarray(start, end)));
        return true;
      }
      if (isSame(this.#mids[known - 1] as Buffer, bytes, start, end)) return false;
    }
  }

  /** In the order of their first line. */
  all(): readonly string[] {
    return this.#mids.map((mid) => mid.toString('utf8'));
  }

  #insert(slot: number, mid: Buffer): void {
    this.#mids.push(mid);
    this.#slots[slot] = this.#mids.length;
    if (this.#mids.length * 2 <= this.#slots.length) return;
    const mids = this.#mids.splice(0);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (const again of mids) this.add(again, 0, again.length);
  }
}

function isSame(mid: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (mid.length !== end - start) return false;
  for (let i = 0; i < mid.length; i += 1) if (mid[i] !== bytes[start + i]) return false;
  return true;
}
