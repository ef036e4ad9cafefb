import { expect, test } from 'vitest';
import { cycleReasonWord } from './words.ts';

test.each([
  ['another_running', '앞 회차가 진행 중', 'another one was running'],
  ['run_ended', '회차를 닫지 못하고 실행이 끝남', 'its run ended without closing it'],
  ['payouts_failed: no bank', '즉시 송금 생성 실패: no bank', 'direct payouts were not created: no bank'],
  ['bigint out of range', 'bigint out of range', 'bigint out of range'],
  ['toString: x', 'toString: x', 'toString: x'],
  [null, '', ''],
])('why a cycle came to what it did, %s, is said in both languages', (reason, ko, en) => {
  expect([cycleReasonWord(reason, 'ko'), cycleReasonWord(reason, 'en')]).toEqual([ko, en]);
});
