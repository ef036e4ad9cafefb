import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { plantAnswer, plantClaim, plantFile } from './claims.fixture.ts';
import { addShowCommand } from './show-commands.ts';

let database: TestDatabase;

/**
 * One claim's story: rejected for its merchant number, sent again the next day, accepted with a won more than ours, and
 * corrected to ours. 12,345 at 2.2 % was charged 271 + 27; at 0.4 % it is 49.38, so 49 + 4; the difference is 245.
 */
beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const first = await plantFile(pool);
  const firstAnswer = await plantAnswer(pool, first.fileId);
  const second = await plantFile(pool, { on: '2026-11-23' });
  const answer = await plantAnswer(pool, second.fileId, { fileName: 'daff_welcome_20261123_res' });
  const corrected = await plantAnswer(pool, second.fileId, { version: 2, fileName: 'daff_welcome_20261123_res' });
  await pool.query(`
    select ensure_leaf('payment', 'welcome-online', '2026-11-20'), ensure_leaf('capture', 'welcome-online', '2026-11-20');
    insert into payment values ('welcome-online', '2026-11-20', 'T1', 0, 'A', 12345, '2026-11-20T10:00:00+09:00', 'MID1',
      'M1', 'ORD-T1', '12345678', '신한카드', '신한카드', '7001', '941083******1234', 0, 1);
    insert into capture values ('welcome-online', '2026-11-20', 'T1', 0, 'A', 12345, 271, 27, '2026-11-20', 'MID1', 1);
    insert into merchant_tier (business_no, half, tier, recorded_by, known_since)
      values ('1234567891', '2026H2', 0, 'kim', '2026-08-11T09:00:00+09:00')`);
  await plantClaim(pool, {
    tid: 'T1',
    amountWon: 12_345n,
    chargedWon: 298n,
    preferentialWon: 53n,
    attempt: 2,
    batchId: second.batchId,
    fileId: second.fileId,
    accepted: { won: 246n, supplyWon: 223n, answerId: answer, line: 5 },
  });
  await plantClaim(pool, {
    tid: 'T1',
    seq: 1,
    state: 'H',
    reason: 'original_held',
    amountWon: -12_345n,
    chargedWon: -298n,
    preferentialWon: -53n,
  });
  const key = `'welcome-online', '2026-11-20', 'T1', 0, 'D'`;
  await pool.query(`
    update differential_batch set selected_at = '2026-11-24T00:20:00+09:00';
    update claim_file set written_at = '2026-11-24T00:25:00+09:00', sent_at = '2026-11-24T00:30:07+09:00', found_there = true;
    update answer_file set applied_at = '2026-11-26T09:10:00+09:00' where answer_id = ${answer};
    insert into claim_rejection (channel, traded_on, provider_tid, cancel_seq, kind, attempt, answer_id, line_no, code, final, rejected_at)
      values (${key}, 1, ${firstAnswer}, 3, 'welcome:09', false, '2026-11-23T09:10:02+09:00');
    insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, at, by, event, reason, detail)
      values (${key}, '2026-11-23T14:00:00+09:00', 'lee', 'queued', 'welcome:09', '{"note": "가맹점번호 등록"}');
    insert into claim_break (provider, kind, subject, channel, traded_on, provider_tid, cancel_seq, claim_kind, answer_id,
                             line_no, ours_won, theirs_won, opened_at, closed_at, closed_by, resolution)
      values ('welcome', 'difference_differs', 'T1', ${key}, ${answer}, 5, 245, 246, '2026-11-26T09:10:01+09:00',
              '2026-11-27T09:10:01+09:00', 'jeongsan', 'agrees');
    insert into claim_revision (channel, traded_on, provider_tid, cancel_seq, kind, answer_id, line_no, before_won, after_won, code, revised_at)
      values (${key}, ${corrected}, 5, 246, 245, 'welcome:00', '2026-11-27T09:10:00+09:00');
    insert into claim_refund (event, provider, answer_id, merchant_id, claims, refund_won, clawback_won, offset_won, carried_won, held_won, wallet_won, booked_on)
      values ('differential:${answer}:M1', 'welcome', ${answer}, 'M1', 3, 600, -100, 200, 0, 0, 300, '2026-11-26'),
             ('differential:${corrected}:M1', 'welcome', ${corrected}, 'M1', 1, 0, -1, 0, 1, 0, 0, '2026-11-27'),
             ('differential:${firstAnswer}:M1', 'welcome', ${firstAnswer}, 'M1', 1, 9, 0, 0, 0, 0, 9, '2026-11-23')`);
});
afterAll(() => database.close());

