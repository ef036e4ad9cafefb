import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProcess, temporaryFolder } from '../../test/support/processes.ts';
import type { Bank } from '../payout/bank-port.ts';
import { openBanks } from '../payout/banks/registry.ts';
import { loadConfig, repositoryRoot } from '../platform/config.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { openSandboxBank } from './bank.ts';
import { calm } from './bank-moods.ts';

const cli = path.join(repositoryRoot, 'src/cli.ts');
const accounts = 'bankCode,accountNo,holder\n088,110123456789,"정산, 주식회사"\n004,1,홍길동\n';

function home(): string {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, 'sandbox', '1'), { recursive: true });
  writeFileSync(path.join(folder, 'sandbox', '1', 'bank-accounts.csv'), accounts);
  return folder;
}

const order = (n: number) => ({
  messageNo: String(n).padStart(12, '0'),
  messageOn: '2026-11-20',
  bankCode: '088',
  accountNo: '110123456789',
  holder: '정산, 주식회사',
  amountWon: 9_007_199n,
});

/** Runs the bank as a process of its own, and reaches it by the variable that it prints. */
async function startProcess(folder: string): Promise<{ bank: Bank; kill: () => Promise<unknown> }> {
  const words = ['sandbox', 'bank', '--mood', 'calm', '--closed', '00:00-00:00', '--json'];
  const child = runProcess(cli, words, { JEONGSAN_HOME: folder });
  const { banks: env } = JSON.parse(await child.line()) as { banks: Record<string, string> };
  const { banks: addresses } = loadConfig(env, [], ['json-van']);
  const [bank] = openBanks(addresses, createHttpClient).banks;
  return {
    bank: bank as Bank,
    async kill() {
      child.kill('SIGKILL');
      await child.ended;
    },
  };
}

test('a bank that is killed and started again has forgotten nothing, and says what it moved', async () => {
  const folder = home();
  const first = await startProcess(folder);
  expect(await first.bank.holder(order(1))).toEqual({ outcome: 'found', holder: '정산, 주식회사' });
  expect((await first.bank.transfer(order(1))).outcome).toBe('succeeded');
  await first.kill();
  const second = await startProcess(folder);
  expect((await second.bank.transfer(order(1))).outcome).toBe('duplicate');
  expect((await second.bank.transfer(order(2))).outcome).toBe('succeeded');
  const list = runProcess(cli, ['sandbox', 'bank', 'list', '--json'], { JEONGSAN_HOME: folder });
  let said = '';
  for (let line = await list.line(); ; line = await list.line()) {
    said += line;
    if (line === ']') break;
  }
  expect(JSON.parse(said)).toMatchObject([
    { messageNo: order(1).messageNo, amountWon: 9_007_199, outcome: 'succeeded', last4: '6789' },
    { messageNo: order(2).messageNo, amountWon: 9_007_199, outcome: 'succeeded' },
  ]);
});

describe('a bank cannot be opened', () => {
  test('twice over the same books', async () => {
    const folder = home();
    const options = { folder: path.join(folder, 'bank'), seed: '1', moods: calm };
    const accountsFile = path.join(folder, 'sandbox', '1', 'bank-accounts.csv');
    const server = await openSandboxBank({ ...options, accountsFile });
    await expect(openSandboxBank({ ...options, accountsFile })).rejects.toMatchObject({ code: 'sandbox_bank_in_use' });
    await server.close();
    await (await openSandboxBank({ ...options, accountsFile })).close();
  });

  test('without its accounts', async () => {
    const options = { folder: temporaryFolder(), seed: '1', moods: calm };
    for (const accountsFile of ['/nowhere/accounts.csv', cli]) {
      const opening = openSandboxBank({ ...options, accountsFile });
      await expect(opening).rejects.toMatchObject({ code: 'sandbox_accounts_unreadable' });
    }
  });
});
