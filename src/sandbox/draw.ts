/**
 * The sandbox's chance: every draw is a pure function of (base, index, salt), so that any payment of any day can be
 * made again without remembering it. 32-bit murmur3 finaliser; no cryptography is meant.
 */
export function draw(base: number, index: number, salt: number): number {
  let h = (base ^ Math.imul(index + 1, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = (h + Math.imul(salt + 1, 0x27d4eb2f)) | 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A base for draws from words: FNV-1a, finished by a draw. The same words give the same world everywhere. */
export function drawBase(...words: readonly (string | number)[]): number {
  let h = 0x811c9dc5;
  for (const character of Buffer.from(words.join('\u0000'), 'utf8')) h = Math.imul(h ^ character, 0x01000193);
  return draw(h | 0, 0, 0);
}

/** A draw in [0, 1). */
export function drawShare(base: number, index: number, salt: number): number {
  return draw(base, index, salt) / 4294967296;
}

/** A draw among the whole numbers [0, count). */
export function drawBelow(base: number, index: number, salt: number, count: number): number {
  return draw(base, index, salt) % count;
}
