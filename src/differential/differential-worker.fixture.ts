// A process that claims the days of its arguments from NICE, to be killed by killed-differential.test.ts. Its clock goes on
// whenever it is waited for; the provider answers what stands in its folder by then. Prints what each day came to.
import { existsSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openArchive } from '../platform/archive.ts';
import { createPool, type PoolClient } from '../platform/database/pool.ts';
import { createDurable } from '../platform/durable/durable.ts';
import { sleepUntil } from '../platform/durable/sleep.ts';
import { openRemoteFolder } from '../platform/open-remote-folder.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import { Secret } from '../platform/secret.ts';
import type { SftpAddress } from '../platform/source-address.ts';
import { nice } from '../providers/differential/nice.ts';
import { answerOf } from './answering.fixture.ts';
import type { Clock } from './ports.ts';
import { registerDifferential } from './workflow.ts';

const {
  DATABASE_URL: databaseUrl = '',
  HOME_FOLDER: home = '',
  REMOTE: remoteText = '{}',
  PROVIDER_FOLDER: providerFolder = '',
  DIE_BEFORE: dieBefore,
  DIE_AFTER: dieAfter,
  REAL_CLOCK_AHEAD: ahead,
} = process.env;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;

const counted = { acts: 0, counting: false };

/**
 * Dies before the n-th act of its last day, or the first of that name, or the moment that it is done: a statement, a word
 * with the provider, a wait.
 */
async function act<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (counted.counting) counted.acts += 1;
  const mine = [String(counted.acts), name];
  if (counted.counting && mine.includes(dieBefore ?? '')) process.kill(process.pid, 'SIGKILL');
  const value = await work();
  if (counted.counting && mine.includes(dieAfter ?? '')) process.kill(process.pid, 'SIGKILL');
  return value;
}

const pool = createPool(databaseUrl, { applicationName: 'worker' });
pool.on('connect', (client: PoolClient) => {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  // Streams and the pool's own `query`, which calls with a callback, are left alone.
  const own = (...args: unknown[]) =>
    typeof args.at(-1) === 'function' || typeof (args[0] as { submit?: unknown }).submit === 'function'
      ? (query(...args) as never)
      : act(nameOf(args[0]), () => query(...args));
  Object.assign(client, { query: own });
});

/** `update claim_file`, `commit`: what a statement does, in two words. */
function nameOf(sql: unknown): string {
  const words = String(sql).trim().split(/\s+/);
  return (words[0] === 'insert' ? words.slice(1, 3) : words.slice(0, 2)).join(' ');
}

const address = JSON.parse(remoteText) as SftpAddress & { readonly password: string };
function remote(): RemoteFolder {
  const folder = openRemoteFolder({ ...address, password: new Secret(address.password) });
  return {
    ...{ kind: folder.kind, name: folder.name },
    stat: (at) => act('stat', () => folder.stat(at)),
    put: (at, content) => act('put', () => folder.put(at, content)),
    rename: (from, to) => act('rename', () => folder.rename(from, to)),
    list: (at) => act('list', () => folder.list(at)),
    read: (at, file) => folder.read(at, file),
    close: () => folder.close(),
  };
}

/** The provider answers from ten in the morning after on, each request with the same bytes. */
function answerWhatIsThere(on: string): void {
  const request = path.join(providerFolder, 'req', `daff_nice_1234567891_${on.replaceAll('-', '')}_req`);
  const answer = path.join(providerFolder, 'res', path.basename(request).replace('_req', '_res'));
  if (!existsSync(request) || existsSync(answer)) return;
  writeFileSync(`${answer}.${process.pid}`, answerOf(nice, readFileSync(request), on));
  utimesSync(`${answer}.${process.pid}`, 0, Date.parse(on) / 1000);
  renameSync(`${answer}.${process.pid}`, answer);
}

let day = '';
let now = Temporal.Instant.fromEpochMilliseconds(0);
const jumping: Clock = {
  now: () => now,
  waitUntil: (instant) =>
    act('wait', async () => {
      if (Temporal.Instant.compare(instant, now) > 0) now = instant;
      if (now.toZonedDateTimeISO('Asia/Seoul').hour >= 10) answerWhatIsThere(day);
    }),
};
/** The wall clock, so many seconds ahead. */
const real: Clock = {
  now: () => Temporal.Now.instant().add({ seconds: Number(ahead) }),
  waitUntil: (instant, label) => {
    process.stdout.write(`waits ${label}\n`);
    return sleepUntil(instant.subtract({ seconds: Number(ahead) }), label);
  },
};

const { calendar } = nice.differential;
const soon = { ...calendar, poll: { days: 0, at: '00:00', everySeconds: 1 } };
const differential = { ...nice.differential, calendar: ahead === undefined ? calendar : soon };
const durable = createDurable({ databaseUrl, pool, log, frozenAfterMs: 2_000, takeOverEveryMs: 50, lookEveryMs: 50 });
const settlement = registerDifferential(durable, {
  pool,
  log,
  archive: openArchive(home),
  providers: [{ ...nice, differential }],
  remote,
  businessNo: () => '1234567891',
  clock: ahead === undefined ? jumping : real,
  watch: () => {},
  capturesPerPart: 2,
  linesPerPart: 2,
});
// Told anything, it ends as a process does that is told to: what runs is handed on.
let ending = false;
process.stdin.once('data', async () => {
  ending = true;
  await durable.shutdown(5_000);
  await pool.end();
  process.exit(0);
});
process.stdin.unref();
const days = process.argv.slice(2);
for (const [n, on] of days.entries()) {
  [day, now] = [on, Temporal.Instant.from(`${on}T23:00:00+09:00`)];
  if (n === 0) await durable.launch();
  counted.counting = n === days.length - 1;
  // Of a run that another execution took over, nothing is heard here any more once the engine is shut down.
  const { outcome, claims, accepted, acceptedWon } = await settlement
    .run({ provider: 'nice', on, who: 'test' })
    .catch((error: unknown) => (ending ? new Promise<never>(() => {}) : Promise.reject(error)));
  process.stdout.write(`${on} ${outcome} ${claims} ${accepted} ${acceptedWon} ${counted.acts}\n`);
}
counted.counting = false;
await durable.shutdown(5_000);
await pool.end();
