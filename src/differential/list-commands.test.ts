import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { type PlantedClaim, plantAnswer, plantClaim, plantFile } from './claims.fixture.ts';
import { addListCommand } from './list-commands.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  const { pool } = database;
  const answered = await plantFile(pool);
  const answerId = await plantAnswer(pool, answered.fileId);
  const expired = await plantFile(pool, { provider: 'ksnet', on: '2026-11-19', state: 'expired' });
  const failed = await plantFile(pool, { provider: 'nice', on: '2026-11-18', state: 'failed' });
  const sent = await plantFile(pool, { provider: 'nice', on: '2026-11-20', state: 'sent' });
  const at = { fileId: answered.fileId, batchId: answered.batchId };
  const claims: readonly PlantedClaim[] = [
    { tid: 'T1', ...at, accepted: { won: 176n, answerId } },
    // Their difference is a won more than ours, and that is what is booked.
    { tid: 'T2', ...at, tier: 2, ratePpm: 11_500, preferentialWon: 126n, accepted: { won: 95n, answerId } },
    {
      ...{ tid: 'T1', seq: 1, ...at, amountWon: -10_000n, chargedWon: -220n, preferentialWon: -44n },
      accepted: { won: -176n, supplyWon: -160n, answerId },
    },
    { tid: 'T3', ...at, state: 'X', reason: 'welcome:10', merchantId: 'M2' },
    { tid: 'T4', ...at, state: 'R', reason: 'welcome:09', merchantId: 'M2' },
    { tid: 'T5', ...at, state: 'Q', attempt: 2 },
    { tid: 'T6', on: '2026-11-21', state: 'H', reason: 'card_type_unknown', cardType: null },
    { tid: 'K1', provider: 'ksnet', channel: 'ksnet', on: '2026-11-19', fileId: expired.fileId },
    { tid: 'N1', provider: 'nice', channel: 'nice', on: '2026-11-18', fileId: failed.fileId },
    { tid: 'N2', provider: 'nice', channel: 'nice', fileId: sent.fileId },
    { tid: 'N3', provider: 'nice', channel: 'nice' },
  ];
  for (const claim of claims) await plantClaim(pool, claim);
  await pool.query(
    `insert into claim_revision (channel, traded_on, provider_tid, cancel_seq, kind, answer_id, line_no, before_won,
                                 after_won, code)
     values ('welcome-online', '2026-11-20', 'T2', 0, 'D', $1, 4, 95, 94, '00')`,
    [answerId],
  );
});
afterAll(() => database.close());

const list = (line: readonly string[], language: Language = 'en') =>
  runCommand(
    database.pool,
    ['differential', 'list', ...line],
    (program, context, output) => addListCommand(program.command('differential'), context, output),
    { language },
  );
type Row = {
  providerTid: string;
  cancelSeq: number;
  status: string;
  reason: string | null;
  acceptedWon: number | null;
};
const rows = async (...line: string[]): Promise<string[]> =>
  (JSON.parse((await list([...line, '--json'])).said) as Row[]).map(({ providerTid, cancelSeq }) =>
    cancelSeq === 0 ? providerTid : `${providerTid}/${cancelSeq}`,
  );

