import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import type { BankAddress } from '../platform/bank-address.ts';
import { tryFileLock } from '../platform/file-lock.ts';
import type { BankMoods } from './bank-moods.ts';
import { type BankServer, startBankServer } from './bank-server.ts';

export type SandboxBankOptions = {
  /** Journal, certificate and secret are kept here: the same folder is the same bank. */
  readonly folder: string;
  readonly seed: string;
  readonly moods: BankMoods;
  /** What the bank knows of accounts: `bankCode,accountNo,holder` with a line of titles. */
  readonly accountsFile: string;
  readonly closed?: { readonly from: string; readonly to: string };
  readonly port?: number;
  readonly callbackUrl?: () => string | undefined;
  readonly now?: () => Temporal.Instant;
};

const key = 'sandbox';

/**
 * The sandbox's bank: the simulated VAN with a secret of its own, knowing the accounts of a world.
 * Throws `sandbox_bank_in_use`, `sandbox_port_taken`, `sandbox_accounts_unreadable`.
 */
export async function openSandboxBank(options: SandboxBankOptions): Promise<BankServer> {
  const { folder, accountsFile, ...rest } = options;
  const holders = readAccounts(accountsFile);
  mkdirSync(folder, { recursive: true });
  const lock = tryFileLock(path.join(folder, 'bank.lock'), 'exclusive');
  if (lock === undefined) throw new Problem('sandbox_bank_in_use', { folder });
  try {
    const server = await startBankServer({
      ...rest,
      folder,
      key,
      secret: secretIn(folder),
      holderOf: (bankCode, accountNo) => holders.get(`${bankCode}/${accountNo}`),
    });
    return {
      ...server,
      async close() {
        await server.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** How an operator writes a bank's address, with its secret: here it guards nothing but made-up money. */
export function bankUrl({ host, port, key: user, secret, caPath, closed }: BankAddress): string {
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(secret.reveal())}`;
  const query = [
    ...(caPath === undefined ? [] : [`ca=${encodeURI(caPath)}`]),
    ...(closed === undefined ? [] : [`closed=${closed.from}-${closed.to}`]),
  ];
  return `https://${credentials}@${host}:${port}/${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

function secretIn(folder: string): string {
  const file = path.join(folder, 'secret');
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8');
}

function readAccounts(file: string): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Problem('sandbox_accounts_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
  const [titles, ...lines] = text.split(/\r?\n/);
  if (titles !== 'bankCode,accountNo,holder') {
    throw new Problem('sandbox_accounts_unreadable', { file, reason: 'bankCode,accountNo,holder' });
  }
  return new Map(
    lines.flatMap((line) => {
      // A holder may be quoted, and then hold commas.
      const [, bankCode, accountNo, holder] = /^(\d{3}),([0-9-]+),(.+)$/.exec(line) ?? [];
      if (holder === undefined) return [];
      const name = holder.startsWith('"') ? holder.slice(1, -1).replaceAll('""', '"') : holder;
      return [[`${bankCode}/${accountNo}`, name] as const];
    }),
  );
}
