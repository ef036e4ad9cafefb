import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { Problem } from '../../kernel/problem.ts';

/** The operating system's user that the server runs as; nothing when that is the one who runs us. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

const accountName = 'jeongsan';

/** PostgreSQL refuses to run as root. */
export function runsAsRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * The account for a new server: ourselves, or `jeongsan` when we are root; it is made where it is missing.
 * Throws `embedded_unavailable`.
 */
export function serverAccount(): Account {
  if (!runsAsRoot()) return undefined;
  const account = findAccount() ?? makeAccount();
  if (account) return account;
  throw new Problem('embedded_unavailable', {
    reason: `root may not run PostgreSQL, and the user ${accountName} could not be made`,
  });
}

function findAccount(): Account {
  const ask = (flag: string) => Number.parseInt(spawnSync('id', [flag, accountName], { encoding: 'utf8' }).stdout, 10);
  const [uid, gid] = [ask('-u'), ask('-g')];
  return uid > 0 && gid > 0 ? { uid, gid } : undefined;
}

/** By the tools of Debian and Red Hat, of Alpine, or with neither by hand. Another process may be faster: look again. */
function makeAccount(): Account {
  const nowhere = '/nonexistent';
  spawnSync('useradd', ['--system', '--user-group', '--home-dir', nowhere, '--shell', '/bin/false', accountName]);
  const made = findAccount();
  if (made) return made;
  spawnSync('adduser', ['-S', '-D', '-H', '-h', nowhere, '-s', '/bin/false', accountName]);
  return findAccount() ?? writeAccount(nowhere);
}

function writeAccount(home: string): Account {
  try {
    const taken = new Set(
      ['/etc/passwd', '/etc/group'].flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => Number(line.split(':')[2])),
      ),
    );
    let id = 999;
    while (taken.has(id) && id > 100) id -= 1;
    appendFileSync('/etc/group', `${accountName}:x:${id}:\n`);
    appendFileSync('/etc/passwd', `${accountName}:x:${id}:${id}::${home}:/bin/false\n`);
  } catch {
    return undefined;
  }
  return findAccount();
}

/** Whether the account can enter the folder: some checkouts lie below a folder that only its owner may enter. */
export function canEnter(account: Account, folder: string): boolean {
  if (!account) return true;
  return spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], { ...account, cwd: '/' }).status === 0;
}
