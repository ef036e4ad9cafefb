import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { startFaultySftpServer } from '../../test/support/faulty-sftp-server.ts';
import { type Archive, openArchive } from '../platform/archive.ts';
import { inTransaction, query } from '../platform/database/pool.ts';
import { openSource } from '../platform/open-source.ts';
import type { Source } from '../platform/source.ts';
import { addStatementByHand, type Collected, collectStatements, statementSpec } from './collect.ts';
import type { StageDay } from './stage-sql.ts';
import { listStatements } from './statement-list-store.ts';
import { findStatement, refuseStatement } from './statement-store.ts';

const on = Temporal.PlainDate.from('2026-11-20');
const now = Temporal.Instant.from('2026-11-21T08:00:00+09:00');
const online = { provider: 'welcome-online', stage: 'transaction', on } as const;
const perMid = { provider: 'ksnet', stage: 'transaction', on } as const;
const onlineFile = 'WP_ON_TRX_20261120.dat';
const stable = statementSpec(online.provider, online.stage).complete;
const restSeconds = stable.kind === 'stable' ? stable.seconds : 0;

let database: TestDatabase;
let home: string;
let inbox: string;
let archive: Archive;
let source: Source;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'jeongsan-collect-'));
  inbox = await mkdtemp(path.join(home, 'inbox-'));
  archive = openArchive(path.join(home, 'archive'));
  source = openSource({ kind: 'folder', folder: inbox });
  await database.pool.query('truncate statement, statement_sight, import restart identity cascade');
});
afterEach(() => rm(home, { recursive: true }));

/** Puts a file that was last written to so many seconds before `now`. */
async function put(name: string, content: string, secondsAgo = 3600): Promise<void> {
  await writeFile(path.join(inbox, name), content);
  const at = new Date(now.epochMilliseconds - secondsAgo * 1000);
  await utimes(path.join(inbox, name), at, at);
}

function collect(day: StageDay, later = 0, from = source): Promise<Collected> {
  const at = now.add({ seconds: later });
  return collectStatements({ pool: database.pool, source: from, archive, ...day, who: 'tester', now: at });
}

async function ourMids(mids: readonly string[]): Promise<void> {
  const [row] = await query<{ import_id: bigint }>(
    database.pool,
    `insert into import (kind, file_name, imported_by) values ('payments', 'p', 'tester') returning import_id`,
  );
  await query(
    database.pool,
    `insert into payment_total (provider, traded_on, mid, import_id, payments, approved_won, cancelled_won)
     select 'ksnet', '2026-11-20', mid, $1, 1, 1000, 0 from unnest($2::text[]) mid`,
    [row?.import_id, mids],
  );
}

const nothing: Collected = { statements: [], waiting: [], missing: [], refused: [] };