describe('a list of claims', () => {
  test('says of each where it stands and why', async () => {
    const all = JSON.parse((await list(['--json'])).said) as Row[];
    expect(
      all.map((row) => [row.providerTid, row.cancelSeq, row.status, row.reason, row.acceptedWon].join(' ').trimEnd()),
    ).toEqual([
      'N1 0 held not_sent',
      'K1 0 held unanswered',
      'N2 0 waiting',
      'N3 0 waiting',
      'T1 0 paid  176',
      'T1 1 clawed_back  -176',
      'T2 0 paid  94',
      'T3 0 rejected welcome:10',
      'T4 0 held welcome:09',
      'T5 0 waiting',
      'T6 0 held card_type_unknown',
    ]);
    expect(all[6]).toMatchObject({
      provider: 'welcome',
      channel: 'welcome-online',
      tradedOn: '2026-11-20',
      kind: 'daily',
      type: 'approval',
      cardType: 'credit',
      tier: 2,
      ratePpm: 11_500,
      amountWon: 10_000,
      chargedWon: 220,
      preferentialWon: 126,
      differenceWon: 94,
      payOn: '2026-11-26',
      fileName: 'daff_welcome_20261120_req',
    });
    expect(all[10]).toMatchObject({ cardType: null, ratePpm: null, differenceWon: null, acceptedWon: null });
  });

  test('is narrowed by each of its options, and by several at once', async () => {
    expect(await rows('--on', '2026-11-19')).toEqual(['K1']);
    expect(await rows('--from', '2026-11-21')).toEqual(['T6']);
    expect(await rows('--to', '2026-11-19')).toEqual(['N1', 'K1']);
    expect(await rows('--from', '2026-11-19', '--to', '2026-11-20', '--provider', 'ksnet,nice')).toEqual([
      'K1',
      'N2',
      'N3',
    ]);
    expect(await rows('--status', 'paid', 'clawed_back')).toEqual(['T1', 'T1/1', 'T2']);
    expect(await rows('--reason', 'welcome:09')).toEqual(['T4']);
    expect(await rows('--reason', 'unanswered')).toEqual(['K1']);
    expect(await rows('--merchant', 'M2')).toEqual(['T3', 'T4']);
    expect(await rows('--merchant', 'M2', '--status', 'rejected')).toEqual(['T3']);
    expect(await rows('--tier', '2')).toEqual(['T2']);
    expect(await rows('--limit', '2')).toEqual(['N1', 'K1']);
    expect(await rows('--merchant', 'M9')).toEqual([]);
  });

  test('is of a batch, by its run, its number or a file of it', async () => {
    await database.pool.query(
      `insert into differential_day select batch_id, 'welcome-online', '2026-11-20' from differential_batch
        where provider = 'welcome'`,
    );
    const ofBatch = ['T1', 'T1/1', 'T2', 'T3', 'T4', 'T5'];
    expect(await rows('--batch', 'differential:welcome:2026-11-20')).toEqual(ofBatch);
    expect(await rows('--batch', 'daff_welcome_20261120_res')).toEqual(ofBatch);
    expect(await rows('--batch', 'daff_welcome_20261120_req', '--status', 'held')).toEqual(['T4']);
    // Of nice nothing was selected by a batch.
    expect(await rows('--batch', 'differential:nice:2026-11-20')).toEqual([]);
    const unknown = await list(['--batch', 'differential:nice:2026-11-01']).catch((reason: unknown) => reason);
    expect(isProblem(unknown, 'not_found')).toBe(true);
  });

  test('shows people a table with what all of it comes to', async () => {
    const { said } = await list([
      '--on',
      '2026-11-20',
      '--provider',
      'welcome',
      '--status',
      'paid,held',
      '--limit',
      '2',
    ]);
    expect(said).toBe(
      [
        'Traded on   Provider  TID  Merchant  Type      Tier        Card    Amount  Difference  Accepted  Status  Reason',
        '──────────  ────────  ───  ────────  ────────  ──────────  ──────  ──────  ──────────  ────────  ──────  ──────',
        '2026-11-20  welcome   T1   M1        approval  0 smallest  credit  10,000         176       176  paid',
        '2026-11-20  welcome   T2   M1        approval  2 small 2   credit  10,000          94        94  paid',
        // 176 + 94 + 176 that wait for a correction; 176 + 94 accepted.
        '2 of 3 claims · claimed 446 won · accepted 270 won',
        '',
      ].join('\n'),
    );
    const korean = (await list(['--reason', 'welcome:09'], 'ko')).said;
    expect(korean).toContain('보류');
    expect(korean).toContain('welcome:09 가맹점번호');
    expect((await list(['--merchant', 'M9'])).said).toBe('0 claims · claimed 0 won · accepted 0 won\n');
  });

  test('as CSV has every column, and nothing that a spreadsheet would run', async () => {
    await plantClaim(database.pool, { tid: '=T9', on: '2026-11-22', merchantId: '@M"9', state: 'P' });
    const { said } = await list(['--on', '2026-11-22', '--csv']);
    const [header, line, rest] = said.split('\r\n');
    expect(header?.split(',')).toHaveLength(25);
    expect(line).toMatch(
      /^2026-11-22,welcome,welcome-online,'=T9,"'@M""9",MID1,ORD-=T9,daily,approval,0 smallest,credit,0.4%,/,
    );
    expect(line).toMatch(/,10000,220,44,176,,,1,,waiting,,$/);
    expect(rest).toBe('');
  });

  test('refuses what it does not know', async () => {
    for (const line of [
      ['--on', '2026-02-30'],
      ['--on', '2026-11-20', '--from', '2026-11-20'],
      ['--provider', 'inicis'],
      ['--status', 'lost'],
      ['--tier', '4'],
      ['--limit', 'x'],
      ['--limit', '5', '--all'],
      ['--json', '--csv'],
    ]) {
      const error = await list(line).catch((reason: unknown) => reason);
      expect([line, isProblem(error, 'usage')]).toEqual([line, true]);
    }
  });
});
