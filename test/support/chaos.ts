import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { openImportSource } from '../../src/imports/import-source.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { verifyLedger } from '../../src/ledger/verify-store.ts';
import { importMerchants } from '../../src/merchants/import-merchants.ts';
import { importAccounts, importContracts, importTerms } from '../../src/merchants/import-terms.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { createBankApi } from '../../src/payout/api.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { registerPayoutReconciliation } from '../../src/payout/reconcile-workflow.ts';
import { requestPayout } from '../../src/payout/request-store.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { type Pool, query } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { providers } from '../../src/providers/registry.ts';
import { type BankMoods, stormy } from '../../src/sandbox/bank-moods.ts';
import { type BankServer, startBankServer } from '../../src/sandbox/bank-server.ts';
import { generateWorld } from '../../src/sandbox/generate.ts';
import { type LiveSale, liveBurst } from '../../src/sandbox/live-trade.ts';
import { makeWorld, type World } from '../../src/sandbox/world.ts';
import { holdersIn } from './bank-holders.ts';
import { type FastClock, fastClock } from './chaos-clock.ts';
import { type CrewOptions, createCrew } from './chaos-crew.ts';
import { textSource } from './import-text.ts';
import { violations } from './invariants.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
const day = '2026-11-20';
const bankId = 'json-van';
const secret = 'secret';

/** Trouble for every other transfer; short in real time, as the world's clock runs fast. */
const moods: BankMoods = { ...stormy, latencyMs: [2, 80], processingMs: [20_000, 90_000], lateMs: [50, 400] };
/** Longer than anything of the bank's comes late. */
const settlingMs = 900;
const answerMs = 600;

export type ChaosOptions = CrewOptions & {
  /** Slots from 12:05 on. */
  readonly slots: number;
  /** How long a slot of five minutes takes. */
  readonly slotMs: number;
  /** Sales in a burst, of which there are some in every slot. */
  readonly sales: number;
  /** How long everything may take to come to its end afterwards. */
  readonly endWithinMs: number;
};

export type ChaosOutcome = {
  /** Kills, freezes and cuts. */
  readonly kills: number;
  readonly cycles: Readonly<Record<string, number>>;
  readonly captures: number;
  readonly items: number;
  readonly payouts: Readonly<Record<string, number>>;
  readonly transfers: number;
  readonly callbacks: number;
  /** What is wrong in the end; nothing has to be. */
  readonly broken: readonly string[];
};

/**
 * 장애 주입. A world that sells while processes settle it slot after slot and pay out to a simulated bank in all its
 * moods, and are killed and started again, frozen for a while, or cut off from the database. Afterwards everything is left to come to its end, and the books
 * are asked whether they are true.
 */
export async function liveChaos(
  db: { readonly url: string; readonly pool: Pool },
  folder: string,
  options: ChaosOptions,
): Promise<ChaosOutcome> {
  const from = Temporal.PlainDate.from(day);
  const world = makeWorld({ seed: options.seed, days: 1, payments: 2_000, breaks: 0, from });
  await bringWorld(db.pool, world, folder);
  const speed = 300_000 / options.slotMs;
  const clock: FastClock = { from: `${day}T12:01+09:00`, sinceMs: Date.now(), speed };
  const now = fastClock(clock);
  let callbackUrl: string | undefined;
  const server = await startBankServer({
    folder: path.join(folder, 'bank'),
    key: 'key',
    secret,
    seed: options.seed,
    moods,
    now,
    holderOf: holdersIn(path.join(folder, 'world', 'bank-accounts.csv')),
    callbackUrl: () => callbackUrl,
  });
  const { secret: _, ...address } = server.address;
  const bank = { ...address, answerMs, settlingMs, closed: { from: '00:00', to: '00:00' } };
  const opened = openBanks({ [bankId]: { ...server.address, ...bank } }, createHttpClient);
  const api = createBankApi({ pool: db.pool, log: quiet, banks: opened.banks, now });
  const listener = serve({ fetch: api.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
    callbackUrl = `http://127.0.0.1:${port}`;
  });
  const crew = createCrew(db.pool, { databaseUrl: db.url, home: folder, clock, bank, secret }, options);
  try {
    await crew.start();
    const end = Temporal.Instant.from(`${day}T12:00+09:00`).add({ minutes: 5 * options.slots + 1 });
    const killing = crew.killUntil(() => Temporal.Instant.compare(now(), end) >= 0);
    await sellUntil(db.pool, world, { now, end, sales: options.sales, pauseMs: options.slotMs / 3 });
    await killing;
    const ended = await comeToEnd(db.pool, now, options.endWithinMs);
    await crew.stop();
    const transfers = server.transfers();
    const reconciled = await reconcile(db, opened.banks, now);
    return await outcomeOf(db.pool, server, [...ended, ...reconciled, ...crew.deaths()], {
      kills: crew.kills(),
      transfers,
    });
  } finally {
    await crew.stop();
    listener.close();
    opened.close();
    await server.close();
  }
}

async function bringWorld(pool: Pool, world: World, folder: string): Promise<void> {
  const into = path.join(folder, 'world');
  await generateWorld({ ...world.spec, into });
  const cipher = await openCipher({ home: folder });
  const bring = async (name: string, importer: typeof importMerchants) => {
    const { refused } = await importer(pool, await openImportSource(path.join(into, name)), { who: 'test' });
    if (refused > 0) throw new Error(`${name}: ${refused} refused`);
  };
  await bring('merchants.csv', importMerchants);
  await bring('contracts.csv', importContracts);
  await bring('terms.csv', importTerms);
  await bring('accounts.csv', (onPool, source, how) => importAccounts(onPool, cipher, source, how));
}

