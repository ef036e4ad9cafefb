import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { createLog } from '../log.ts';
import { Secret } from '../secret.ts';
import { openDatabase } from './database.ts';
import { migrationFolder, readMigrations } from './migrate.ts';
import { query } from './pool.ts';
import { findFreePort } from './server-process.ts';

const log = createLog({ logLevel: 'silent' });
const open = (url: string) => openDatabase({ home: '/nowhere', databaseUrl: new Secret(url) }, log, { max: 1 });

let empty: TestDatabase;
beforeAll(async () => {
  empty = await testDatabase({ empty: true });
});
afterAll(() => empty.close());

test('a database that was given is brought to the schema, through a single connection', async () => {
  const database = await open(empty.url);
  onTestFinished(() => database.close());
  expect(database).toMatchObject({ url: empty.url, embedded: false });
  const [row] = await query(database.pool, 'select count(*) as applied from schema_migration');
  expect(row).toEqual({ applied: BigInt((await readMigrations(migrationFolder)).length) });
});

test('a server that cannot be reached is named without its password', async () => {
  const opening = open(`postgres://someone:hunter2@127.0.0.1:${await findFreePort()}/x`);
  await expect(opening).rejects.toMatchObject({
    code: 'database_unreachable',
    details: { reason: expect.stringContaining('ECONNREFUSED') },
    message: expect.not.stringContaining('hunter2'),
  });
});

test('a server that hangs up, and a password that is wrong, are named', async () => {
  const hangsUp = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => hangsUp.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void hangsUp.close());
  const { port } = hangsUp.address() as { port: number };
  await expect(open(`postgres://a:b@127.0.0.1:${port}/x`)).rejects.toMatchObject({ code: 'database_unreachable' });
  const guessed = new URL(empty.url);
  guessed.password = 'guessed';
  await expect(open(guessed.href)).rejects.toMatchObject({ code: 'database_unreachable' });
});
