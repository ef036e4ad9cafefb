// An answer that is applied while a person, the next batch or another answer is at the same claims: who comes first is seen
// by who comes next, whichever that is.
import { beforeEach, describe, expect, test } from 'vitest';
import { lockWaits } from '../../test/support/lock-waits.ts';
import { inTransactionOnce, type PoolClient } from '../platform/database/pool.ts';
import { closeSelection } from './plan-store.ts';
import { queueResend } from './resend-store.ts';
import { unregistered } from './selection.fixture.ts';
import { books, database, keepVerifiedBooks } from './verified-books.fixture.ts';

keepVerifiedBooks();
beforeEach(async () => {
  await books.rows(`insert into import (kind, file_name, imported_by) values ('merchants', 'x', 'test')`);
  await books.rows(`insert into merchant select 'M1', 'M1', '1234567891', max(import_id) from import`);
  await books.rows(
    `insert into merchant_tier (business_no, half, tier, recorded_by) values ('1234567891', '2026H2', 0, 'test')`,
  );
});

const welcome = unregistered('welcome');
type Work = (tx: PoolClient) => Promise<unknown>;

/** Does the one, and the other one when it is done but not committed; what each came to, once both are. */
async function oneAndOther(one: Work, other: Work): Promise<[unknown, unknown]> {
  const tx = await database.pool.connect();
  await tx.query('begin');
  const first = await one(tx);
  const second = inTransactionOnce(database.pool, other);
  await lockWaits(database.pool, 1);
  await tx.query('commit');
  tx.release();
  return [first, await second];
}

const resend: Work = (tx) =>
  queueResend(
    tx,
    welcome,
    { providerTid: 'T1', cancelSeq: 0 },
    { by: 'kim', because: 'the number was registered', on: '2026-11-24' },
  );

/** T1 was rejected with 09; the corrected answer that accepts it has come. */
async function corrected(): Promise<Work> {
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.answer(file, [{ tid: 'T1', code: '09' }]);
  const answerId = await books.register(file, [{ tid: 'T1' }], 'answer');
  return (tx) => books.applyIn(tx, answerId);
}

describe('a claim that is queued to go again, and accepted by a corrected answer', () => {
  test('queued first: it is accepted, and does not go', async () => {
    const apply = await corrected();
    const [queued] = await oneAndOther(resend, apply);
    expect(queued).toMatchObject([{ refused: null }]);
    expect(await books.standing()).toEqual(['T1/0 paid 176']);
    expect(await books.events()).toEqual(['T1/0 rejected welcome:09', 'T1/0 queued welcome:09', 'T1/0 released']);
  });

  test('accepted first: it is not queued', async () => {
    const apply = await corrected();
    const [, queued] = await oneAndOther(apply, resend);
    expect(queued).toMatchObject([{ refused: 'resend_accepted' }]);
    expect(await books.standing()).toEqual(['T1/0 paid 176']);
  });
});

/** The next day's batch, of which T1 is to be. */
async function nextBatch(): Promise<Work> {
  const [batch] = await books.rows(
    `insert into differential_batch (provider, claimed_on, run_id, state, opened_by, parts)
     values ('welcome', '2026-11-24', 'run', 'selecting', 'test', 1) returning batch_id`,
  );
  return (tx) => closeSelection(tx, batch.batch_id, welcome);
}
const fileOf = () =>
  books.texts(`select concat_ws(' ', f.on_day, b.claimed_on) as text from claim c
  left join claim_file f using (file_id) left join differential_batch b on b.batch_id = c.batch_id`);

describe('a claim that a batch takes to go again, and that is accepted by a corrected answer', () => {
  test('taken first: it is accepted by its first try', async () => {
    const apply = await corrected();
    await inTransactionOnce(database.pool, resend);
    await oneAndOther(await nextBatch(), apply);
    expect(await books.standing()).toEqual(['T1/0 paid 176']);
    expect(await fileOf()).toEqual(['2026-11-24']);
  });

  test('accepted first: it is not taken', async () => {
    const apply = await corrected();
    await inTransactionOnce(database.pool, resend);
    await oneAndOther(apply, await nextBatch());
    expect(await books.standing()).toEqual(['T1/0 paid 176']);
    expect(await fileOf()).toEqual(['2026-11-20 2026-11-20']);
    expect(await books.events()).not.toContain('T1/0 sent_again');
  });
});
