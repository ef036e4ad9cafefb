// A cancel that is answered with its approval. An approval of 10,000 won claims 176, its cancel takes 176 back.
import { describe, expect, test } from 'vitest';
import type { SaidLine } from './answers.fixture.ts';
import { books, keepVerifiedBooks, partialCancel } from './verified-books.fixture.ts';

keepVerifiedBooks();

type Case = {
  readonly what: string;
  /** What an earlier answer to the same file said of the approval. */
  readonly before?: readonly Partial<SaidLine>[];
  readonly approval?: readonly Partial<SaidLine>[];
  readonly cancel?: readonly Partial<SaidLine>[];
  readonly stands: readonly [approval: string, cancel: string];
  readonly breaks?: readonly string[];
};
const [sale, cancel] = ['welcome-online:T1/0', 'welcome-online:T1/1'];
const both = ['paid 176', 'clawed_back -176'] as const;
const waits = 'held original_not_paid';
const withoutRefund = `clawback_without_refund ${cancel} -176 -176`;

const cases: readonly Case[] = [
  { what: 'both accepted', stands: both },
  { what: 'the approval twice', approval: [{}, {}], stands: both },
  { what: 'the cancel twice', cancel: [{}, {}], stands: both },
  {
    what: 'the approval twice, and otherwise',
    approval: [{}, { code: '01', won: 176n }],
    stands: ['held answered_twice', waits],
    breaks: [`answered_twice ${sale} 176 176`, withoutRefund],
  },
  {
    what: 'the cancel twice, and otherwise',
    cancel: [{}, { code: '01', won: -176n }],
    stands: ['paid 176', 'held answered_twice'],
    breaks: [`answered_twice ${cancel} -176 -176`],
  },
  {
    what: 'the cancel 1 won less',
    cancel: [{ won: -175n }],
    stands: ['paid 176', 'clawed_back -175'],
    breaks: [`difference_differs ${cancel} -176 -175`],
  },
  {
    what: 'the cancel split otherwise, of another tier and card type',
    cancel: [{ supplyWon: -161n, tier: '1', cardType: '1' }],
    stands: both,
    breaks: [
      `card_type_differs ${cancel} -176 -176`,
      `split_differs ${cancel} -176 -176`,
      `tier_differs ${cancel} -176 -176`,
    ],
  },
  {
    what: 'the approval 1 won more',
    approval: [{ won: 177n }],
    stands: ['paid 177', 'clawed_back -176'],
    breaks: [`difference_differs ${sale} 176 177`],
  },
  {
    what: 'more taken back than was charged',
    cancel: [{ won: -221n }],
    stands: ['paid 176', 'held difference_impossible'],
    breaks: [`difference_impossible ${cancel} -176 -221`],
  },
  {
    what: 'the cancel gives',
    cancel: [{ won: 176n }],
    stands: ['paid 176', 'held difference_impossible'],
    breaks: [`difference_impossible ${cancel} -176 176`],
  },
  {
    what: 'the cancel of another amount',
    cancel: [{ amountWon: -10_010n }],
    stands: ['paid 176', 'held amount_changed'],
    breaks: [`amount_changed ${cancel} -10000 -10010`],
  },
  {
    what: 'the cancel of an original of another amount',
    cancel: [{ originalWon: 10_010n }],
    stands: ['paid 176', 'held amount_changed'],
    breaks: [`amount_changed ${cancel} -10000 -10000`],
  },
  {
    what: 'the approval rejected',
    approval: [{ code: '13' }],
    stands: ['rejected welcome:13', waits],
    breaks: [withoutRefund],
  },
  { what: 'the approval not answered', approval: [], stands: ['waiting', waits], breaks: [withoutRefund] },
  { what: 'the approval accepted before', before: [{}], stands: both },
  { what: 'the approval accepted before, not named now', before: [{}], approval: [], stands: both },
  {
    what: 'the approval accepted before with 1 won less',
    before: [{ won: 175n }],
    stands: both,
    breaks: [`difference_differs ${sale} 176 175 (closed)`],
  },
  {
    what: 'the approval accepted before, rejected now',
    before: [{}],
    approval: [{ code: '09' }],
    stands: ['held welcome:09', waits],
    breaks: [withoutRefund],
  },
  { what: 'the approval that may be corrected before', before: [{ code: '09' }], stands: both },
  { what: 'the approval rejected for good before', before: [{ code: '13' }], stands: both },
  {
    what: 'the approval held before',
    before: [{ code: 'Z9' }],
    stands: both,
    breaks: [`unknown_code ${sale} 176 (closed)`],
  },
];

