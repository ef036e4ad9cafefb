import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Bank } from '../../src/payout/bank-port.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { type BankMoods, calm, type MoodName } from '../../src/sandbox/bank-moods.ts';
import { type BankServer, type BankServerOptions, startBankServer } from '../../src/sandbox/bank-server.ts';

/** A simulated bank over real HTTPS and our adapter's way to it; both end with the test. */
export type TestBank = { readonly bank: Bank; readonly server: BankServer; readonly folder: string };

export const bankKey = 'test-key';
export const bankSecret = 'test-secret/with:signs';
export const holderName = '주식회사 정산상점';

/** Moods of which some befall every message. */
export function always(...names: readonly MoodName[]): BankMoods {
  return { ...calm, shares: Object.fromEntries(names.map((name) => [name, 1])) };
}

export function bankFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-bank-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every account but those that end in 0000 exists and is `holderName`'s. */
export async function testBank(options: Partial<BankServerOptions> & { answerMs?: number } = {}): Promise<TestBank> {
  const { answerMs = 400, ...rest } = options;
  const folder = options.folder ?? bankFolder();
  const server = await startBankServer({
    key: bankKey,
    secret: bankSecret,
    seed: '1',
    moods: calm,
    holderOf: (_, accountNo) => (accountNo.endsWith('0000') ? undefined : holderName),
    ...rest,
    folder,
  });
  const { banks, close } = openBanks(
    { 'json-van': { ...server.address, answerMs, settlingMs: 500 } },
    createHttpClient,
  );
  onTestFinished(async () => {
    close();
    await server.close();
  });
  return { bank: banks[0] as Bank, server, folder };
}
