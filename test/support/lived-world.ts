import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openImportSource } from '../../src/imports/import-source.ts';
import { wonToJson } from '../../src/kernel/money.ts';
import { isProblem } from '../../src/kernel/problem.ts';
import { ledgerCommands } from '../../src/ledger/commands.ts';
import { importMerchants } from '../../src/merchants/import-merchants.ts';
import { importAccounts, importContracts, importTerms } from '../../src/merchants/import-terms.ts';
import { importPayments } from '../../src/payments/import-payments.ts';
import { openBanks } from '../../src/payout/banks/registry.ts';
import { payoutCommands } from '../../src/payout/commands.ts';
import { listPayouts } from '../../src/payout/list-store.ts';
import { registerPayouts } from '../../src/payout/workflow.ts';
import { openCipher } from '../../src/platform/cipher.ts';
import { inTransaction, type Pool } from '../../src/platform/database/pool.ts';
import { createDurable } from '../../src/platform/durable/durable.ts';
import { createHttpClient } from '../../src/platform/http-client.ts';
import { providers } from '../../src/providers/registry.ts';
import { calm } from '../../src/sandbox/bank-moods.ts';
import { startBankServer } from '../../src/sandbox/bank-server.ts';
import { generateWorld } from '../../src/sandbox/generate.ts';
import type { WorldSpec } from '../../src/sandbox/world.ts';
import { settlementCommands } from '../../src/settlement/commands.ts';
import { listHolds, placeHold, releaseHold } from '../../src/settlement/hold-store.ts';
import { parseSlot } from '../../src/settlement/slot.ts';
import { registerSettlement, type Settlement } from '../../src/settlement/workflow.ts';
import { holdersIn } from './bank-holders.ts';
import { runCommand } from './commands.ts';
import { testDatabase } from './database.ts';
import { eventually } from './eventually.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} } as never;
const unended = ['created', 'holder_checked', 'sent', 'unknown'] as const;
/** One approval in so many comes in a slot later than its capture. */
const lateEvery = 40;
/** One sale in so many is taken back in the end. */
const takenBackEvery = 25;

/** A bank that refuses some transfers and loses some answers. */
const moods = { ...calm, shares: { reject: 0.08, drop_after: 0.05, drop_before: 0.02, duplicate: 0.05 } };

/**
 * A sandbox world that is lived through slot after slot by the product, with a simulated bank over HTTPS, in a folder:
 * `world/`, `history.json` with the files that were brought in, and, by `report`, what the product says of it.
 * Days and times are Seoul's, `2026-11-20T12:05`.
 */
