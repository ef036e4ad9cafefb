import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, open, rename, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ImportOutcome } from '../../src/imports/import-records.ts';
import { openImportSource } from '../../src/imports/import-source.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { approval, capture, paymentsCsv } from '../support/payment-lines.ts';

const records = 40_000;
const processFile = join(import.meta.dirname, '../support/import-process.ts');
let database: TestDatabase;
let folder: string;
let file: string;
let csv: string;

beforeAll(async () => {
  database = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'jeongsan-import-'));
  file = join(folder, 'payments.csv');
  csv = paymentsCsv(
    Array.from({ length: records / 2 }, (_, i) => [
      approval({ providerTid: `T${i}` }),
      capture({ providerTid: `T${i}` }),
    ]).flat(),
  );
  writeFileSync(file, csv);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
});
beforeEach(async () => {
  await database.pool.query('truncate payment, capture, import cascade');
});

/** An import in a process of its own, and the lines that it says. */
class Importing {
  readonly said: string[] = [];
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly ended: Promise<unknown>;
  #heard: Promise<unknown> = Promise.resolve();

  constructor(from: string) {
    this.child = spawn(process.execPath, [processFile, database.url, from], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = once(this.child, 'close');
    // A process that was killed no longer reads what it is sent.
    this.child.stdin.on('error', () => {});
    const lines = createInterface({ input: this.child.stdout });
    lines.on('line', (line) => this.said.push(line));
    this.#heard = once(lines, 'close');
  }

  async until(phase: string): Promise<void> {
    await eventually(() => this.said.includes(phase));
  }

  async outcome(): Promise<string> {
    await Promise.all([this.ended, this.#heard]);
    return this.said.at(-1) ?? '';
  }
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 2000) throw new Error('never came about');
    await wait(10);
  }
}

async function count(sql: string): Promise<number> {
  const { rows } = await database.pool.query<{ count: bigint }>(sql);
  return Number(rows[0]?.count);
}

/** Nothing of an import, not even the backend that worked for it. */
async function expectNothing(): Promise<void> {
  await eventually(
    async () => (await count(`select count(*) from pg_stat_activity where application_name = 'import-process'`)) === 0,
  );
  for (const table of ['import', 'import_refusal', 'payment', 'capture', 'payment_total', 'capture_total']) {
    expect([table, await count(`select count(*) from ${table}`)]).toEqual([table, 0]);
  }
}

async function expectAll(): Promise<void> {
  expect(await count('select count(*) from payment')).toBe(records / 2);
  expect(await count('select count(*) from capture')).toBe(records / 2);
  expect(await count('select sum(payments) as count from payment_total')).toBe(records / 2);
}

/** What keeps an import waiting, so that it is surely in that phase. */
const obstacles = [
  ['checking', `select pg_advisory_lock(hashtext('jeongsan:import:payments'))`],
  ['adding', 'begin; lock table payment_total in share mode'],
] as const;

/** Starts an import of the file and runs `work` while it waits for what `obstacle` holds. */
async function whileWaiting(obstacle: string, work: (importing: Importing) => Promise<void>): Promise<void> {
  const holder = await database.pool.connect();
  try {
    await holder.query(obstacle);
    const importing = new Importing(file);
    const waits = `select count(*) from pg_stat_activity where application_name = 'import-process' and wait_event_type = 'Lock'`;
    await eventually(async () => (await count(waits)) > 0);
    await work(importing);
  } finally {
    holder.release(true);
  }
}

describe('an import that is killed (SIGKILL) leaves nothing, and the next one brings everything', () => {
  test.each(obstacles)('while %s', async (phase, obstacle) => {
    await whileWaiting(obstacle, async (killed) => {
      await killed.until(phase);
      killed.child.kill('SIGKILL');
      await killed.ended;
    });
    await expectNothing();
    expect(await new Importing(file).outcome()).toBe(`added ${records}, same 0, refused 0`);
    await expectAll();
  });

  test('while standard input still comes', async () => {
    const killed = new Importing('-');
    killed.child.stdin.write(csv.slice(0, csv.length / 2));
    await killed.until('reading');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await expectNothing();
  });
});

test('standard input is imported like a file', async () => {
  const importing = new Importing('-');
  importing.child.stdin.end(csv);
  expect(await importing.outcome()).toBe(`added ${records}, same 0, refused 0`);
  await expectAll();
});

describe('a database that goes away is named, and nothing of the import stays', () => {
  const endBackends = `select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where application_name = 'import-process'`;

  test('while reading', async () => {
    const importing = new Importing('-');
    importing.child.stdin.write(csv.slice(0, csv.length / 2));
    await importing.until('reading');
    expect(await count(endBackends)).toBe(1);
    importing.child.stdin.end(csv.slice(csv.length / 2));
    expect(await importing.outcome()).toMatch(/^database_unreachable: /);
    await expectNothing();
  });

  test.each(obstacles)('while %s', async (phase, obstacle) => {
    await whileWaiting(obstacle, async (importing) => {
      await importing.until(phase);
      expect(await count(endBackends)).toBe(1);
      expect(await importing.outcome()).toMatch(/^database_unreachable: /);
    });
    await expectNothing();
    expect(await new Importing(file).outcome()).toBe(`added ${records}, same 0, refused 0`);
    await expectAll();
  });
});

describe('a file that changes while it is read is refused', () => {
  /** An import of the file, to which `change` happens when a part of it has been read. */
  async function changedOnTheWay(path: string, change: () => Promise<void>): Promise<ImportOutcome> {
    await writeFile(path, csv);
    const source = await openImportSource(path);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      let changed = false;
      for await (const chunk of source.bytes) {
        yield chunk;
        if (!changed) await change();
        changed = true;
      }
    }
    return importPayments(database.pool, { ...source, bytes: bytes() }, { who: 'tester', providers: ['ksnet'] });
  }

  async function overwriteOneByte(path: string): Promise<void> {
    const handle = await open(path, 'r+');
    await handle.write('a', 0);
    await handle.close();
  }

  test.each<[string, (path: string) => Promise<void>]>([
    ['it grows', (path) => appendFile(path, 'approval')],
    ['it is cut', (path) => truncate(path, csv.length / 2)],
    ['it is overwritten', overwriteOneByte],
  ])('%s', async (_, change) => {
    const path = join(folder, 'changing.csv');
    await expect(changedOnTheWay(path, () => change(path))).rejects.toMatchObject({ code: 'file_changed_while_read' });
    await expectNothing();
  });

  test('but one that is put in its place is another file: what was opened goes in', async () => {
    const path = join(folder, 'replaced.csv');
    await writeFile(`${path}.new`, paymentsCsv([approval({ providerTid: 'NEW' })]));
    const outcome = await changedOnTheWay(path, () => rename(`${path}.new`, path));
    expect(outcome).toMatchObject({ added: records, refused: 0 });
  });
});

test.each([
  ['no such file', () => join(folder, 'missing.csv'), 'ENOENT'],
  ['a folder', () => folder, 'EISDIR'],
])('a file that cannot be read is named: %s', async (_, path, reason) => {
  await expect(openImportSource(path())).rejects.toMatchObject({ code: 'import_file_unreadable', details: { reason } });
});