/** Sales, cancels and withdrawals, until the hour is over. */
async function sellUntil(
  pool: Pool,
  world: World,
  how: { now(): Temporal.Instant; end: Temporal.Instant; sales: number; pauseMs: number },
): Promise<void> {
  const known = providers.map(({ id }) => id);
  let before: readonly LiveSale[] = [];
  // The last slot is for what came before it.
  for (let n = 0; Temporal.Instant.compare(how.now(), how.end.subtract({ minutes: 3 })) < 0; n += 1) {
    const { csv, sales } = liveBurst(world, how.now(), how.sales, before);
    before = sales;
    const { refused } = await importPayments(pool, textSource(csv), { who: 'test', providers: known });
    if (refused > 0) throw new Error(`${refused} live sales refused`);
    await withdraw(pool, n, how.now());
    await wait(how.pauseMs);
  }
}

async function withdraw(pool: Pool, n: number, now: Temporal.Instant): Promise<void> {
  const wallets = await query<{ merchantId: string; won: bigint }>(
    pool,
    `select owner as "merchantId", balance_won as won from ledger_account a
      where kind = 'wallet' and balance_won > 10000
        and exists (select from settlement_terms t where t.merchant_id = a.owner and t.payout = 'on_request') order by 1`,
  );
  for (const { merchantId, won } of wallets.filter((_, index) => index % 2 === n % 2)) {
    const wanted = { merchantId, amountWon: won / 2n, key: `${n} ${merchantId}`, who: 'test' };
    await requestPayout(pool, wanted, { bank: bankId, now }).catch((error: unknown) => {
      if (!isProblem(error, 'payout_balance_short') && !isProblem(error, 'payout_account_missing')) throw error;
    });
  }
}

/** Waits until nothing waits for a slot of the hour and every payout is at its end; what is not, after a while. */
async function comeToEnd(pool: Pool, now: () => Temporal.Instant, withinMs: number): Promise<string[]> {
  const until = Date.now() + withinMs;
  for (;;) {
    const open = await query<{ text: string }>(
      pool,
      `select 'captures that no slot took' as text from capture_arrival
        where taken_by is null or taken_by in (select run_id from settlement_cycle where state = 'running')
       union select format('payout %s is %s (%s)', payout_id, state, result_reason) from payout
        where state not in ('succeeded', 'rejected', 'cancelled', 'awaiting_approval')
       union select format('%s/%s was due at %s', provider_tid, cancel_seq, due_at) from unsettled_capture
        where reason is null and due_at <= $1::timestamptz - interval '15 minutes'`,
      [now().toString()],
    );
    if (open.length === 0) return [];
    if (Date.now() > until) return open.map(({ text }) => `not at its end: ${text}`);
    await wait(100);
  }
}

/** The bank's list of the day against ours: nothing is left to say. */
async function reconcile(
  { url, pool }: { readonly url: string; readonly pool: Pool },
  banks: Parameters<typeof createBankApi>[0]['banks'],
  now: () => Temporal.Instant,
): Promise<string[]> {
  const durable = createDurable({ databaseUrl: url, pool, log: quiet });
  const lists = registerPayoutReconciliation(durable, { pool, banks, now });
  await durable.launch();
  try {
    const { settled, unknown } = await lists.reconcile({ bank: bankId, on: day, who: 'test' });
    const rows = await query<{ text: string }>(
      pool,
      `select concat_ws(' ', kind, message_no) as text from payout_break`,
    );
    return [
      ...rows.map(({ text }) => `day list: ${text}`),
      ...(settled + unknown === 0 ? [] : [`day list: ${settled} settled by it, ${unknown} unknown`]),
    ];
  } finally {
    await durable.shutdown(2_000);
  }
}

/** Reasons for which something of this world cannot be settled: what it was made with. */
const sound = ['contract_missing', 'contract_closed', 'terms_missing', 'original_set_aside', 'original_unsettled'];

async function outcomeOf(
  pool: Pool,
  server: BankServer,
  wrong: readonly string[],
  { kills, transfers }: { readonly kills: number; readonly transfers: ReturnType<BankServer['transfers']> },
): Promise<ChaosOutcome> {
  const broken = [...wrong, ...(await violations(pool, transfers))];
  await verifyLedger(pool, async (page) => {
    broken.push(...page.map(({ kind, subject }) => `ledger verify: ${kind} ${subject}`));
  });
  const unsettled = await query<{ reason: string; captures: number }>(
    pool,
    'select reason, count(*)::int as captures from unsettled_capture where reason <> all ($1) group by 1',
    [sound],
  );
  broken.push(...unsettled.map(({ reason, captures }) => `3: ${captures} captures are not settled: ${reason}`));
  const counts = async (sql: string) =>
    Object.fromEntries((await query<{ name: string; n: number }>(pool, sql)).map(({ name, n }) => [name, n]));
  const of = async (table: string) => (await counts(`select 'n' as name, count(*)::int as n from ${table}`))['n'] ?? 0;
  return {
    kills,
    cycles: await counts('select state as name, count(*)::int as n from settlement_cycle group by 1 order by 1'),
    captures: await of('capture'),
    items: await of('settlement_item'),
    payouts: await counts('select state as name, count(*)::int as n from payout group by 1 order by 1'),
    transfers: server.transfers().length,
    callbacks: await of('bank_callback'),
    broken,
  };
}
