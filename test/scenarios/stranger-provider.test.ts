import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seoulInstant, storyClock } from '../../src/differential/exchange.fixture.ts';
import { createClaimBooks } from '../../src/differential/selection.fixture.ts';
import { registerDifferential } from '../../src/differential/workflow.ts';
import { openArchive } from '../../src/platform/archive.ts';
import { createDurable, type Durable } from '../../src/platform/durable/durable.ts';
import { openRemoteFolder } from '../../src/platform/open-remote-folder.ts';
import { hanbit } from '../../src/providers/hanbit.fixture.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

// A provider that nobody has met goes through all five steps by its file of data alone.
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;
const on = '2026-11-20';

let home: string;
let db: TestDatabase;
let durable: Durable;

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-stranger-'));
  db = await testDatabase();
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log });
});
afterEach(async () => {
  await durable.shutdown(1_000);
  await db.close();
  await rm(home, { recursive: true });
});

const request = `S|1234567891|2026-11-20
D|HB1|T1|0|2026-11-20|+10000|+10000|S|2026-11-20|1018112341|O-T1
D|HB1|T1|1|2026-11-20|-2500|+10000|P|2026-11-20|1018112341|O-T1
D|HB1|T2|0|2026-11-20|+1250|+1250|S|2026-11-20|1018112341|O-T2
E|3|+8750
`;
const answer = `S|1234567891|2026-11-20
D|HB1|T1|0|2026-11-20|+10000|+10000|+180|2026-11-25|OK
D|HB1|T1|1|2026-11-20|-2500|+10000|-45|2026-11-25|OK
D|HB1|T2|0|2026-11-20|+1250|+1250|||NO
E|3|+8750
`;

test('a stranger is claimed from, answers, and its refund reaches the wallet', async () => {
  const books = createClaimBooks(db.pool);
  await books.cards();
  await books.merchant('M1', { '2026H2': 0 }, '1018112341');
  // Charged 2 % and VAT; 0.4 % with its VAT in it is owed: 40, 10, and 5 of 1,250 won.
  const sale = { channel: 'hanbit', mid: 'HB1', on } as const;
  await books.sales([
    { ...sale, tid: 'T1', won: 10_000, fee: 200, vat: 20 },
    { ...sale, tid: 'T1', seq: 1, type: 'P', won: -2_500, fee: -50, vat: -5 },
    { ...sale, tid: 'T2', won: 1_250, fee: 25, vat: 2 },
  ]);
  const folder = path.join(home, 'hanbit');
  await mkdir(path.join(folder, 'in'), { recursive: true });
  await mkdir(path.join(folder, 'out'));
  const clock = storyClock('2026-11-20 23:00');
  let sent = '';
  clock.at('2026-11-21 02:00', async () => {
    sent = await readFile(path.join(folder, 'in/claims-20261120.psv'), 'utf8');
    await writeFile(path.join(folder, 'out/claims-20261120.answer.psv'), answer);
  });
  const { run } = registerDifferential(durable, {
    ...{ pool: db.pool, log, archive: openArchive(home), clock, watch: quiet },
    providers: [hanbit],
    remote: () => openRemoteFolder({ kind: 'folder', folder }),
    businessNo: () => '1234567891',
  });
  await durable.launch();

  const outcome = await run({ provider: 'hanbit', on, who: 'test' });
  expect(sent).toBe(request);
  expect(Temporal.Instant.compare(clock.now(), seoulInstant('2026-11-24 00:00'))).toBe(-1);
  expect(outcome).toMatchObject({ outcome: 'answered', claims: 3n, accepted: 2n, acceptedWon: 135n });
  const { rows } = await db.pool.query(
    `select concat_ws(' ', provider_tid || '/' || cancel_seq, status, difference_won, accepted_won, status_reason) as text
       from claim_status order by provider_tid, cancel_seq`,
  );
  expect(rows.map(({ text }) => text)).toEqual([
    'T1/0 paid 180 180',
    'T1/1 clawed_back -45 -45',
    'T2/0 rejected 22 hanbit:NO',
  ]);
  const { rows: balances } = await db.pool.query<{ text: string }>(
    `select account || ' ' || balance_won as text from ledger_account where balance_won <> 0 order by account`,
  );
  expect(balances.map(({ text }) => text)).toEqual(['refund_receivable:hanbit -135', 'wallet:M1 135']);
});
