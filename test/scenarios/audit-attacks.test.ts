import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { entriesFrom, verifyChain } from '../../src/audit/chain-store.ts';
import { auditCommands } from '../../src/audit/commands.ts';
import { parseHead } from '../../src/audit/entry.ts';
import { recordAct } from '../../src/audit/store.ts';
import { inTransaction } from '../../src/platform/database/pool.ts';
import { runCommand } from '../support/commands.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const verifier = path.join(import.meta.dirname, '../../examples/independent-check/audit.mjs');
const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-audit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let database: TestDatabase;
let head = '';
beforeEach(async () => {
  database = await testDatabase();
  for (let n = 1; n <= 10; n += 1) {
    await recordAct(database.pool, {
      actor: {
        who: n === 4 ? '홍길동@pg.example' : 'kim@pg.example',
        from: '203.0.113.7',
        ...(n % 2 ? { key: 'k' } : {}),
      },
      act: 'payouts.approve',
      subject: `payout:${n}`,
      outcome: 'done',
      ...(n % 3 ? { reason: '확인함, "ok"\n' } : {}),
      detail: { amountWon: 90_071_992_547_409_931n },
    });
  }
  const found = await verifyChain(database.pool);
  head = `${found.head.number}:${found.head.hash}`;
});
afterEach(() => database.close());

/** What a superuser who knows how can do: nothing in the database stops it. */
const asSuperuser = (sql: string) =>
  database.pool.query(`alter table audit_entry disable trigger user; ${sql}; alter table audit_entry enable always trigger audit_entry_sealed;
    alter table audit_entry enable always trigger audit_entry_append_only`);

/** The chain written anew from an entry on, as only somebody can who knows its form. */
const rewriteFrom = (number: number) => `do $$ declare e audit_entry; prior bytea; begin
  for e in select * from audit_entry where number >= ${number} order by number loop
    select hash into prior from audit_entry where number = e.number - 1;
    e.previous_hash := coalesce(prior, e.previous_hash);
    update audit_entry set previous_hash = e.previous_hash, hash = sha256(audit_bytes(e)) where number = e.number;
  end loop; end $$`;

const swap = `update audit_entry set number = -3 where number = 3; update audit_entry set number = 3 where number = 4;
  update audit_entry set number = 4 where number = -3`;

const attacks: readonly {
  readonly what: string;
  readonly sql: string;
  /** What is found without the head that was noted, and with it. */
  readonly fault?: { readonly number: number; readonly kind: string };
  readonly offline: string;
}[] = [
  {
    what: 'a row is edited',
    sql: `update audit_entry set who = 'lee' where number = 5`,
    fault: { number: 5, kind: 'altered' },
    offline: 'entry 5: is not what was written',
  },
  {
    what: 'an amount is edited',
    sql: `update audit_entry set detail = '{"amountWon":"1"}' where number = 5`,
    fault: { number: 5, kind: 'altered' },
    offline: 'entry 5: is not what was written',
  },
  {
    what: 'its hash is made to fit',
    sql: `update audit_entry e set who = 'lee' where number = 5; update audit_entry e set hash = sha256(audit_bytes(e)) where number = 5`,
    fault: { number: 6, kind: 'unlinked' },
    offline: 'entry 6: does not follow entry 5',
  },
  {
    what: 'two rows are swapped',
    sql: `alter table audit_entry drop constraint audit_entry_number_check; ${swap}`,
    fault: { number: 3, kind: 'altered' },
    offline: 'entry 3: is not what was written',
  },
  {
    what: 'a row is deleted',
    sql: 'delete from audit_entry where number = 5',
    fault: { number: 6, kind: 'missing_before' },
    offline: 'entry 6: entries before it are missing, after 4',
  },
  {
    what: 'the first row is deleted',
    sql: 'delete from audit_entry where number = 1',
    fault: { number: 2, kind: 'missing_before' },
    offline: 'entry 2: entries before it are missing, after 0',
  },
  {
    what: 'one is inserted between',
    sql: `update audit_entry set number = number + 100 where number > 5;
     update audit_entry set number = number - 99 where number > 100;
     insert into audit_entry select 6, at, who, origin, by_key, act, 'payout:99', outcome, reason, detail, 99, hash, hash from audit_entry where number = 5`,
    fault: { number: 6, kind: 'altered' },
    offline: 'entry 6: is not what was written',
  },
  {
    what: 'the last rows are deleted',
    sql: 'delete from audit_entry where number > 8',
    offline: 'entry 10 with the hash that was noted is not in it',
  },
  {
    what: 'the chain is written anew',
    sql: `update audit_entry set who = 'lee' where number = 5; ${rewriteFrom(5)}`,
    offline: 'entry 10 with the hash that was noted is not in it',
  },
  {
    what: 'all is deleted',
    sql: 'delete from audit_entry',
    offline: 'entry 10 with the hash that was noted is not in it',
  },
];

