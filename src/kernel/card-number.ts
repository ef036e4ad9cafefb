/**
 * 카드번호. Full card numbers are kept nowhere: neither from files nor from what people write. One is 13 to 19 digits, in one
 * piece or in groups split by single blanks, dashes or dots, of a length and with first digits that card networks give out,
 * and with the check digit of ISO/IEC 7812-1 (Luhn). Of any other 16 digits one in forty or so passes for one by chance, so
 * numbers that are ours or a provider's by definition are held against their own row's card instead (`holdsThisCard`).
 */
export function holdsCardNumber(text: string): boolean {
  if (text.length < fewestDigits) return false;
  const plain = text.normalize('NFKC');
  for (const [run] of plain.matchAll(/\d+(?:[ .\-‐-―]\d+)*/gu)) {
    if (run.length >= fewestDigits && holdsOne(run.split(/\D/u))) return true;
  }
  return false;
}

/**
 * Whether these digits, however they are grouped, are those of which `masked` (`941234******1234`) shows the first six and the
 * last four. By chance that is one in ten thousand million.
 */
export function holdsThisCard(text: string, masked: string): boolean {
  const [first, last] = [masked.slice(0, 6), masked.slice(-4)];
  if (masked.length < fewestDigits) return false;
  const digits = text.normalize('NFKC').replaceAll(/[ .\-‐-―]/gu, '');
  for (let at = digits.indexOf(first); at >= 0; at = digits.indexOf(first, at + 1)) {
    const number = digits.slice(at, at + masked.length);
    if (number.length === masked.length && number.endsWith(last) && /^\d+$/.test(number)) return true;
  }
  return false;
}

export const fewestDigits = 13;
const mostDigits = 19;

/** Groups that follow one another make a number, whatever stands before and after them: `1111-2222 3333`. */
function holdsOne(groups: readonly string[]): boolean {
  for (const [from] of groups.entries()) {
    let digits = '';
    for (const group of groups.slice(from)) {
      digits += group;
      if (digits.length > mostDigits) break;
      if (digits.length >= fewestDigits && isCardNumber(digits)) return true;
    }
  }
  return false;
}

/** First digits and lengths of the networks whose cards are taken in Korea (ISO/IEC 7812; the networks' own tables). */
const networks: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^35(2[89]|[3-8])/, lengths: [16, 17, 18, 19] }, // JCB
  { prefix: /^(30[0-5]|309|36|38|39)/, lengths: [14, 16, 19] }, // Diners Club
  { prefix: /^(6011|64[4-9]|65)/, lengths: [16, 19] }, // Discover
  { prefix: /^62/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^9/, lengths: [16] }, // cards of Korean issuers that are used in Korea alone (BC, local)
];

function isCardNumber(digits: string): boolean {
  return (
    networks.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits)) &&
    hasCheckDigit(digits)
  );
}

/** Luhn: from the right every second digit counts double, its digits added. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const weighed = place % 2 === 0 ? digit : digit * 2;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return sum % 10 === 0;
}

/** What people write in their own words: reasons, notes, names. */
const written = /(reason|why|because|note|memo|comment|text|title|name|message|description|evidence)$/i;
const deepestWritten = 8;

/** The first member, by its path, in which somebody has written a card number; of what is in a person's own words alone. */
export function writtenCardNumber(given: unknown, path = '', depth = 0): string | undefined {
  if (typeof given === 'string') return written.test(path) && holdsCardNumber(given) ? path : undefined;
  if (typeof given !== 'object' || given === null || depth > deepestWritten) return undefined;
  for (const [name, value] of Object.entries(given)) {
    const place = Array.isArray(given) ? path : path === '' ? name : `${path}.${name}`;
    const found = writtenCardNumber(value, place, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