describe('collecting one file', () => {
  it('takes the file of the day, keeps its bytes and says whence it came', async () => {
    await put(onlineFile, 'bytes');
    await put('WP_ON_TRX_20261119.dat', 'another day');
    await put('WP_ON_STL_20261120.dat', 'another stage');
    await put('readme.txt', 'no statement');
    const { statements, ...rest } = await collect(online);
    expect(rest).toEqual({ waiting: [], missing: [], refused: [] });
    expect(statements).toHaveLength(1);
    const statement = await findStatement(database.pool, statements[0] ?? 0);
    expect(statement).toMatchObject({
      fileName: onlineFile,
      version: 1,
      bytes: 5,
      source: 'folder',
      receivedBy: 'tester',
    });
    await archive.verify(statement);
    expect(await listStatements(database.pool, {}, 10)).toEqual([statement]);
  });

  it('names the file that is not there, in a folder that is not there either', async () => {
    expect(await collect(online)).toEqual({ ...nothing, missing: [onlineFile] });
    const nowhere = openSource({ kind: 'folder', folder: path.join(inbox, 'none') });
    expect(await collect(online, 0, nowhere)).toEqual({ ...nothing, missing: [onlineFile] });
  });

  it('does nothing for a file it has, and does not even read it again', async () => {
    await put(onlineFile, 'bytes');
    const first = await collect(online);
    // A file of the same size and time is the same file: these bytes would be another version if they were read.
    await put(onlineFile, 'BYTES');
    expect(await collect(online)).toEqual(first);
    expect(await listStatements(database.pool, {}, 10)).toHaveLength(1);
  });

  it('takes bytes that come back after a correction as the newest version', async () => {
    await put(onlineFile, 'good');
    await collect(online);
    await put(onlineFile, 'bad', 3000);
    const { statements } = await collect(online);
    const refused = { code: 'statement_empty', details: { file: onlineFile } } as const;
    await inTransaction(database.pool, (tx) => refuseStatement(tx, statements[0] ?? 0, refused));
    expect(await collect(online)).toMatchObject({ refused: [onlineFile] });
    await put(onlineFile, 'good', 2000);
    expect(await collect(online)).toMatchObject({ refused: [] });
    const versions = await listStatements(database.pool, {}, 10);
    expect(versions.map(({ version, sha256 }) => [version, sha256 === versions[0]?.sha256])).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
  });

  it('leaves what a person brought when the provider sends again what it had sent', async () => {
    await put(onlineFile, 'theirs');
    await collect(online);
    const file = path.join(home, onlineFile);
    const byHand = { pool: database.pool, archive, ...online, file, who: 'kim', why: 'sent by mail' };
    await writeFile(file, 'corrected');
    await addStatementByHand(byHand);
    await put(onlineFile, 'theirs', 1800);
    const { statements } = await collect(online);
    expect(await findStatement(database.pool, statements[0] ?? 0)).toMatchObject({ version: 2, source: 'hand' });
    await writeFile(file, 'theirs');
    expect(await addStatementByHand(byHand)).toMatchObject({ version: 3, isNew: true });
  });

  it('does nothing for the same bytes written again', async () => {
    await put(onlineFile, 'bytes');
    const first = await collect(online);
    await put(onlineFile, 'bytes', 1800);
    expect(await collect(online)).toEqual(first);
    expect(await listStatements(database.pool, {}, 10)).toHaveLength(1);
  });

  it('makes corrected bytes the next version of the same file', async () => {
    await put(onlineFile, 'bytes');
    const [first] = (await collect(online)).statements;
    await put(onlineFile, 'corrected bytes', 1800);
    const { statements } = await collect(online);
    expect(statements).toHaveLength(1);
    expect(await findStatement(database.pool, statements[0] ?? 0)).toMatchObject({ version: 2, state: 'archived' });
    const because = { code: 'file_changed_while_read', details: { file: onlineFile } } as const;
    await inTransaction(database.pool, (tx) => refuseStatement(tx, statements[0] ?? 0, because));
    expect(await collect(online)).toEqual({ ...nothing, statements: [first], refused: [onlineFile] });
  });
});

describe('a file that is still growing', () => {
  it('is not taken before it has rested', async () => {
    await put(onlineFile, 'half', restSeconds - 1);
    expect(await collect(online)).toEqual({ ...nothing, waiting: [onlineFile] });
    expect((await collect(online, 1)).statements).toHaveLength(1);
  });

  it('is not taken before it has rested under our eyes where its clock runs ahead', async () => {
    await put(onlineFile, 'half', -3600);
    expect((await collect(online)).waiting).toEqual([onlineFile]);
    await put(onlineFile, 'half and more', -3600);
    expect((await collect(online, restSeconds - 1)).waiting).toEqual([onlineFile]);
    expect((await collect(online, 2 * restSeconds - 2)).waiting).toEqual([onlineFile]);
    expect((await collect(online, 2 * restSeconds - 1)).statements).toHaveLength(1);
  });

  it('is begun again when it changes while it is read, and left when it keeps changing', async () => {
    await put(onlineFile, 'first');
    let changes = 1;
    const restless: Source = {
      kind: 'folder',
      name: inbox,
      list: () => source.list(),
      stat: (name) => source.stat(name),
      read: async function* (file) {
        if (changes > 0) await put(onlineFile, `change ${changes}`, 3600 - changes);
        changes -= 1;
        yield* source.read(file);
      },
      close: () => source.close(),
    };
    const [id] = (await collect(online, 0, restless)).statements;
    expect(await findStatement(database.pool, id ?? 0)).toMatchObject({ version: 1, bytes: 'change 1'.length });
    changes = 100;
    await put(onlineFile, 'restless', 60);
    expect((await collect(online, 0, restless)).waiting).toEqual([onlineFile]);
    expect(await readdir(path.join(home, 'archive', 'incoming'))).toEqual([]);
  });
});

describe('two runs that collect at once', () => {
  it('do not let the bytes of before a correction come after it', async () => {
    await put(onlineFile, 'first', 7200);
    const overtaken: Archive = {
      ...archive,
      async keep(chunks) {
        const kept = await archive.keep(chunks);
        await put(onlineFile, 'corrected', 3600);
        expect((await collect(online)).statements).toHaveLength(1);
        return kept;
      },
    };
    await collectStatements({ pool: database.pool, source, archive: overtaken, ...online, who: 'tester', now });
    const { rows } = await database.pool.query('select version, bytes from statement order by version');
    expect(rows).toEqual([{ version: 1, bytes: 9n }]);
  });
});

