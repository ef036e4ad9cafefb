import iconv from 'iconv-lite';

/**
 * Both directions of CP949 (the superset of EUC-KR that Korean files are really in) as tables, made once from
 * iconv-lite. Node's own `TextDecoder('euc-kr')` loses the syllables that only CP949 has.
 */

/**
 * UTF-8 of the two bytes `lead << 8 | trail`: two or three bytes from the highest on, in the lowest how many they are;
 * 0 where there is no such character.
 */
const utf8OfCp949 = new Int32Array(65_536);

/** CP949 bytes `lead << 8 | trail` of a UTF-16 unit; 0 where there are none. ASCII stands for itself. */
export const cp949OfUnicode = new Uint16Array(65_536);

for (let lead = 0x81; lead < 0xff; lead += 1) {
  for (let trail = 0x41; trail < 0xff; trail += 1) {
    const character = iconv.decode(Buffer.from([lead, trail]), 'cp949');
    const unicode = character.charCodeAt(0);
    if (character.length !== 1 || unicode === 0xfffd) continue;
    const utf8 = Buffer.from(character);
    utf8OfCp949[(lead << 8) | trail] = (utf8.readUIntBE(0, utf8.length) << (8 * (4 - utf8.length))) | utf8.length;
    cp949OfUnicode[unicode] = (lead << 8) | trail;
  }
}

/**
 * UTF-8 of CP949 text without control characters, put into `to` at `at`; returns where it ends, or −1 where the bytes
 * are no such text. Twice the bytes and two always suffice, since up to two bytes behind the text are overwritten.
 */
export function cp949ToUtf8(from: Uint8Array, start: number, end: number, to: DataView, at: number): number {
  let out = at;
  for (let i = start; i < end; i += 1) {
    const byte = from[i] as number;
    if (byte < 0x7f) {
      if (byte < 0x20) return -1;
      to.setUint8(out, byte);
      out += 1;
      continue;
    }
    i += 1;
    if (i >= end) return -1;
    const utf8 = utf8OfCp949[(byte << 8) | (from[i] as number)] as number;
    if (utf8 === 0) return -1;
    to.setInt32(out, utf8);
    out += utf8 & 0xff;
  }
  return out;
}

/** Copies UTF-8 text without control characters; returns where it ends, or −1 where the bytes are no such text. */
export function utf8ToUtf8(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  let out = at;
  let i = start;
  while (i < end) {
    const byte = from[i] as number;
    if (byte < 0x7f) {
      if (byte < 0x20) return -1;
      to[out++] = byte;
      i += 1;
      continue;
    }
    const length = utf8Length(from, i, end);
    if (length === 0) return -1;
    for (const last = i + length; i < last; i += 1) to[out++] = from[i] as number;
  }
  return out;
}

/** Bytes of the well-formed multi-byte character at `at` (RFC 3629: no overlong forms, no surrogates), or 0. */
function utf8Length(from: Uint8Array, at: number, end: number): number {
  const lead = from[at] as number;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let i = 1; i < length; i += 1) if (((from[at + i] as number) & 0xc0) !== 0x80) return 0;
  const second = from[at + 1] as number;
  // C1 control characters, overlong forms, surrogates and what lies beyond U+10FFFF.
  if (lead === 0xc2 && second < 0xa0) return 0;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second >= 0xa0) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  return lead === 0xf4 && second >= 0x90 ? 0 : length;
}
