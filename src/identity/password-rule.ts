import { Problem } from '../kernel/problem.ts';

/**
 * 비밀번호 규칙. Long, and more than what is tried first: lists of leaked passwords consist of a few words, rows of keys,
 * years and repetitions, put together and spelt with digits for letters. What remains without those has to be enough.
 */
export const passwordLength = { min: 12, max: 128 } as const;

/** Of which a password may not consist: the most frequent words of leaked lists, in English and as Korean keys. */
const words = [
  ...[
    'password',
    'passwort',
    'passw0rd',
    'passwd',
    'pass',
    'welcome',
    'letmein',
    'login',
    'signin',
    'access',
    'secret',
  ],
  ...['administrator', 'admin', 'root', 'master', 'manager', 'operator', 'approver', 'viewer', 'system', 'server'],
  ...['default', 'changeme', 'change', 'temporary', 'temp', 'test', 'tester', 'testing', 'guest', 'user', 'username'],
  ...['monkey', 'dragon', 'football', 'baseball', 'basketball', 'superman', 'batman', 'princess', 'sunshine', 'shadow'],
  ...['iloveyou', 'love', 'lovely', 'trustno1', 'hello', 'freedom', 'whatever', 'starwars', 'michael', 'jordan'],
  ...['jennifer', 'charlie', 'computer', 'internet', 'samsung', 'iphone', 'google', 'naver', 'kakao', 'daum'],
  ...['company', 'office', 'payment', 'payments', 'gateway', 'settlement', 'settle', 'jeongsan', 'money', 'bank'],
  ...['korea', 'korean', 'seoul', 'busan', 'summer', 'winter', 'spring', 'autumn', 'fall', 'january', 'february'],
  ...['march', 'april', 'june', 'july', 'august', 'september', 'october', 'november', 'december', 'monday', 'friday'],
  // 정산, 비밀번호, 관리자, 사랑해, 안녕하세요, 대한민국, 회사, 암호 as they are typed on an English layout.
  ...['wjdtks', 'qlalfqjsgh', 'rhksflwk', 'tkfkdgo', 'dkssudgktpdy', 'dkssud', 'eogksalsrnr', 'ghltk', 'dkagh'],
  ...['jungsan', 'bimilbunho', 'gwanrija', 'saranghae', 'annyeong', 'daehanminguk', 'the', 'my', 'and', 'is', 'new'],
];

const rows = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  '1234567890',
  'abcdefghijklmnopqrstuvwxyz',
  '1qaz2wsx3edc4rfv5tgb',
  '1q2w3e4r5t6y7u8i9o0p',
];
const disguises: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};
const leastLeft = 6;

/**
 * Refuses a password that is guessed at once. `about` is what others know of its owner: name and address.
 * @throws Problem `password_short` (or too long), `password_common`
 */
export function checkPassword(password: string, about: readonly string[] = []): void {
  if ([...password].length < passwordLength.min || password.length > passwordLength.max) {
    throw new Problem('password_short', passwordLength);
  }
  const own = about.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length >= 3);
  const plain = password.normalize('NFKC').toLowerCase();
  const left = [plain, undisguised(plain)].map((text) => new Set(remains(text, [...own, ...words])).size);
  if (Math.min(...left) < leastLeft) throw new Problem('password_common');
}

function undisguised(text: string): string {
  return text.replace(/[@431!0$57]/g, (mark) => disguises[mark] ?? mark);
}

/** What is left without words, runs of neighbouring keys, and years. */
function remains(text: string, known: readonly string[]): string {
  let left = text;
  for (const word of known.toSorted((a, b) => b.length - a.length)) left = left.replaceAll(word, '');
  left = left.replace(/(19|20)\d\d/g, '');
  return withoutRuns(left).replace(/[\s\p{P}\p{S}]/gu, '');
}

/** Takes out three or more keys or letters in a row, forwards or backwards. */
function withoutRuns(text: string): string {
  let left = '';
  for (let at = 0; at < text.length; ) {
    const run = runLength(text.slice(at));
    if (run < 3) left += text[at];
    at += run < 3 ? 1 : run;
  }
  return left;
}

function runLength(text: string): number {
  const both = rows.flatMap((row) => [row, [...row].reverse().join('')]);
  let longest = 1;
  for (const row of both) {
    let length = 1;
    while (length < text.length && row.includes(text.slice(0, length + 1))) length += 1;
    longest = Math.max(longest, length);
  }
  return longest;
}
