import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { CopyLanes } from './copy-lanes.ts';
import { createPool, query } from './database/pool.ts';

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const trailer = Buffer.from([0xff, 0xff]);
const copy = { sql: 'copy number (n) from stdin (format binary)', header, trailer };
const rowBytes = 10;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
  await database.pool.query('create table number (n int not null)');
});
afterAll(() => database.close());
beforeEach(() => database.pool.query('truncate number'));

/** `count` rows from `from` on. */
function block(from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count * rowBytes);
  for (let row = 0; row < count; row += 1) {
    bytes.writeInt16BE(1, row * rowBytes);
    bytes.writeInt32BE(4, row * rowBytes + 2);
    bytes.writeInt32BE(from + row, row * rowBytes + 6);
  }
  return bytes;
}

async function loaded(): Promise<{ rows: bigint; sum: bigint }> {
  const [row] = await query<{ rows: bigint; sum: bigint }>(
    database.pool,
    'select count(*) as rows, coalesce(sum(n), 0)::bigint as sum from number',
  );
  return row ?? { rows: -1n, sum: -1n };
}

async function backends(): Promise<number[]> {
  const rows = await query<{ pid: number }>(
    database.pool,
    `select pid from pg_stat_activity where datname = current_database() and query like 'copy number%' and state = 'active'`,
  );
  return rows.map(({ pid }) => pid);
}

async function untilBackends(count: number): Promise<number[]> {
  for (let looks = 0; looks < 500; looks += 1) {
    const pids = await backends();
    if (pids.length === count) return pids;
  }
  throw new Error(`there are never ${count} backends`);
}

async function fill(lanes: CopyLanes, blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i += 1) {
    lanes.write(block(i * 10_000, 10_000));
    await lanes.room();
  }
}

const rows = 400_000;
const everything = { rows: BigInt(rows), sum: (BigInt(rows) * BigInt(rows - 1)) / 2n };

describe('blocks over several connections', () => {
  it.each([1, 2, 3])('put every row in once over %i', async (width) => {
    const lanes = await CopyLanes.open(database.pool, width, copy);
    await untilBackends(width);
    await fill(lanes, 40);
    await lanes.end();
    expect(await loaded()).toEqual(everything);
  });

  it('do with one connection where the pool has no more, and never wait for each other', async () => {
    const pool = createPool(database.url, { applicationName: 'narrow', max: 2 });
    const [one, other] = await Promise.all([CopyLanes.open(pool, 2, copy), CopyLanes.open(pool, 2, copy)]);
    await Promise.all([fill(one, 40), fill(other, 40)]);
    await Promise.all([one.end(), other.end()]);
    await pool.end();
    expect((await loaded()).rows).toBe(2n * everything.rows);
  });

  it('leave nothing when they are taken back', async () => {
    const lanes = await CopyLanes.open(database.pool, 2, copy);
    await untilBackends(2);
    await fill(lanes, 10);
    await lanes.abort(new Error('the file ends badly'));
    await untilBackends(0);
    expect(await loaded()).toEqual({ rows: 0n, sum: 0n });
  });

  it('say what PostgreSQL refuses, and can be taken back then', async () => {
    const lanes = await CopyLanes.open(database.pool, 2, copy);
    lanes.write(Buffer.from([0, 7, 0, 0, 0, 0]));
    const filling = async () => {
      // Blocks are still on their way when the refusal arrives.
      await fill(lanes, 400);
      await lanes.end();
    };
    const fault = await filling().catch((error: Error) => error);
    expect(fault).toMatchObject({ code: '22P04' });
    await lanes.abort(fault as Error);
    await untilBackends(0);
  });

  it('say that a connection was lost in the middle', async () => {
    const lanes = await CopyLanes.open(database.pool, 2, copy);
    const [pid] = await untilBackends(2);
    const filling = async () => {
      await fill(lanes, 10);
      await database.pool.query('select pg_terminate_backend($1)', [pid]);
      await fill(lanes, 400);
      await lanes.end();
    };
    const fault = await filling().catch((error: Error) => error);
    expect(fault).toBeInstanceOf(Error);
    await lanes.abort(fault as Error);
    await untilBackends(0);
    await database.pool.query('truncate number');
    const again = await CopyLanes.open(database.pool, 2, copy);
    await fill(again, 40);
    await again.end();
    expect(await loaded()).toEqual(everything);
  });
});
