// What nobody should send and everybody does: each is answered by a clear refusal or finding, and money stays where it was.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findingsCommands } from '../../src/findings/commands.ts';
import { ledgerCommands } from '../../src/ledger/commands.ts';
import { merchantsCommands } from '../../src/merchants/commands.ts';
import { paymentsCommands } from '../../src/payments/commands.ts';
import { createBankApi } from '../../src/payout/api.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { callbackPath, signatureHeaders, signatureOf } from '../../src/payout/banks/van-signature.ts';
import { payoutCommands } from '../../src/payout/commands.ts';
import { type Payouts, registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { createDurable, type Durable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { calm } from '../../src/sandbox/bank-moods.ts';
import { type BankServer, startBankServer } from '../../src/sandbox/bank-server.ts';
import { settlementCommands } from '../../src/settlement/commands.ts';
import { registerSettlement, type Settlement } from '../../src/settlement/workflow.ts';
import { always } from '../support/bank.ts';
import { runCommand } from '../support/commands.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { approval, cancel, capture, type PaymentLine, paymentsCsv } from '../support/payment-lines.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-bad-'));
const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
const day = '2026-11-20';
const clock = { at: Temporal.Instant.from(`${day}T12:00+09:00`), since: performance.now() };
const now = () => clock.at.add({ milliseconds: Math.round(performance.now() - clock.since) });
const setClock = (text: string) => {
  [clock.at, clock.since] = [Temporal.Instant.from(`${text}+09:00`), performance.now()];
};

let db: TestDatabase;
let durable: Durable;
let payouts: Payouts;
let settlement: Settlement;
let server: BankServer;
let api: ReturnType<typeof createBankApi>;
const closers: (() => unknown)[] = [];

const contract = (id: string, to = '') => `${id},card_online,2026-01-01,${to},1.15%,,,,floor,added,,,returned`;
const term = (id: string, payout = 'on_request') => `${id},2026-01-01,M5,forward,,${payout},,1`;
const files = {
  merchants: ['merchantId,name,businessNo', ...['M1', 'M2', 'M3', 'M4'].map((id) => `${id},${id},3011010002`)],
  contracts: [
    'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee',
    contract('M1'),
    contract('M2', '2026-06-30'),
    contract('M3'),
    contract('M4'),
  ],
  terms: [
    'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon',
    term('M1'),
    term('M2'),
    term('M3'),
    term('M4', 'direct'),
  ],
  // M3 and M4 have none.
  accounts: ['merchantId,validFrom,bankCode,accountNo,holder', 'M1,2026-01-01,004,1000001,홀더'],
};

beforeAll(async () => {
  db = await testDatabase();
  server = await startBank(calm);
  const opened = openBanks({ 'json-van': { ...server.address, answerMs: 300, settlingMs: 500 } }, createHttpClient);
  const { banks } = opened;
  const cipher = await openCipher({ home: folder });
  durable = createDurable({ databaseUrl: db.url, pool: db.pool, log: quiet });
  payouts = registerPayouts(durable, { pool: db.pool, log: quiet, banks, cipher, now });
  const afterCredit = payouts.createDirect;
  settlement = registerSettlement(durable, { pool: db.pool, log: quiet, now, afterCredit });
  api = createBankApi({ pool: db.pool, log: quiet, banks, now });
  await durable.launch();
  await payouts.dispatcher.start();
  closers.push(
    () => payouts.dispatcher.stop(),
    () => durable.shutdown(5_000),
    () => opened.close(),
    () => server.close(),
    () => db.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
  await say('merchants', 'import', written('merchants.csv', files.merchants));
  for (const name of ['contracts', 'terms', 'accounts'] as const) {
    expect(await say('merchants', name, 'import', written(`${name}.csv`, files[name]))).toMatchObject({ exitCode: 0 });
  }
});

afterAll(async () => {
  for (const close of closers) await close();
});

/** The same bank, its journal and its port, in another mood. */
function startBank(moods: typeof calm, port = 0): Promise<BankServer> {
  const holderOf = () => '홀더';
  const how = { folder: path.join(folder, 'bank'), key: 'key', secret: 'secret', seed: '1', now, holderOf };
  return startBankServer({ ...how, moods, port });
}

async function bankTurns(moods: typeof calm): Promise<void> {
  const { port } = server;
  await server.close();
  server = await startBank(moods, port);
}

function written(name: string, lines: readonly string[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** A command line; a refusal comes back as its code and what it says. */
async function say(...line: string[]): Promise<{ said: string; exitCode: number; code?: string }> {
  const cipher = () => openCipher({ home: folder });
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
  try {
    return await runCommand(db.pool, line, (program, context, output) => {
      merchantsCommands(program, context, { cipher });
      paymentsCommands(program, context);
      settlementCommands(program, context, (work) => work({ pool: db.pool, settlement }), { output, now });
      payoutCommands(program, context, { bank: 'json-van', now, output });
      ledgerCommands(program, context, { output });
      findingsCommands(program, context, output);
    });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { said: message, exitCode: 1, code };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

let sales = 0;
async function bring(...lines: readonly (readonly PaymentLine[])[]) {
  sales += 1;
  const rows = lines.flat().map((line) => ({ tradedAt: `${day}T10:00:00+09:00`, ...line }));
  return await say('payments', 'import', written(`payments-${sales}.csv`, paymentsCsv(rows).trimEnd().split('\n')));
}

/** An approval with its capture. */
function sold(providerTid: string, merchantId: string, won: bigint): PaymentLine[] {
  const common = { providerTid, amountWon: `${won}`, tradedAt: `${day}T10:00:00+09:00` };
  return [approval({ ...common, merchantId }), capture({ ...common, capturedOn: day })];
}

async function settle(time: string, on = day): Promise<string> {
  setClock(`${on}T${time}`);
  const { said } = await say('settle', '--slot', `${on}T${time}+09:00`, '--json');
  return said;
}

const json = async <T>(...line: string[]): Promise<T> => JSON.parse((await say(...line, '--json')).said) as T;
/** What every account holds. */
async function books(): Promise<Record<string, bigint>> {
  const { rows } = await db.pool.query<{ account: string; won: bigint }>(
    'select account, balance_won as won from ledger_account where balance_won <> 0 order by 1',
  );
  return Object.fromEntries(rows.map(({ account, won }) => [account, won]));
}
const findingKinds = async (subject: string) =>
  (await json<{ kind: string }[]>('findings', 'list', '--subject', subject)).map(({ kind }) => kind);
const stateOf = async (key: string) => {
  const found = await json<{ key: string; state: string; resultReason: string | null }[]>('payout', 'list');
  return found.find((payout) => payout.key === key);
};

describe('captures', () => {
  test('amounts of 0 and with a wrong sign do not even come in', async () => {
    const wrong = (tid: string, amountWon: string) => [
      approval({ providerTid: tid, amountWon }),
      capture({ providerTid: tid, amountWon, capturedOn: day }),
    ];
    const outcome = await bring(wrong('Z0', '0'), wrong('Z1', '-100'), [
      cancel({ providerTid: 'Z2', amountWon: '100' }),
    ]);
    expect(outcome.exitCode).toBe(3);
    const { rows } = await db.pool.query('select code from import_refusal order by line_no');
    expect(rows.map(({ code }) => code)).toEqual(Array(5).fill('import_sign'));
    expect(await books()).toEqual({});
  });

  test('amounts above ten trillion won do not come in, and take nothing else with them', async () => {
    const outcome = await bring(sold('Z4', 'M1', 10_000_000_000_001n));
    expect(outcome.exitCode).toBe(3);
    const { rows } = await db.pool.query(`select code from import_refusal where code <> 'import_sign'`);
    expect(rows.map(({ code }) => code)).toEqual(Array(2).fill('import_number'));
  });

  test('what cannot be settled is set aside by name, told to a person after three slots, and harms nobody', async () => {
    await bring(
      sold('A1', 'M1', 100_000n),
      sold('B1', 'M9', 10_000n),
      sold('C1', 'M2', 20_000n),
      sold('E1', 'M1', 30_000n).slice(1),
    );
    await settle('12:05');
    const credited = { 'receivable:ksnet': -100_000n, fee: 1_150n, vat: 115n, 'wallet:M1': 98_735n };
    expect(await books()).toEqual(credited);
    await settle('12:10');
    expect(await json<unknown[]>('findings', 'list', '--kind', 'capture_unsettled')).toEqual([]);
    await settle('12:15');
    expect(await books()).toEqual(credited);
    const waiting = await json<{ providerTid: string; reason: string; text: string; attempts: number }[]>(
      'settlement',
      'unsettled',
    );
    const told = waiting.map(({ providerTid, reason }) => `${providerTid} ${reason}`).sort();
    expect(told).toEqual(['B1 merchant_unknown', 'C1 contract_closed', 'E1 capture_without_approval']);
    for (const { text, providerTid } of waiting) expect(text).toContain(providerTid);
    const findings = await json<{ subject: string }[]>('findings', 'list', '--kind', 'capture_unsettled');
    expect(findings.map(({ subject }) => subject).sort()).toEqual([
      'M2 contract_closed',
      'M9 merchant_unknown',
      'MID1 capture_without_approval',
    ]);
  });

  test('what was missing comes in: settled by the next slot', async () => {
    await bring(sold('E1', 'M1', 30_000n).slice(0, 1));
    await settle('12:20');
    expect((await books())['wallet:M1']).toBe(98_735n + 29_621n);
  });
});

describe('requests for payouts', () => {
  test.each([
    ['an unknown merchant', ['M9', '1000'], 'not_found', /M9/],
    ['nothing', ['M1', '0'], 'payout_amount_refused', /0 won/],
    ['less than nothing', ['--', 'M1', '-1000'], 'payout_amount_refused', /-1000/],
    ['more than 10^13', ['M1', '10000000000001'], 'payout_amount_refused', /10000000000001/],
    ['no amount', ['M1', '12.5'], 'usage', /12\.5/],
    ['more than there is', ['M1', '128357'], 'payout_balance_short', /128356/],
    ['no bank account', ['M3', '1000'], 'payout_account_missing', /M3/],
  ])('%s is refused, with its reason', async (_, words, code, says) => {
    const before = await books();
    const refused = await say('payout', 'request', '--key', `bad ${code}`, ...words);
    expect(refused).toMatchObject({ code });
    expect(refused.said).toMatch(says);
    expect(await books()).toEqual(before);
    expect(await json<unknown[]>('payout', 'list')).toEqual([]);
  });

  test('a merchant that is paid by itself and has no account keeps its money, and somebody hears of it', async () => {
    await bring(sold('F1', 'M4', 10_000n));
    await settle('12:25');
    expect((await books())['wallet:M4']).toBe(9_874n);
    expect(await findingKinds('M4')).toEqual(['payout_account_missing']);
    expect(await json<unknown[]>('payout', 'list')).toEqual([]);
  });
});

describe('the bank', () => {
  test('is closed: the payout says so and waits, its money locked; when it opens it is paid', async () => {
    setClock(`${day}T23:40`);
    await say('payout', 'request', 'M1', '1000', '--key', 'closed');
    payouts.dispatcher.wake('json-van');
    await eventually(async () => expect((await stateOf('closed'))?.resultReason).toBe('bank_closed'));
    expect((await books())['in_flight:M1']).toBe(1_000n);
    expect(server.transfers()).toEqual([]);
    setClock('2026-11-21T00:31');
    payouts.dispatcher.wake('json-van');
    await eventually(async () => expect((await stateOf('closed'))?.state).toBe('succeeded'));
    expect(await books()).toMatchObject({ bank: 1_000n });
  });

  test('answers garbage: unknown, its money locked, until it can be understood; paid once', async () => {
    await bankTurns({ ...always('garbage'), shares: { garbage: 1, inquiry_trouble: 1 } });
    await say('payout', 'request', 'M1', '2000', '--key', 'garbage');
    payouts.dispatcher.wake('json-van');
    await eventually(async () => expect((await stateOf('garbage'))?.state).toBe('unknown'));
    expect(await books()).toMatchObject({ bank: 1_000n, 'in_flight:M1': 2_000n });
    await bankTurns(calm);
    await eventually(async () => {
      setClock('2026-11-21T00:50');
      payouts.dispatcher.wake('json-van');
      expect((await stateOf('garbage'))?.state).toBe('succeeded');
    });
    expect(await books()).toMatchObject({ bank: 3_000n });
    expect(server.transfers().map(({ amountWon }) => amountWon)).toEqual([1_000n, 2_000n]);
  });

  test('is not there: what provably never left waits, and can be cancelled', async () => {
    const { port } = server;
    await server.close();
    await say('payout', 'request', 'M1', '500', '--key', 'away');
    payouts.dispatcher.wake('json-van');
    await eventually(async () => expect((await stateOf('away'))?.resultReason).toMatch(/ECONNREFUSED/));
    const payout = (await json<{ id: number; key: string }[]>('payout', 'list')).find(({ key }) => key === 'away');
    await eventually(async () => {
      expect(await say('payout', 'cancel', `${payout?.id}`)).toMatchObject({ exitCode: 0 });
    });
    expect((await books())['in_flight:M1']).toBeUndefined();
    server = await startBank(calm, port);
  });

  test('somebody who is not the bank calls back: refused, kept, told, and nothing moves', async () => {
    const before = await books();
    const call = {
      messageNo: '000000000001',
      messageOn: day,
      amountWon: 1_000,
      state: 'rejected',
      code: '1',
      text: 'no',
    };
    const body = JSON.stringify(call);
    const timestamp = String(Date.now());
    const signed = { kind: 'request', method: 'POST', path: callbackPath('json-van'), timestamp } as const;
    const signature = signatureOf('not the secret', signed, body);
    const headers = {
      [signatureHeaders.key]: 'key',
      [signatureHeaders.timestamp]: timestamp,
      [signatureHeaders.signature]: signature,
    };
    const answer = await api.request(callbackPath('json-van'), { method: 'POST', body, headers });
    expect(answer.status).toBe(401);
    expect(await findingKinds('bank:json-van')).toContain('callback_refused');
    const { rows } = await db.pool.query('select verdict from bank_callback');
    expect(rows).toEqual([{ verdict: 'wrong_signature' }]);
    expect(await books()).toEqual(before);
  });
});

describe('a clock that jumps', () => {
  test('a slot that has not come is refused, and one that was passed is skipped', async () => {
    setClock('2026-11-21T12:00');
    await bring(sold('G1', 'M1', 1_000n));
    const before = await books();
    const early = await say('settle', '--slot', '2026-11-21T12:05+09:00');
    expect(early).toMatchObject({ code: 'slot_refused' });
    expect(await say('settle', '--slot', '2026-11-21T11:57+09:00')).toMatchObject({ exitCode: 1 });
    // Back to a time whose slots are over: 12:25 of the day before was settled, 12:20 and earlier cannot come again.
    setClock(`${day}T12:18`);
    const late = await say('settle', '--json');
    expect(JSON.parse(late.said)).toMatchObject({ slot: `${day}T12:15+09:00`, state: 'settled' });
    setClock(`${day}T12:03`);
    expect(JSON.parse((await say('settle', '--json')).said)).toMatchObject({ state: 'skipped', reason: 'slot_passed' });
    expect(await books()).toEqual(before);
    setClock('2026-11-21T12:06');
    await say('settle');
    expect((await books())['wallet:M1']).toBe((before['wallet:M1'] ?? 0n) + 988n);
  });

  test('and the ledger is clean after all this', async () => {
    expect(await json<{ clean: boolean }>('ledger', 'verify')).toMatchObject({ clean: true });
  });
});