const orders = [
  ['the approval first', false],
  ['the cancel first', true],
] as const;

describe.each(orders)('%s', (_, isReversed) => {
  test('each case comes to what it says', async () => {
    let on = Temporal.PlainDate.from('2026-01-01');
    for (const { what, before, approval = [{}], cancel = [{}], stands, breaks = [] } of cases) {
      const tid = `T${on}`;
      const file = await books.file(on.toString());
      on = on.add({ days: 1 });
      await books.claim(file, { tid });
      await books.cancel(file, { tid });
      const said = (lines: readonly Partial<SaidLine>[], seq: number) => lines.map((line) => ({ tid, seq, ...line }));
      if (before !== undefined) await books.answer(file, said(before, 0));
      const lines = [...said(approval, 0), ...said(cancel, 1)];
      await books.answer(file, isReversed ? lines.reverse() : lines);
      const own = (texts: readonly string[]) =>
        texts.filter((text) => text.includes(tid)).map((text) => text.replace(tid, 'T1'));
      expect({ what, stands: own(await books.standing()), breaks: own(await books.breaks()).sort() }).toEqual({
        what,
        stands: [`T1/0 ${stands[0]}`, `T1/1 ${stands[1]}`],
        breaks: [...breaks].sort(),
      });
    }
  });
});

test('an approval that is queued to go again and accepted after all takes its cancel along', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1', state: 'Q', attempt: 2 });
  await books.cancel(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1' }, { tid: 'T1', seq: 1 }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T1/1 clawed_back -176']);
});

test('of several parts that are cancelled each is judged by itself', async () => {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  for (const seq of [1, 2, 3]) await books.cancel(file, { tid: 'T1', seq, ...partialCancel });
  const line = { tid: 'T1', amountWon: -3_000n, won: -53n };
  const cancels = [
    { ...line, seq: 1 },
    { ...line, seq: 2, code: '05' },
    { ...line, seq: 3, won: -52n },
  ];
  await books.answer(file, [{ tid: 'T1' }, ...cancels]);
  expect(await books.standing()).toEqual([
    'T1/0 paid 176',
    'T1/1 clawed_back -53',
    'T1/2 held welcome:05',
    'T1/3 clawed_back -52',
  ]);
  // 176 − 53 − 52
  expect(await books.balances()).toEqual(['refund_receivable:welcome -71', 'wallet:M1 71']);
  expect(await books.breaks()).toEqual([`difference_differs welcome-online:T1/3 -53 -52`]);
});

/** From here on the ledger takes no entry for M2. */
async function refuseM2(): Promise<void> {
  await books.rows(`
    create function refuse_m2() returns trigger language plpgsql as $$
    begin raise exception 'no entry for M2' using errcode = 'check_violation'; end $$;
    create trigger refuse_m2 before insert on ledger_entry for each row when (new.event like '%:M2') execute function refuse_m2()`);
}