const show = (name: readonly string[], language: Language = 'en') =>
  runCommand(
    database.pool,
    ['differential', 'show', ...name],
    (program, context, output) => addShowCommand(program.command('differential'), context, output),
    { language },
  );

test('a claim is shown with its working', async () => {
  const { said } = await show(['T1']);
  const facts = said.split('\n\n')[0] ?? '';
  const sha = 'a1'.repeat(32);
  expect(facts.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
    'T1 | paid',
    expect.stringMatching(/^─/),
    'Claim | welcome · daily · approval · try 2',
    'Trade | welcome-online · 2026-11-20 · captured 2026-11-20',
    'Merchant | M1 · MID1 · 신한카드 · ORD-T1',
    'Businesses | 1234567891 · —',
    'Tier | 0 smallest · 2026H2, known since 2026-08-11 09:00:00 (kim)',
    'Card | credit · 941083******1234',
    'Rate | 0.4% · 2025-02-14~ · 금융위원회 2025-02-14 적용 우대수수료율',
    'Amount | 12,345',
    'Charged | 271 + VAT 27 = 298',
    'Preferential | 12,345 × 0.4% = 49.38 → 49 + VAT 4 = 53 (floor)',
    'Difference, ours | 298 − 53 = 245 · by the rate',
    'Accepted, theirs | 245 · as ours · paid on 2026-11-26',
    `File | daff_welcome_20261123_req · answered · sha256 ${sha}`,
  ]);
});

test('a claim is shown with all that became of it, in order', async () => {
  const way = ((await show(['T1'])).said.split('\n\n')[1] ?? '').split('\n').slice(2);
  const sha = 'sha256 111111111111…';
  const unregistered = 'welcome:09 merchant number blank or not registered';
  expect(way.map((line) => line.replace(/ {2,}/g, ' | ').trim())).toEqual([
    `2026-11-23 09:10:02 | rejected | ${unregistered} · daff_welcome_20261120_res, line 3 · final false, attempt 1 · ${sha}`,
    `2026-11-23 14:00:00 | queued to be sent again | lee | ${unregistered} · note 가맹점번호 등록`,
    '2026-11-24 00:20:00 | selected | kim | differential:welcome:2026-11-23',
    '2026-11-24 00:25:00 | written to a file | daff_welcome_20261123_req · sha256 a1a1a1a1a1a1…',
    '2026-11-24 00:30:07 | found to have arrived | daff_welcome_20261123_req',
    `2026-11-26 09:10:00 | accepted | 246 won · daff_welcome_20261123_res, line 5 · ${sha}`,
    '2026-11-26 09:10:01 | break | the difference differs · ours 245 ≠ theirs 246 · daff_welcome_20261123_res, line 5',
    '2026-11-27 09:10:00 | revised | welcome:00 accepted · 246 → 245 · daff_welcome_20261123_res, line 5 · sha256 222222222222…',
    '2026-11-27 09:10:01 | break closed | jeongsan | the difference differs · resolution agrees',
  ]);
});

test('what answers did for the merchant is shown with the event of the ledger, of those that said something of it', async () => {
  const refunds = ((await show(['T1'])).said.split('\n\n')[2] ?? '').split('\n').slice(0, 4);
  expect(refunds.map((line) => line.replace(/ {2,}/g, ' '))).toEqual([
    'Ledger event Booked on Claims Refund Clawback Offset Carried Held Wallet',
    expect.stringMatching(/^─/),
    expect.stringMatching(/^differential:\d+:M1 2026-11-26 3 600 -100 200 0 0 300$/),
    expect.stringMatching(/^differential:\d+:M1 2026-11-27 1 0 -1 0 1 0 0$/),
  ]);
});