describe('one file per MID with a done-marker', () => {
  const nameOf = (mid: string) => `KSNET_TRX_${mid}_20261120.csv`;

  it.each([
    // marker written, seconds after the file; what happens
    ['none', undefined, 'waiting'],
    ['its own', 5, 'taken'],
    ['in the same moment', 0, 'taken'],
    ["an earlier version's", -5, 'waiting'],
  ])('marker: %s', async (_, secondsAfter, outcome) => {
    await put(nameOf('A1'), 'bytes', 10);
    if (secondsAfter !== undefined) await put(`${nameOf('A1')}.done`, '', 10 - secondsAfter);
    const { statements, waiting } = await collect(perMid);
    expect(waiting.length > 0 ? 'waiting' : statements.length > 0 ? 'taken' : 'nothing').toBe(outcome);
  });

  it("takes a corrected file under an earlier version's marker once it has rested", async () => {
    await put(nameOf('A1'), 'bytes', 3600);
    await put(`${nameOf('A1')}.done`, '', 3600);
    await collect(perMid);
    await put(nameOf('A1'), 'corrected', 10);
    expect((await collect(perMid)).waiting).toEqual([nameOf('A1')]);
    expect(await collect(perMid, 60)).toMatchObject({ waiting: [], statements: [expect.any(Number)] });
  });

  it('names the MIDs of ours whose file is not there, and takes MIDs that we do not know', async () => {
    await ourMids(['A1', 'A2', 'A3']);
    for (const mid of ['A1', 'B9']) {
      await put(nameOf(mid), `bytes of ${mid}`);
      await put(`${nameOf(mid)}.done`, '');
    }
    await put(nameOf('A3'), 'growing');
    expect(await collect(perMid)).toEqual({
      statements: [expect.any(Number), expect.any(Number)],
      waiting: [nameOf('A3')],
      missing: [nameOf('A2')],
      refused: [],
    });
    await addStatementByHand({ ...byHand(perMid), file: await local(nameOf('A2')) });
    expect((await collect(perMid)).missing).toEqual([]);
  });

  it('misses a file although no record of ours names a MID', async () => {
    expect(await collect(perMid)).toEqual({ ...nothing, missing: [nameOf('{mid}')] });
    await put(nameOf('A1'), 'unheard of');
    expect((await collect(perMid)).missing).toEqual([]);
  });
});

describe('over SFTP', () => {
  it('collects like from a folder, and downloads once', async () => {
    await put(onlineFile, 'bytes');
    const server = await startFaultySftpServer(inbox);
    const remote = openSource(server.address);
    const [id] = (await collect(online, 0, remote)).statements;
    expect(await findStatement(database.pool, id ?? 0)).toMatchObject({ source: 'sftp', bytes: 5, version: 1 });
    expect((await collect(online, 0, remote)).statements).toEqual([id]);
    expect(server.seen.servedBytes).toBe(5);
    await remote.close();
    await server.close();
  });
});

const byHand = (day: StageDay) => ({ pool: database.pool, archive, ...day, who: 'kim', why: 'came by mail' });

async function local(name: string): Promise<string> {
  const file = path.join(home, name);
  await writeFile(file, 'bytes by hand');
  return file;
}

describe('adding by hand', () => {
  it('keeps who and why; under its own name or as the one file that the day has', async () => {
    const added = await addStatementByHand({ ...byHand(online), file: await local('Re_ 정산파일 (1).dat') });
    expect(added).toEqual({ statementId: expect.any(Number), version: 1, isNew: true, fileName: onlineFile });
    expect(await findStatement(database.pool, added.statementId)).toMatchObject({
      source: 'hand',
      receivedBy: 'kim',
      reason: 'came by mail',
      state: 'archived',
    });
    const again = await addStatementByHand({ ...byHand(online), file: await local(onlineFile) });
    expect(again).toEqual({ ...added, isNew: false });
    expect((await collect(online)).statements).toEqual([added.statementId]);
  });

  it.each([
    ['a file that is not there', online, 'none.dat', 'not_found'],
    ["another day's file", online, 'WP_ON_TRX_20261119.dat', 'statement_file_name'],
    ['a file that does not say its MID', perMid, 'ksnet.csv', 'statement_file_name'],
    ['a stage that the provider does not have', { ...online, stage: 'capture' } as const, onlineFile, 'not_found'],
  ])('refuses %s', async (_, day, name, code) => {
    const file = name === 'none.dat' ? name : await local(name);
    await expect(addStatementByHand({ ...byHand(day), file })).rejects.toMatchObject({ code });
  });
});
