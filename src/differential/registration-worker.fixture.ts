// A process that registers a day with Welcome, to be killed by killed-registration.test.ts. Its clock goes on whenever it is
// waited for; the card companies accept what stands in the folder by then. Prints what the day came to.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openArchive } from '../platform/archive.ts';
import { createPool, type PoolClient } from '../platform/database/pool.ts';
import { createDurable } from '../platform/durable/durable.ts';
import { openRemoteFolder } from '../platform/open-remote-folder.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import { welcome } from '../providers/differential/welcome.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';
import { registerRegistrations } from './registration-workflow.ts';

const { DATABASE_URL: databaseUrl = '', FOLDER: folder = '', DIE_BEFORE: dieBefore, DIE_AFTER: dieAfter } = process.env;
const on = '2026-11-20';
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;
let counting = false;

/** Dies before, or the moment it is done, the first act of that name: a statement, a word with the provider, a wait. */
async function act<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (counting && dieBefore === name) process.kill(process.pid, 'SIGKILL');
  const value = await work();
  if (counting && dieAfter === name) process.kill(process.pid, 'SIGKILL');
  return value;
}

const pool = createPool(databaseUrl, { applicationName: 'worker' });
pool.on('connect', (client: PoolClient) => {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  // Streams and the pool's own `query`, which calls with a callback, are left alone.
  const own = (...args: unknown[]) =>
    typeof args.at(-1) === 'function' || typeof (args[0] as { submit?: unknown }).submit === 'function'
      ? (query(...args) as never)
      : act(nameOf(String(args[0])), () => query(...args));
  Object.assign(client, { query: own });
});

/** `update claim_file`, `insert claim_file`: what a statement does, in two words. */
function nameOf(sql: string): string {
  const [, verb, table] = /^\s*(insert|update)\s+(?:into\s+)?(\w+)/.exec(sql) ?? [];
  return verb === undefined ? (sql.trim().split(/\s/)[0] ?? '') : `${verb} ${table}`;
}

function remote(): RemoteFolder {
  const own = openRemoteFolder({ kind: 'folder', folder });
  return {
    ...{ kind: own.kind, name: own.name },
    stat: (at) => own.stat(at),
    put: (at, content) => act('put', () => own.put(at, content)),
    rename: (from, to) => act('rename', () => own.rename(from, to)),
    list: (at) => act('list', () => own.list(at)),
    read: (at, file) => own.read(at, file),
    close: () => own.close(),
  };
}

function acceptWhatIsThere(): void {
  const { request, answers } = welcome.differential.registration;
  const [asked, answered] = ['req', 'res'].map((kind) =>
    path.join(folder, kind, `reg_welcome_1248100998_20261120_${kind}`),
  );
  if (asked === undefined || answered === undefined || !existsSync(asked) || existsSync(answered)) return;
  const head = { on: Temporal.PlainDate.from(on), biz: '1248100998' };
  const expected = { ...head, provider: 'welcome', fileName: path.basename(asked) };
  const { rows } = decodeExchange(request.layout, expected, readFileSync(asked));
  const lines = rows.map(({ action, acquirer, merchantId, finalNo }) => ({
    ...{ action, acquirer, merchantId, finalNo },
    code: '00',
  }));
  writeFileSync(`${answered}.part`, encodeExchange(answers.layout, head, lines));
  renameSync(`${answered}.part`, answered);
}

let now = Temporal.Instant.from(`${on}T10:00:00+09:00`);
const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs: 2_000, takeOverEveryMs: 50 });
const registrations = registerRegistrations(durable, {
  pool,
  log,
  archive: openArchive(path.join(folder, 'archive')),
  providers: [welcome],
  remote,
  businessNo: () => '1248100998',
  clock: {
    now: () => now,
    waitUntil: (instant) =>
      act('wait', async () => {
        if (Temporal.Instant.compare(instant, now) > 0) now = instant;
        acceptWhatIsThere();
      }),
  },
  watch: () => {},
});
await durable.launch();
counting = true;
const { outcome, added, accepted } = await registrations.register({ provider: 'welcome', on, who: 'test' });
process.stdout.write(`${outcome} ${added} ${accepted}\n`);
counting = false;
await durable.shutdown(5_000);
await pool.end();