test('a transaction is shown with its cancels, in Korean too', async () => {
  const { said } = await show(['T1'], 'ko');
  expect(said).toMatch(/^T1 /m);
  expect(said).toMatch(/^T1 \/1 +보류: 원거래 보류/m);
  expect(said).toContain('298 − 53 = 245 · 요율');
  expect(said).toContain('-298 − (-53) = -245');
});

test('as JSON it has all of that', async () => {
  const { claims } = JSON.parse((await show(['T1', '--json'])).said) as { claims: Record<string, unknown>[] };
  expect(claims).toHaveLength(2);
  expect(claims[0]).toMatchObject({
    providerTid: 'T1',
    status: 'paid',
    chargedWon: 298,
    charged: { feeWon: 271, vatWon: 27 },
    differenceWon: 245,
    acceptedWon: 245,
    supplyWon: 223,
    vatWon: 23,
    rate: { ratePpm: 4000, validFrom: '2025-02-14' },
    graded: { half: '2026H2', tier: 0 },
    file: { fileName: 'daff_welcome_20261123_req', sha256: 'a1'.repeat(32), foundThere: true },
    refunds: [
      { refundWon: 600, walletWon: 300 },
      { clawbackWon: -1, carriedWon: 1 },
    ],
  });
  expect(JSON.stringify(claims[0]?.['way'])).toContain('"what":"revised"');
});

test('a batch is shown by its run, its number and its files', async () => {
  const { said } = await show(['differential:welcome:2026-11-23']);
  const number = /#(\d+)/.exec(said)?.[1] ?? '';
  expect((await show([number])).said).toBe(said);
  expect((await show(['daff_welcome_20261123_req'])).said).toBe(said);
  expect((await show(['daff_welcome_20261123_res'])).said).toBe(said);
  expect(said).toMatch(/^Captures looked at +10$/m);
  expect(said).toMatch(
    /^daff_welcome_20261123_req +answered +4 +40,000 +704 +2026-11-24 00:30:07 +2026-11-26 18:00:00 +sha256 a1a1a1a1a1a1…$/m,
  );
  const json = JSON.parse((await show([number, '--json'])).said) as { batch: Record<string, unknown> };
  expect(json.batch).toMatchObject({
    provider: 'welcome',
    claimedOn: '2026-11-23',
    candidates: 10,
    answers: [{ version: 1 }, { version: 2 }],
  });
});

test('what became of a claim without an answer, or by an answer that takes its word back, is told as well', async () => {
  const { pool } = database;
  await plantClaim(pool, { tid: 'T2', on: '2026-11-19', state: 'X', reason: 'not_overcharged' });
  const { fileId } = await plantFile(pool, { on: '2026-11-19', state: 'expired' });
  const answerId = await plantAnswer(pool, fileId, { fileName: 'daff_welcome_20261119_res' });
  await plantClaim(pool, { tid: 'T3', on: '2026-11-19', fileId, accepted: { won: 176n, answerId } });
  await pool.query(`
    insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, at, by, event, reason)
      values ('welcome-online', '2026-11-19', 'T2', 0, 'D', '2026-11-20T00:20:00+09:00', 'jeongsan', 'held', 'card_type_unknown'),
             ('welcome-online', '2026-11-19', 'T2', 0, 'D', '2026-11-21T00:20:00+09:00', 'jeongsan', 'rejected', 'not_overcharged');
    insert into claim_revision (channel, traded_on, provider_tid, cancel_seq, kind, answer_id, line_no, before_won, after_won, accepted, code, revised_at)
      values ('welcome-online', '2026-11-19', 'T3', 0, 'D', ${answerId}, 9, 176, 0, false, 'welcome:13', '2026-11-25T09:00:00+09:00')`);
  const waySaid = async (tid: string) =>
    ((await show([tid])).said.split('\n\n')[1] ?? '').split('\n').map((line) => line.replace(/ {2,}/g, ' | ').trim());
  expect((await waySaid('T2')).slice(2)).toEqual([
    '2026-11-20 00:20:00 | held back | jeongsan | card type unknown',
    '2026-11-21 00:20:00 | rejected | jeongsan | not overcharged after all',
    '',
  ]);
  expect((await waySaid('T3')).at(-2)).toMatch(
    / \| revised \| welcome:13 too late · 176 → 0 · .*, line 9 · accepted false/,
  );
  expect((await show(['T3'])).said).toMatch(/^T3 +held: not answered by the deadline$/m);
});

