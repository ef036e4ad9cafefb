import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { Language } from '../kernel/problem.ts';
import { type Archive, openArchive } from '../platform/archive.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { statementCommands } from './statement-commands.ts';
import { refuseStatement } from './statement-store.ts';

let database: TestDatabase;
let folder: string;
let archive: Archive;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-statement-'));
  archive = openArchive(path.join(folder, 'archive'));
  await database.pool.query('truncate statement restart identity cascade');
});
afterEach(() => rm(folder, { recursive: true }));

/** What the command prints. */
async function jeongsan(language: Language, ...words: string[]): Promise<string> {
  let printed = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      printed += chunk;
      done();
    },
  });
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  const context = {
    withDatabase: <T>(work: (pool: TestDatabase['pool']) => Promise<T>) => work(database.pool),
    language,
    who: 'lee',
    signal: new AbortController().signal,
  };
  statementCommands(program, context, () => ({ output, archive }));
  await program.parseAsync(words, { from: 'user' });
  return printed;
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(path.join(folder, name), content);
  return path.join(folder, name);
}

const where = ['--provider', 'welcome-online', '--stage', 'transaction', '--on', '2026-11-20'];

describe('jeongsan statement', () => {
  it('adds by hand, lists and shows', async () => {
    const mail = await file('mail.dat', 'bytes');
    const why = ['--why', '메일로 받음'];
    expect(await jeongsan('ko', 'statement', 'add', mail, ...where, ...why)).toBe(
      'WP_ON_TRX_20261120.dat 1판 (번호 1) 등록했습니다\n',
    );
    expect(await jeongsan('en', 'statement', 'add', mail, ...where, ...why)).toBe(
      'WP_ON_TRX_20261120.dat version 1 (id 1) has these very bytes already; nothing was added\n',
    );
    const corrected = await file('mail.dat', 'other bytes');
    const added = await jeongsan('en', 'statement', 'add', corrected, ...where, ...why, '--by', 'kim', '--json');
    expect(JSON.parse(added)).toEqual({ statementId: 2, version: 2, isNew: true, fileName: 'WP_ON_TRX_20261120.dat' });
    await inTransaction(database.pool, (tx) =>
      refuseStatement(tx, 2, { code: 'not_found', details: { what: 'trailer', id: 7n } }),
    );

    const list = await jeongsan('ko', 'statement', 'list', '--on', '2026-11-20');
    expect(list.split('\n').slice(2, 4)).toEqual([
      expect.stringMatching(/^ {3}1 {2}2026-11-20 {2}welcome-online {2}거래 {2}WP_ON_TRX_20261120.dat .*보관/),
      expect.stringMatching(/^ {3}2 .*거절/),
    ]);
    expect(JSON.parse(await jeongsan('en', 'statement', 'list', ...where.slice(0, 4), '--json'))).toMatchObject([
      { statementId: 1, on: '2026-11-20', version: 1, state: 'archived', reason: '메일로 받음', receivedBy: 'lee' },
      { statementId: 2, version: 2, state: 'refused', problem: { message: 'trailer not found: 7' }, receivedBy: 'kim' },
    ]);
    expect(await jeongsan('en', 'statement', 'list', '--on', '2026-11-21', '--json')).toBe('[]\n');

    const shown = await jeongsan('en', 'statement', 'show', '2');
    expect(shown).toMatch(/Refused because +trailer not found: 7/);
    expect(shown).toMatch(/Original +\/.*\/archive\//);
    expect(JSON.parse(await jeongsan('en', 'statement', 'show', '1', '--json'))).toMatchObject({ statementId: 1 });
  });

  it('says that an original was changed', async () => {
    await jeongsan('en', 'statement', 'add', await file('a.dat', 'bytes'), ...where, '--why', 'mail');
    const { archivePath } = JSON.parse(await jeongsan('en', 'statement', 'show', '1', '--json'));
    await rm(archivePath);
    await writeFile(archivePath, 'BYTES');
    await expect(jeongsan('en', 'statement', 'show', '1')).rejects.toMatchObject({ code: 'archive_damaged' });
  });

  it.each([
    [['add', 'none.dat', ...where, '--why', 'mail'], 'not_found'],
    [['add', 'none.dat', ...where, '--why', ' '], 'usage'],
    [['add', 'none.dat', ...where, '--stage', 'x', '--why', 'mail'], 'usage'],
    [['add', 'none.dat', ...where, '--on', '2026-02-30', '--why', 'mail'], 'usage'],
    [['add', 'none.dat', ...where, '--provider', 'x', '--why', 'mail'], 'usage'],
    [['add', 'none.dat', ...where], 'commander.missingMandatoryOptionValue'],
    [['list', '--stage', 'x'], 'usage'],
    [['show', '0'], 'usage'],
    [['show', '9'], 'not_found'],
  ])('refuses statement %j', async (words, code) => {
    await expect(jeongsan('en', 'statement', ...words)).rejects.toMatchObject({ code });
  });
});
