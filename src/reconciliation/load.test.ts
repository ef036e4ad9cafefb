import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { numbers, settlementStatement, statementDay, transactionStatement } from '../../test/support/statements.ts';
import { isProblem } from '../kernel/problem.ts';
import { type Archive, openArchive } from '../platform/archive.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { isPassingFault } from '../platform/durable/database-fault.ts';
import { loadStatement } from './load.ts';
import { beginLoad, finishLoad, type LoadResult } from './load-store.ts';
import { findCurrentLoads, findStatement, refuseStatement, registerStatement } from './statement-store.ts';

const day = { provider: 'welcome-online', stage: 'transaction', on: statementDay } as const;
const fileName = 'WP_ON_TRX_20261120.dat';
/** Enough for two connections. */
const manyLines = 60_000;

let database: TestDatabase;
let folder: string;
let archive: Archive;

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-load-'));
  archive = openArchive(folder);
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await database.pool.query('truncate statement restart identity cascade');
  await database.pool.query('drop table if exists transaction_line_welcome_online_20261120');
});

/** Archives bytes as the next version of the file and returns its id. */
async function receive(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<number> {
  const kept = await archive.keep(asAsync(bytes));
  const receipt = { source: 'folder', who: 'tester' } as const;
  return (await registerStatement(database.pool, { ...day, fileName }, kept, receipt)).statementId;
}

async function* asAsync(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* bytes;
}

const load = (statementId: number, from = archive) =>
  loadStatement({ pool: database.pool, archive: from, statementId });
const finish = (result: LoadResult) => inTransaction(database.pool, (tx) => finishLoad(tx, result));

/** What everybody sees: the lines of the loads that count. */
async function visible(): Promise<{ loads: number; lines: bigint; won: bigint; distinct: bigint }> {
  const loads = (await findCurrentLoads(database.pool, day)).map(({ loadId }) => loadId);
  const [row] = await query<{ lines: bigint; won: bigint; distinct: bigint }>(
    database.pool,
    `select count(*) as lines, coalesce(sum(amount_won), 0)::bigint as won, count(distinct line_no) as distinct
     from transaction_line where provider = $1 and statement_on = $2 and load_id = any($3)`,
    [day.provider, day.on.toString(), loads],
  );
  return { loads: loads.length, ...(row ?? { lines: -1n, won: -1n, distinct: -1n }) };
}

/** Everything that is there, visible or not. */
async function stored(): Promise<{ lines: bigint; loads: bigint }> {
  const [row] = await query<{ lines: bigint; loads: bigint }>(
    database.pool,
    'select (select count(*) from transaction_line) as lines, (select count(*) from statement_load) as loads',
  );
  return row ?? { lines: -1n, loads: -1n };
}

const stateOf = async (statementId: number) => (await findStatement(database.pool, statementId)).state;

describe('loading a statement', () => {
  it.each([20, manyLines])('puts %i lines in, visible all at once when it is finished', async (lines) => {
    const id = await receive(transactionStatement(numbers(0, lines)));
    const result = await load(id);
    expect(result).toMatchObject({ statementId: id, lines: BigInt(lines), unreadable: 0, feeWon: 0n, netWon: 0n });
    expect(result.declaredWon).toBe(result.amountWon);
    expect(await visible()).toMatchObject({ loads: 0, lines: 0n });
    await finish(result);
    await finish(result);
    expect(await visible()).toEqual({ loads: 1, lines: BigInt(lines), won: result.amountWon, distinct: BigInt(lines) });
    expect(await findStatement(database.pool, id)).toMatchObject({
      state: 'imported',
      lines: BigInt(lines),
      unreadable: 0,
    });
    // Loaded and finished by one run, asked for again by another: the load that counts.
    expect(await load(id)).toEqual(result);
  });

  it('keeps every column as the file has it', async () => {
    await finish(await load(await receive(transactionStatement(numbers(8, 10)))));
    const rows = await query(database.pool, 'select * from transaction_line order by line_no');
    expect(rows).toEqual([
      expect.objectContaining({ line_no: 2, kind: 'A', cancel_seq: 0, traded_on: '2026-11-20', amount_won: 64_352n }),
      {
        provider: 'welcome-online',
        statement_on: '2026-11-20',
        load_id: expect.any(Number),
        line_no: 3,
        kind: 'C',
        cancel_seq: 1,
        instalments: 1,
        traded_on: '2026-11-20',
        amount_won: -64_352n,
        traded_time: '00:00:09',
        provider_tid: 'WPON0000000000000008',
        mid: 'WEL0000009',
        approval_no: '30000008',
        order_no: 'ORD-20261120-0000000008',
        acquirer: '신한카드',
        card_merchant_no: '700000009',
        card_no: '400009******0009',
      },
    ]);
  });

  it('keeps what cannot be read and what seems to be there twice', async () => {
    const spoiled = (lineNo: number) => (lineNo === 7 ? 'amountWon' : undefined);
    const result = await load(await receive(transactionStatement([...numbers(0, 20), 3, 9, 4], spoiled)));
    expect(result).toMatchObject({ lines: 22n, unreadable: 1 });
    expect(await query(database.pool, 'select line_no, field, provider_tid from statement_unreadable')).toEqual([
      { line_no: 7, field: 'amountWon', provider_tid: 'WPON0000000000000005' },
    ]);
    expect(
      await query(database.pool, 'select line_no, provider_tid, cancel_seq from statement_suspect order by line_no'),
    ).toEqual([
      { line_no: 22, provider_tid: 'WPON0000000000000003', cancel_seq: 0 },
      { line_no: 23, provider_tid: 'WPON0000000000000008', cancel_seq: 1 },
      { line_no: 24, provider_tid: 'WPON0000000000000004', cancel_seq: 0 },
    ]);
  });

  it('keeps the pay-in days of a settlement', async () => {
    const settlement = { provider: 'welcome-online', stage: 'settlement', on: statementDay } as const;
    const kept = await archive.keep(settlementStatement([4, 4, 5]));
    const identity = { ...settlement, fileName: 'WP_ON_STL_20261120.dat' };
    const receipt = { source: 'folder', who: 'tester' } as const;
    const { statementId } = await registerStatement(database.pool, identity, kept, receipt);
    const result = await load(statementId);
    expect(result).toMatchObject({ lines: 3n, amountWon: 3000n, feeWon: 60n, vatWon: 6n, netWon: 2934n });
    await finish(result);
    const { rows } = await database.pool.query(
      'select pay_in_on, lines, amount_won, fee_won, vat_won, net_won from statement_pay_in order by pay_in_on',
    );
    expect(rows).toEqual([
      { pay_in_on: '2026-11-24', lines: 2n, amount_won: 2000n, fee_won: 40n, vat_won: 4n, net_won: 1956n },
      { pay_in_on: '2026-11-25', lines: 1n, amount_won: 1000n, fee_won: 20n, vat_won: 2n, net_won: 978n },
    ]);
  });

  it('says that the original was changed, and keeps nothing', async () => {
    const id = await receive(transactionStatement(numbers(0, 20)));
    const { sha256 } = await findStatement(database.pool, id);
    await rm(path.join(folder, sha256.slice(0, 2), sha256));
    await expect(load(id)).rejects.toMatchObject({ code: 'archive_damaged' });
    expect(await stored()).toEqual({ lines: 0n, loads: 0n });
  });
});

describe('a corrected file', () => {
  it('supersedes the one before it; the lines of both stand side by side', async () => {
    const first = await receive(transactionStatement(numbers(0, 20)));
    await finish(await load(first));
    const second = await receive(transactionStatement(numbers(0, 30)));
    const result = await load(second);
    expect(await visible()).toMatchObject({ loads: 1, lines: 20n });
    await finish(result);
    expect(await visible()).toMatchObject({ loads: 1, lines: 30n });
    expect(await stored()).toEqual({ lines: 50n, loads: 2n });
    expect([await stateOf(first), await stateOf(second)]).toEqual(['superseded', 'imported']);
  });

  it('that has to be refused takes nothing away', async () => {
    const first = await receive(transactionStatement(numbers(0, 20)));
    await finish(await load(first));
    const before = await visible();
    const withoutTrailer = await Buffer.concat(await Array.fromAsync(transactionStatement(numbers(0, manyLines))));
    const second = await receive([withoutTrailer.subarray(0, -201)]);
    const problem = await load(second).catch((error: unknown) => error);
    expect(problem).toMatchObject({ code: 'statement_trailer_missing' });
    expect(await stored()).toEqual({ lines: 20n, loads: 1n });
    await inTransaction(database.pool, async (tx) => {
      if (isProblem(problem)) await refuseStatement(tx, second, problem);
    });
    expect(await visible()).toEqual(before);
    expect(await findStatement(database.pool, second)).toMatchObject({
      state: 'refused',
      problem: { code: 'statement_trailer_missing' },
    });
    expect(await stateOf(first)).toBe('imported');
  });

  it('that is finished after a later one does not count, and leaves no lines', async () => {
    const first = await receive(transactionStatement(numbers(0, 20)));
    const second = await receive(transactionStatement(numbers(0, 30)));
    const [one, other] = [await load(first), await load(second)];
    await finish(other);
    await finish(one);
    expect(await visible()).toMatchObject({ loads: 1, lines: 30n });
    expect(await stored()).toEqual({ lines: 30n, loads: 1n });
    expect([await stateOf(first), await stateOf(second)]).toEqual(['superseded', 'imported']);
  });
});

/** The archive, of which something happens when a file is read in part. */
const inTheMiddle = (act: () => Promise<unknown>): Archive => ({
  ...archive,
  async *read(kept) {
    let chunks = 0;
    for await (const chunk of archive.read(kept)) {
      yield chunk;
      chunks += 1;
      if (chunks === 20) await act();
    }
  },
});

describe('two runs with the same statement', () => {
  it('that both load it count it once, and the loser leaves nothing', async () => {
    const id = await receive(transactionStatement(numbers(0, 20)));
    const one = await load(id);
    // The other began before the first was loaded, so it did not remove it.
    await query(database.pool, 'update statement_load set finished_at = now() where load_id = $1', [one.loadId]);
    const other = await load(id);
    await query(database.pool, 'update statement_load set finished_at = null where load_id = $1', [one.loadId]);
    await finish(one);
    await finish(other);
    expect(await visible()).toMatchObject({ loads: 1, lines: 20n, distinct: 20n });
    expect(await stored()).toEqual({ lines: 20n, loads: 1n });
  });

  it('of which one removes what the other loaded: the other is told', async () => {
    const id = await receive(transactionStatement(numbers(0, 20)));
    const one = await load(id);
    await beginLoad(database.pool, id, day);
    await expect(finish(one)).rejects.toMatchObject({ code: 'statement_load_overtaken' });
    expect(await visible()).toMatchObject({ loads: 0, lines: 0n });
  });

  it('of which one removes what the other still copies: the other is told, and leaves nothing', async () => {
    const id = await receive(transactionStatement(numbers(0, manyLines)));
    const overtaking = inTheMiddle(() => beginLoad(database.pool, id, day));
    await expect(load(id, overtaking)).rejects.toMatchObject({ code: 'statement_load_overtaken' });
    expect(await stored()).toEqual({ lines: 0n, loads: 1n });
  });
});

describe('a process that is killed', () => {
  it.each(['copying', 'loaded'])(
    'while %s leaves nothing that counts, and the next try counts once',
    async (stopAt) => {
      const id = await receive(transactionStatement(numbers(0, manyLines)));
      const script = path.join(import.meta.dirname, 'load.fixture.ts');
      const child = spawn(process.execPath, [script, database.url, folder, String(id), stopAt], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = await once(child.stdout, 'data');
      expect(String(said)).toBe(`${stopAt}\n`);
      child.kill('SIGKILL');
      await once(child, 'close');
      expect((await stored()).loads).toBe(1n);
      expect(await visible()).toMatchObject({ loads: 0, lines: 0n });
      const result = await load(id);
      await finish(result);
      expect(await visible()).toMatchObject({ loads: 1, lines: BigInt(manyLines), distinct: BigInt(manyLines) });
      expect(await stored()).toEqual({ lines: BigInt(manyLines), loads: 1n });
    },
  );
});

describe('PostgreSQL that goes away in the middle', () => {
  it('is a passing fault; the next try counts once', async () => {
    const id = await receive(transactionStatement(numbers(0, manyLines)));
    const interrupted = inTheMiddle(() => endCopies());
    const fault = await load(id, interrupted).catch((error: unknown) => error);
    expect(isPassingFault(fault)).toBe(true);
    await finish(await load(id));
    expect(await visible()).toMatchObject({ loads: 1, lines: BigInt(manyLines), distinct: BigInt(manyLines) });
    expect((await stored()).lines).toBe(BigInt(manyLines));
  });
});

async function endCopies(): Promise<void> {
  const ended = await query(
    database.pool,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query like 'copy transaction_line%' and state = 'active'`,
  );
  expect(ended.length).toBeGreaterThan(0);
}