async function offline(): Promise<{ status: number | null; said: string }> {
  const file = path.join(folder, 'audit.ndjson');
  const { said } = await runCommand(database.pool, ['audit', 'export'], auditCommands);
  writeFileSync(file, said);
  const { status, stdout, stderr } = spawnSync(process.execPath, [verifier, file, '--head', head], {
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}`.trim() };
}

test('an untouched trail is sound, by the product and without it', async () => {
  const { said, exitCode } = await runCommand(database.pool, ['audit', 'verify', '--head', head], auditCommands);
  expect([exitCode, said]).toEqual([0, expect.stringContaining('sound: 10 entries')]);
  expect(said).toContain(head);
  expect(await offline()).toEqual({ status: 0, said: `sound: 10 entries, head ${head}` });
});

test.each(attacks)('$what', async ({ sql, fault, offline: expected }) => {
  await asSuperuser(sql);
  const alone = await verifyChain(database.pool);
  expect([alone.sound, alone.fault]).toEqual([fault === undefined, fault]);
  const noted = await verifyChain(database.pool, { noted: parseHead(head) });
  expect([noted.sound, noted.noted]).toEqual([false, fault === undefined ? 'gone' : undefined]);
  expect((await runCommand(database.pool, ['audit', 'verify', '--head', head], auditCommands)).exitCode).toBe(1);
  expect(await offline()).toMatchObject({ status: 1, said: expect.stringContaining(expected) });
});

test('an export that was changed on its way is found out, line by line', async () => {
  await offline();
  const file = path.join(folder, 'audit.ndjson');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const check = (text: string, ...more: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [verifier, '-', ...more], {
      encoding: 'utf8',
      input: text,
    });
    return [status, `${stdout}${stderr}`.split('\n')[0]];
  };
  for (const [n, line] of lines.entries()) {
    for (const [name, value] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
      const other = typeof value === 'number' ? value + 1 : value === null ? 'x' : `${String(value)} `;
      const changed = lines.with(n, JSON.stringify({ ...JSON.parse(line), [name]: other }));
      expect(check(changed.join('\n'))[0], `${name} of line ${n + 1}`).toBe(1);
      if (n > 0) break;
    }
  }
  // The second half of an export, after the head of the first.
  const fifth = JSON.parse(lines[4] ?? '') as { number: number; hash: string };
  expect(check(lines.slice(5).join('\n'), '--after', `${fifth.number}:${fifth.hash}`, '--head', head)).toEqual([
    0,
    `sound: 5 entries, head ${head}`,
  ]);
  expect(check(lines.slice(5).join('\n'))[0]).toBe(1);
});

test('a trigger that was switched off, and what it left, is told', async () => {
  await database.pool.query('alter table audit_draft disable trigger audit_draft_entered');
  await recordAct(database.pool, { actor: { who: 'lee', from: 'x' }, act: 'a', subject: 'b', outcome: 'done' });
  expect(await verifyChain(database.pool)).toMatchObject({
    sound: false,
    drafts: 1,
    unguarded: ['audit_draft_entered'],
  });
});

test('twenty writers at once, some of whom give up, leave one chain without a gap', async () => {
  const write = (n: number) =>
    inTransaction(database.pool, async (tx) => {
      const act = { actor: { who: `w${n}`, from: 'x' }, act: 'a', subject: `${n}`, outcome: 'done' as const };
      await recordAct(tx, act);
      await tx.query('select pg_sleep(random() * 0.005)');
      await recordAct(tx, act);
      if (n % 5 === 0) throw new Error('gives up');
    });
  const ends = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => write(n)));
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(80);
  expect(await verifyChain(database.pool)).toMatchObject({ sound: true, entries: 170 });
});

test('a clock that steps back changes neither order nor proof', async () => {
  await database.pool.query(`insert into audit_draft (at, who, origin, act, subject, outcome, detail)
    values ('2020-01-01T00:00:00.000001Z', 'lee', 'x', 'a', 'b', 'done', '{}')`);
  await recordAct(database.pool, { actor: { who: 'lee', from: 'x' }, act: 'a', subject: 'c', outcome: 'done' });
  const [batch = []] = await Array.fromAsync(entriesFrom(database.pool, 11));
  expect(batch.map(({ number, subject }) => [number, subject])).toEqual([
    [11, 'b'],
    [12, 'c'],
  ]);
  expect(batch[0]?.at).toBe('2020-01-01T00:00:00.000001Z');
  expect(await verifyChain(database.pool, { noted: parseHead(head) })).toMatchObject({ sound: true, noted: 'there' });
});
