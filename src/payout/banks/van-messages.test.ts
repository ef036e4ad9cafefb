import { expect, test } from 'vitest';
import { transferAnswer } from './van-messages.ts';

test.each([
  ['계좌 110-234-567890 없음', '계좌 ****7890 없음'],
  ['no account 11023456789012\n', 'no account ****9012 '],
  ['한도 1,000,000,000원 초과 (2026-11-20)', '한도 1,000,000,000원 초과 (2026-11-20)'],
])('of an account number that a bank repeats the last four digits are kept: %j', (text, kept) => {
  expect(transferAnswer.parse({ messageNo: '000000000001', state: 'rejected', code: '1001', text }).text).toBe(kept);
});

test('half a character, which the database does not hold, is kept as one that is not known', () => {
  const said = { messageNo: '000000000001', state: 'rejected', code: '1001', text: 'a \ud83d' };
  expect(transferAnswer.parse(said).text).toBe('a \ufffd');
});