test('a retroactive claim is shown with the tier that it is by, and what its refund did', async () => {
  const { pool } = database;
  await pool.query(`
    insert into merchant_tier (business_no, half, tier, recorded_by, known_since)
      values ('1234567891', '2026H1', 4, 'kim', '2026-02-11T09:00:00+09:00');
    insert into claim_refund (event, provider, answer_id, merchant_id, claims, refund_won, clawback_won, offset_won,
                              carried_won, held_won, wallet_won, booked_on)
      values ('retroactive:1:welcome:M1', 'welcome', null, 'M1', 1, 176, 0, 0, 0, 0, 176, '2026-09-25'),
             ('retroactive:1:ksnet:M1', 'ksnet', null, 'M1', 1, 176, 0, 0, 0, 0, 176, '2026-09-25'),
             ('retroactive:1:welcome:M2', 'welcome', null, 'M2', 1, 176, 0, 0, 0, 0, 176, '2026-09-25'),
             ('retroactive:2:welcome:M1', 'welcome', null, 'M1', 1, 99, 0, 0, 0, 0, 99, '2027-03-31');
    insert into retroactive_refund (half, proposed_by, claims, merchants, difference_won, digest, posted_at, posted_by)
      values ('2026H1', 'kim', 1, 1, 176, 'd', '2026-09-25T10:00:00+09:00', 'lee'),
             ('2026H2', 'kim', 1, 1, 99, 'd', '2027-03-31T10:00:00+09:00', 'lee')`);
  await plantClaim(pool, { tid: 'T8', kind: 'R', on: '2026-03-05', accepted: { won: 176n } });
  const { said } = await show(['T8']);
  expect(said).toMatch(/^Tier +0 smallest · 2026H2, known since 2026-08-11 09:00:00 \(kim\)$/m);
  expect(said.match(/^retroactive:.*$/gm)?.map((line) => line.replace(/ {2,}/g, ' '))).toEqual([
    'retroactive:1:welcome:M1 2026-09-25 1 176 0 0 0 0 176',
  ]);
  expect(said).toMatch(/^2026-09-25 10:00:00 +refunded retroactively +lee +176 won · retroactive:1$/m);
});

test('what is sent by another clock is still sent after it was written', async () => {
  const { batchId, fileId } = await plantFile(database.pool, { provider: 'ksnet', on: '2026-11-17', state: 'sent' });
  await database.pool.query(`update claim_file set sent_at = '2026-01-01T00:00:00Z' where file_id = $1`, [fileId]);
  await plantClaim(database.pool, {
    tid: 'T7',
    provider: 'ksnet',
    channel: 'ksnet',
    on: '2026-11-17',
    fileId,
    batchId,
  });
  const { claims } = JSON.parse((await show(['T7', '--json'])).said) as { claims: { way: { what: string }[] }[] };
  expect(claims[0]?.way.map(({ what }) => what)).toEqual(['selected', 'written', 'sent']);
});

test('a batch says which captures it cannot judge yet', async () => {
  const { batchId } = await plantFile(database.pool, { provider: 'nice', on: '2026-11-18', state: 'sent' });
  await database.pool.query(
    `insert into differential_waiting (channel, captured_on, provider_tid, cancel_seq, traded_on, mid, batch_id, reason)
     values ('nice', '2026-11-18', 'N1', 1, '2026-11-18', 'MID1', $1, 'original_missing'),
            ('nice', '2026-11-18', 'N2', 0, '2026-11-18', 'MID1', $1, 'payment_missing'),
            ('nice', '2026-11-18', 'N3', 0, '2026-11-18', 'MID1', $1, 'payment_missing')`,
    [batchId],
  );
  const { said } = await show(['differential:nice:2026-11-18']);
  expect(said).toMatch(/^Not judged yet +1 · the capture of its original has not come in$/m);
  expect(said).toMatch(/^Not judged yet +2 · its payment has not come in$/m);
});

test('what nobody knows is said so', async () => {
  const error = await show(['NOBODY']).catch((reason: unknown) => reason);
  expect(isProblem(error, 'not_found')).toBe(true);
});