/** T1 of M1, and T2 of M2 with its cancel: all accepted, but for what the ledger refuses. */
async function refused() {
  await refuseM2();
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2', merchantId: 'M2' });
  await books.cancel(file, { tid: 'T2', merchantId: 'M2' });
  await books.answer(file, [{ tid: 'T1' }, { tid: 'T2', won: 177n }, { tid: 'T2', seq: 1, won: -175n }]);
  expect(await books.standing()).toEqual(['T1/0 paid 176', 'T2/0 held booking_failed', 'T2/1 held booking_failed']);
  const failed = ['booking_failed welcome-online:T2/0 176 177', 'booking_failed welcome-online:T2/1 -176 -175'];
  expect(await books.breaks()).toEqual(failed);
  await books.rows('drop trigger refuse_m2 on ledger_entry');
  return file;
}

/** Any answer of the provider. */
async function answerAnother(): Promise<void> {
  const next = await books.file('2026-11-21');
  await books.claim(next, { tid: 'T5' });
  await books.answer(next, [{ tid: 'T5' }]);
}

test('a cancel whose merchant the ledger refuses is booked with its approval later, and what differs shows then', async () => {
  await refused();
  await answerAnother();
  expect((await books.standing()).slice(1, 3)).toEqual(['T2/0 paid 177', 'T2/1 clawed_back -175']);
  expect((await books.breaks()).sort()).toEqual([
    'booking_failed welcome-online:T2/0 176 177 (closed)',
    'booking_failed welcome-online:T2/1 -176 -175 (closed)',
    'difference_differs welcome-online:T2/0 176 177',
    'difference_differs welcome-online:T2/1 -176 -175',
  ]);
  expect(await books.balances()).toContain('wallet:M2 2');
});

test('a cancel that could not be booked takes nothing back once its approval is rejected after all', async () => {
  const file = await refused();
  await books.answer(file, [{ tid: 'T2', code: '09' }]);
  expect((await books.standing()).slice(1)).toEqual(['T2/0 held welcome:09', 'T2/1 held booking_failed']);
  await answerAnother();
  expect((await books.standing()).slice(1, 3)).toEqual(['T2/0 held welcome:09', 'T2/1 held booking_failed']);
  await books.answer(file, [{ tid: 'T2' }]);
  expect((await books.standing()).slice(1, 3)).toEqual(['T2/0 paid 176', 'T2/1 clawed_back -175']);
  expect(await books.balances()).toContain('wallet:M2 1');
});

test('what is said once more of a try that is over does not close what the cancel waits with', async () => {
  const sales = await books.file('2026-11-19');
  await books.claim(sales, { tid: 'T1' });
  const first = await books.file();
  await books.cancel(first, { tid: 'T1', originalOn: sales.on });
  await books.answer(first, [{ tid: 'T1', seq: 1, code: '09' }]);
  // As `resend` and the next batch do.
  await books.rows(`
    insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
    select channel, traded_on, provider_tid, cancel_seq, kind, 'kim', 'queued', reason,
           jsonb_build_object('fileId', file_id, 'attempt', attempt) from claim where cancel_seq = 1`);
  const second = await books.file('2026-11-24');
  const again = [second.fileId, second.batchId];
  await books.rows(
    `update claim set state = 'P', reason = null, attempt = 2, file_id = $1, batch_id = $2 where cancel_seq = 1`,
    again,
  );
  await books.rows(`insert into differential_day values ($1, 'welcome-online', $2)`, [second.batchId, first.on]);
  await books.answer(second, [{ tid: 'T1', seq: 1, tradedOn: first.on }]);
  const open = ['clawback_without_refund welcome-online:T1/1 -176 -176'];
  expect(await books.breaks()).toEqual(open);
  await books.claim(first, { tid: 'T2' });
  await books.answer(first, [{ tid: 'T1', seq: 1, code: '09' }, { tid: 'T2' }]);
  expect(await books.breaks()).toEqual(open);
  await books.answer(first, [{ tid: 'T1', seq: 1, code: '01' }, { tid: 'T2' }]);
  expect(await books.breaks()).toEqual(open);
  await books.answer(sales, [{ tid: 'T1' }]);
  expect(await books.breaks()).toEqual(open.map((text) => `${text} (closed)`));
});
