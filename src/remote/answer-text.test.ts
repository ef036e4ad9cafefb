import { expect, test } from 'vitest';
import { answerText, eventText } from './answer-text.ts';
import { shownColumns } from './shown-columns.ts';

test('a list is a table of its columns, in words, won apart from numbers that name something', () => {
  const rows = [
    { id: 1234, merchantId: 'M1', amountWon: 1234567, state: 'awaiting_approval', requestedAt: '2026-11-20T23:00:05Z' },
    { id: 5, merchantId: 'M2', amountWon: -20, state: 'somewhere', requestedAt: null, resultReason: '', sends: 3 },
  ];
  const columns = shownColumns['listPayouts'];
  expect(answerText(rows, 'en', columns)).toBe(
    [
      '  ID  Merchant ID     Amount  State              Requested at',
      '────  ───────────  ─────────  ─────────────────  ───────────────────',
      '1234  M1           1,234,567  awaiting_approval  2026-11-21 08:00:05',
      '   5  M2                 -20  somewhere',
      '',
    ].join('\n'),
  );
  expect(answerText(rows, 'ko', columns)).toBe(
    [
      '번호  가맹점       금액  상태       요청 시각',
      '────  ──────  ─────────  ─────────  ───────────────────',
      '1234  M1      1,234,567  승인 대기  2026-11-21 08:00:05',
      '   5  M2            -20  somewhere',
      '',
    ].join('\n'),
  );
});

test('a thing is its fields that say something, and its lists below', () => {
  const thing = { on: true, pause: { who: 'kim', until: null }, waits: [], named: [{ won: 1000 }] };
  expect(answerText(thing, 'en')).toBe(
    ['Field', '──────────  ───', 'On          yes', 'Pause: who  kim', '', 'Named', '  Won', '─────', '1,000', ''].join(
      '\n',
    ),
  );
});

test('nothing is said as nothing, and what happens is a line', () => {
  expect(answerText([], 'en')).toBe('none\n');
  expect(answerText([], 'ko')).toBe('없음\n');
  expect(eventText({ step: { number: 3, name: 'settle-1', milliseconds: 1279, error: null } }, 'en')).toBe(
    '3  settle-1  1,279\n',
  );
});
