import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Problem } from '../../kernel/problem.ts';
import { writePrivately } from '../private-file.ts';
import { recordInitialised, type ServerPlace } from './server-place.ts';
import { serverEnvironment } from './server-process.ts';

/** The server's only role. It owns the database of the same name. */
export const roleName = 'jeongsan';

/** In the data folder; PostgreSQL reads it before what ALTER SYSTEM wrote. */
export const settingsFileName = 'jeongsan.conf';

/**
 * Makes the data folder unless it is there. It is made beside its place and renamed when it is whole, so one that was
 * interrupted is never mistaken for data. The caller holds the place's lock.
 * Throws `disk_full`, `embedded_unavailable`.
 */
export async function ensureCluster(place: ServerPlace, programs: string, sync: boolean): Promise<void> {
  await removeUnfinished(place);
  if (!existsSync(place.cluster)) await makeCluster(place, programs, sync);
  recordInitialised(place);
}

async function removeUnfinished({ folder }: ServerPlace): Promise<void> {
  const unfinished = (await readdir(folder)).filter((name) => name.startsWith('cluster.new-'));
  for (const name of unfinished) {
    // An initdb whose parent was killed may still write there; the next start removes what is left then.
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function makeCluster(place: ServerPlace, programs: string, sync: boolean): Promise<void> {
  const { account } = place;
  const fresh = join(place.folder, `cluster.new-${process.pid}-${Date.now()}`);
  const data = join(fresh, 'data');
  const password = join(fresh, 'password');
  await mkdir(fresh, { mode: 0o700 });
  writePrivately(password, randomBytes(24).toString('base64url'));
  if (account) {
    await chown(fresh, account.uid, account.gid);
    await chown(password, account.uid, account.gid);
  }
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const access = [`--username=${roleName}`, `--pwfile=${password}`, '--auth=scram-sha-256'];
  const speed = sync ? [] : ['--no-sync'];
  try {
    await promisify(execFile)(join(programs, 'initdb'), ['-D', data, ...locale, ...access, ...speed], {
      ...account,
      cwd: place.folder,
      env: serverEnvironment(),
    });
    await appendFile(join(data, 'postgresql.conf'), `\ninclude_if_exists = '${settingsFileName}'\n`);
    await rename(fresh, place.cluster);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {});
    throw describe(error as Error & { stderr?: string }, place.folder);
  }
}

function describe(error: Error & { stderr?: string }, folder: string): Problem {
  const said = (error.stderr ?? '').trim().split('\n').at(-1) || error.message;
  const full = /No space left on device|ENOSPC|Disk quota exceeded/.exec(`${error.stderr ?? ''} ${error.message}`);
  if (full) return new Problem('disk_full', { folder, reason: full[0] }, { cause: error });
  return new Problem('embedded_unavailable', { reason: `initdb failed: ${said}` }, { cause: error });
}