export async function openLivedWorld(folder: string, spec: WorldSpec) {
  const { days } = await generateWorld({ ...spec, into: path.join(folder, 'world') });
  const read = (name: string) =>
    readFileSync(path.join(folder, 'world', name), 'utf8')
      .trimEnd()
      .split('\n');
  const db = await testDatabase();
  const cipher = await openCipher({ home: folder });
  const clock = { at: '2026-11-18T00:00', since: performance.now() };
  const now = () =>
    Temporal.Instant.from(`${clock.at}+09:00`).add({ milliseconds: Math.round(performance.now() - clock.since) });
  const server = await startBankServer({
    folder: path.join(folder, 'bank'),
    key: 'key',
    secret: 'secret',
    seed: spec.seed,
    moods,
    now,
    holderOf: holdersIn(path.join(folder, 'world', 'bank-accounts.csv')),
  });
  const never = { from: '00:00', to: '00:00' };
  const opened = openBanks(
    { 'json-van': { ...server.address, answerMs: 2_000, settlingMs: 300, closed: never } },
    createHttpClient,
  );
  const durable = createDurable({ databaseUrl: db.url, pool: db.pool, log: quiet });
  const payouts = registerPayouts(durable, { pool: db.pool, log: quiet, banks: opened.banks, cipher, now });
  const settlement = registerSettlement(durable, {
    pool: db.pool,
    log: quiet,
    now,
    afterCredit: (tx, slot) => payouts.createDirect(tx, slot),
  });
  await durable.launch();
  await payouts.dispatcher.start();

  const bring = async (file: string, importer: typeof importMerchants) => {
    const source = await openImportSource(file);
    const { refused } = await importer(db.pool, source, { who: 'test' });
    if (refused > 0) throw new Error(`${file}: ${refused} refused`);
  };
  const inWorld = (name: string) => path.join(folder, 'world', name);
  await bring(inWorld('merchants.csv'), importMerchants);
  await bring(inWorld('contracts.csv'), importContracts);
  await bring(inWorld('terms.csv'), importTerms);
  await bring(inWorld('accounts.csv'), (pool, source, how) => importAccounts(pool, cipher, source, how));

  const [header = '', ...lines] = read('payments.csv');
  let records = lines.map((line, n) => ({ line, at: momentOf(line), late: n % lateEvery === 7 }));
  const history: object[] = [];
  let files = 0;
  const bringRows = async (rows: readonly string[]) => {
    files += 1;
    const name = `payments-${files}.csv`;
    writeFileSync(path.join(folder, name), `${[header, ...rows].join('\n')}\n`);
    const known = providers.map(({ id }) => id);
    await bring(path.join(folder, name), (pool, source, how) =>
      importPayments(pool, source, { ...how, providers: known }),
    );
    history.push({ import: name });
  };

  const setClock = (at: string) => {
    [clock.at, clock.since] = [at, performance.now()];
  };
  /** Every payout has come to its end. */
  const rest = () =>
    eventually(async () => {
      await db.pool.query(`update payout set next_at = least(next_at, $1)`, [now().toString()]);
      const left = await listPayouts(db.pool, { states: unended });
      if (left.length > 0) throw new Error(`${left.length} payouts are not at their end`);
    });

  return {
    days,
    pool: db.pool,
    /** Brings in what happened up to a moment; some approvals come a slot later than their captures. */
    async bringUntil(at: string): Promise<void> {
      const come = records.filter((record) => record.at <= at && !record.late);
      records = records.filter((record) => !come.includes(record));
      for (const record of records) if (record.at <= at) record.late = false;
      if (come.length > 0) await bringRows(come.map(({ line }) => line));
    },
    /** Takes back every so-manieth sale that was not cancelled: all of it, a part, or a part and then the rest. */
    async takeBack(at: string): Promise<void> {
      const cancelled = new Set(
        lines.filter((line) => /^(partial_)?cancel,/.test(line)).map((line) => line.split(',')[2]),
      );
      const sales = lines.filter((line) => line.startsWith('approval,') && !cancelled.has(line.split(',')[2]));
      const captured = new Set(lines.filter((line) => line.startsWith('capture,')).map((line) => line.split(',')[2]));
      const rows = sales
        .filter((line) => captured.has(line.split(',')[2]))
        .filter((_, n) => n % takenBackEvery === 0)
        .flatMap((line, n) => takenBack(line.split(','), at, n % 3));
      await bringRows(rows);
    },
    async slot(at: string): Promise<void> {
      setClock(at);
      const slot = `${at}+09:00`;
      const { state } = await settlement.settle(parseSlot(slot) as Temporal.Instant, { who: 'test' });
      if (state !== 'settled') throw new Error(`slot ${slot} was ${state}`);
      history.push({ slot });
      await rest();
    },
    /** Those who ask for their money want half of it, and one of them more than it has. */
    async withdraw(at: string): Promise<void> {
      setClock(at);
      const { rows } = await db.pool.query<{ merchantId: string; walletWon: bigint }>(
        `select owner as "merchantId", balance_won as "walletWon" from ledger_account a
          where kind = 'wallet' and balance_won > 0
            and exists (select from settlement_terms t where t.merchant_id = a.owner and t.payout = 'on_request')
          order by 1`,
      );
      for (const [n, { merchantId, walletWon }] of rows.entries()) {
        const amountWon = n === 0 ? walletWon + 1n : (walletWon + 1n) / 2n;
        const wanted = { merchantId, amountWon, key: `${at} ${merchantId}`, who: 'test' };
        await payouts.request(wanted).catch((error: unknown) => {
          const expected = [
            'payout_balance_short',
            'payout_below_minimum',
            'payout_account_missing',
            'hold_stands',
          ] as const;
          if (!expected.some((code) => isProblem(error, code))) throw error;
        });
        history.push({ request: { merchantId, amountWon: `${amountWon}`, on: at.slice(0, 10) } });
      }
      await rest();
    },
    /** Holds money of those that have it: half of a wallet, and all there is and comes of two that sell every day. */
    async holdSome(at: string): Promise<void> {
      setClock(at);
      const { rows } = await db.pool.query<{ merchantId: string; walletWon: bigint }>(
        `select merchant_id as "merchantId", coalesce(a.balance_won, 0) as "walletWon"
           from (select merchant_id, sum(items) from settlement group by 1 order by 2 desc, 1 limit 6) s
           left join ledger_account a on a.account = 'wallet:' || s.merchant_id order by 1`,
      );
      const rich = rows.find(({ walletWon }) => walletWon > 0n);
      const whole = rows.filter((row) => row !== rich).slice(0, 2);
      for (const { merchantId, walletWon } of [...(rich ? [rich] : []), ...whole]) {
        const amountWon = merchantId === rich?.merchantId ? walletWon / 2n : null;
        const amount = amountWon === null ? {} : { amountWon };
        const act = { by: 'test', reason: 'complaint', on: at.slice(0, 10) };
        const { hold } = await inTransaction(db.pool, (tx) => placeHold(tx, { merchantId, ...amount, ...act }));
        const id = Number(hold.id);
        history.push({ hold: { id, merchantId, amountWon: amountWon === null ? null : `${amountWon}` } });
      }
    },
    async releaseAll(at: string): Promise<void> {
      setClock(at);
      for (const { id } of await listHolds(db.pool)) {
        await inTransaction(db.pool, (tx) => releaseHold(tx, id, { by: 'test', reason: 'over', on: at.slice(0, 10) }));
        history.push({ release: { id: Number(id) } });
      }
    },
    /** What the product says, as its commands print it, and the bank's own journal. */
    async report(into: string): Promise<void> {
      mkdirSync(into, { recursive: true });
      writeFileSync(path.join(folder, 'history.json'), JSON.stringify(history));
      const say = async <Row>(...line: string[]): Promise<Row> => {
        const { said } = await runCommand(db.pool, [...line, '--json'], (program, context, output) => {
          const withEngine = <T>(work: (engine: { pool: Pool; settlement: Settlement }) => Promise<T>) =>
            work({ pool: db.pool, settlement });
          settlementCommands(program, context, withEngine, { output, now });
          ledgerCommands(program, context, { output });
          payoutCommands(program, context, { bank: 'json-van', now, output });
        });
        return JSON.parse(said) as Row;
      };
      const write = (name: string, rows: readonly object[]) =>
        writeFileSync(
          path.join(into, name),
          JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? wonToJson(value) : value)),
        );
      const days = ['--from', spec.from.toString(), '--limit', '100000'];
      const settlements = await say<{ merchantId: string; slot: string }[]>('settlement', 'list', ...days);
      const items: object[] = [];
      for (const { merchantId, slot } of settlements) {
        const { details } = await say<{ details: object[] }>('settlement', 'show', merchantId, '--slot', slot);
        items.push(...details.map((item) => ({ merchantId, slot, ...item })));
      }
      const kinds = await say<{ kind: string }[]>('ledger', 'accounts');
      const accounts = await Promise.all(kinds.map(({ kind }) => say<object[]>('ledger', 'accounts', '--kind', kind)));
      write('settlements.json', settlements);
      write('items.json', items);
      write('unsettled.json', await say('settlement', 'unsettled', '--limit', '100000'));
      write('accounts.json', accounts.flat());
      write('payouts.json', await say('payout', 'list', '--limit', '100000'));
      write('bank.json', server.transfers());
    },
    async close(): Promise<void> {
      await payouts.dispatcher.stop();
      await durable.shutdown(5_000);
      opened.close();
      await server.close();
      await db.close();
    },
  };
}

/** The records of taking back a sale: in full, in part, or in two parts that leave nothing. */
function takenBack(sale: readonly string[], at: string, how: number): string[] {
  const amountWon = Number(sale[6]);
  const part = Math.max(1, Math.floor(amountWon / 3));
  const amounts = how === 0 ? [amountWon] : how === 1 ? [part] : [part, amountWon - part];
  return amounts.flatMap((won, n) => {
    const record = won === amountWon ? 'cancel' : 'partial_cancel';
    const [seq, tradedAt] = [`${n + 1}`, `${at}:0${n}+09:00`];
    const payment = sale.with(0, record).with(3, seq).with(4, tradedAt).with(6, `-${won}`);
    const capture = payment.with(0, 'capture').with(5, at.slice(0, 10)).with(7, '0').with(8, '0').fill('', 10);
    return [payment.join(','), capture.join(',')];
  });
}

/** When a record comes in: a capture of the day itself with its payment, of a later day in that day's morning. */
function momentOf(line: string): string {
  const [record, , , , tradedAt = '', capturedOn = ''] = line.split(',');
  return record === 'capture' && !tradedAt.startsWith(capturedOn) ? `${capturedOn}T06:00` : tradedAt.slice(0, 16);
}
