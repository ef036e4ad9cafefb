import { expect, test } from 'vitest';
import { checkPassword } from './password-rule.ts';

const about = ['김정산 Kim Jungho', 'jungho.kim@pg.example'];

test.each([
  ['short11char', 'password_short'],
  ['가나다라마바사아자차카', 'password_short'],
  ['x'.repeat(129), 'password_short'],
  ['aaaaaaaaaaaa', 'password_common'],
  ['password1234', 'password_common'],
  ['P@ssw0rd2026!', 'password_common'],
  ['qwerty123456', 'password_common'],
  ['1q2w3e4r5t6y', 'password_common'],
  ['qwertyuiop[]', 'password_common'],
  ['123456789012', 'password_common'],
  ['Administrator1!', 'password_common'],
  ['WelcomeWelcome1', 'password_common'],
  ['jungho.kim2026', 'password_common'],
  ['JunghoJungho99', 'password_common'],
  ['wjdtksqlalfqjsgh1', 'password_common'],
  ['Summer2026Seoul!', 'password_common'],
  ['abcabcabcabcabc', 'password_common'],
  ['correct horse battery staple', undefined],
  ['느린 강물이 바위를 깎는다', undefined],
  ['kV7#mq2Lx9!rTz', undefined],
  ['Password-but-with-a-penguin-riding-a-tram', undefined],
])('%s: %s', (password, code) => {
  const check = () => checkPassword(password, about);
  if (code === undefined) expect(check).not.toThrow();
  else expect(check).toThrowError(expect.objectContaining({ code }));
});
