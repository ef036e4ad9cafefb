// Merchants, agreements, payments and captures put into the tables by plain SQL, and slots run over them.
import type { Pool, PoolClient } from 'pg';
import { ensureLedgerDay } from '../ledger/store.ts';
import { inTransaction } from '../platform/database/pool.ts';
import {
  cycleResult,
  finishCycle,
  makeItemLeaves,
  makeSettlementLeaf,
  openCycle,
  takeCaptures,
} from './cycle-store.ts';
import type { StuckCaptures } from './set-aside-store.ts';
import { settlePart } from './settle-store.ts';
import { parseSlot } from './slot.ts';

/** A sale or a cancel as a test writes it: 1,000 won of merchant M1 at ksnet, captured on the day it was traded. */
export type Sale = {
  readonly tid: string;
  readonly won: number | bigint;
  readonly seq?: number;
  readonly kind?: 'A' | 'C' | 'P';
  readonly merchant?: string;
  readonly provider?: string;
  readonly traded?: string;
  readonly captured?: string;
  /** False: the capture comes without its payment. */
  readonly paid?: boolean;
};

export type Contract = {
  readonly from?: string;
  readonly to?: string;
  readonly ppm?: number;
  readonly fixed?: number;
  readonly min?: number;
  readonly max?: number;
  readonly rounding?: 'floor' | 'half_up' | 'half_even';
  readonly vat?: 'added' | 'included' | 'none';
  readonly cancelFee?: 'returned' | 'kept';
  readonly method?: 'card_online' | 'card_offline';
  readonly volume?: 'previous_month' | 'month_to_date';
  readonly tiers?: readonly (readonly [fromWon: number, ppm: number])[];
};

export type Terms = {
  readonly from?: string;
  readonly cycle?: string;
  readonly roll?: 'forward' | 'backward' | 'none';
  readonly at?: string;
};

export type SettleOptions = {
  readonly holidays?: readonly string[];
  readonly on?: string;
  /** Called at the end of each part's transaction. */
  readonly look?: (tx: PoolClient) => Promise<void>;
};

export const today = '2026-11-20';

export function createSettlementBooks(pool: Pool) {
  const one = async (sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows[0];
  const importOf = async (kind: string) =>
    (
      await one(`insert into import (kind, file_name, imported_by) values ($1, 'x', 'test') returning import_id`, [
        kind,
      ])
    ).import_id;

  const books = {
    /** A merchant with a contract of 1.15 % (floor, VAT added) and a cycle of five minutes, unless told otherwise. */
    async merchant(id: string, contract: Contract | null = {}, terms: Terms | null = {}): Promise<void> {
      await pool.query(`insert into merchant values ($1, $1, '1234567890', $2)`, [id, await importOf('merchants')]);
      if (contract !== null) await books.contract(id, contract);
      if (terms !== null) await books.terms(id, terms);
    },
    async contract(id: string, c: Contract = {}): Promise<number> {
      const { contract_id: contractId } = await one(
        `insert into fee_contract (merchant_id, method, valid_from, valid_to, rate_ppm, fixed_won, min_fee_won,
           max_fee_won, rounding, vat, tier_volume, cancel_fee, recorded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'test') returning contract_id`,
        [
          id,
          c.method ?? 'card_online',
          c.from ?? '2026-01-01',
          c.to ?? null,
          c.ppm ?? 11_500,
          c.fixed ?? 0,
          c.min ?? null,
          c.max ?? null,
          c.rounding ?? 'floor',
          c.vat ?? 'added',
          c.volume ?? null,
          c.cancelFee ?? 'returned',
        ],
      );
      for (const [from, ppm] of c.tiers ?? []) {
        await pool.query('insert into fee_contract_tier values ($1, $2, $3)', [contractId, from, ppm]);
      }
      return Number(contractId);
    },
    async terms(id: string, t: Terms = {}): Promise<void> {
      await pool.query(
        `insert into settlement_terms (merchant_id, valid_from, cycle, roll, due_time, payout, recorded_by)
         values ($1, $2, $3, $4, $5, 'on_request', 'test')`,
        [id, t.from ?? '2026-01-01', t.cycle ?? 'M5', t.roll ?? 'forward', t.at ?? '00:00'],
      );
    },
    async payments(sales: readonly Sale[]): Promise<void> {
      const importId = await importOf('payments');
      for (const s of sales) {
        const [provider, traded, seq] = [s.provider ?? 'ksnet', s.traded ?? today, s.seq ?? 0];
        await pool.query(`select ensure_leaf('payment', $1, $2)`, [provider, traded]);
        await pool.query(
          `insert into payment values ($1, $2::text::date, $3, $4, $5, $6, $2::text::timestamp at time zone 'Asia/Seoul', 'MID1', $7,
             '', '', '', '', '', '', 0, $8)`,
          [provider, traded, s.tid, seq, s.kind ?? (seq === 0 ? 'A' : 'C'), s.won, s.merchant ?? 'M1', importId],
        );
      }
    },
    /** One import of captures, as the import engine brings them in. */
    async captures(sales: readonly Sale[]): Promise<void> {
      const importId = await importOf('payments');
      for (const s of sales) {
        const [provider, traded, seq] = [s.provider ?? 'ksnet', s.traded ?? today, s.seq ?? 0];
        const captured = s.captured ?? traded;
        await pool.query(`select ensure_leaf('capture', $1, $2)`, [provider, captured]);
        await pool.query(`insert into capture values ($1, $2, $3, $4, $5, $6, 0, 0, $7, 'MID1', $8)`, [
          provider,
          captured,
          s.tid,
          seq,
          seq === 0 ? 'A' : 'C',
          s.won,
          traded,
          importId,
        ]);
      }
      await pool.query(
        `insert into capture_arrival (import_id, provider, captured_on, captures)
         select import_id, provider, captured_on, count(*) from capture where import_id = $1 group by 1, 2, 3`,
        [importId],
      );
    },
    /** Payments and their captures in one go. */
    async sales(sales: readonly Sale[]): Promise<void> {
      await books.payments(sales.filter(({ paid }) => paid !== false));
      await books.captures(sales);
    },
    /** Runs a slot as the workflow does, without the durable engine. `12:05` is a slot of the day. */
    async settle(time: string, options: SettleOptions = {}) {
      const slotText = `${options.on ?? today}T${time}+09:00`;
      const slot = parseSlot(slotText) as Temporal.Instant;
      const settledOn = options.on ?? today;
      const runId = `settle:${slotText}`;
      await inTransaction(pool, (tx) => openCycle(tx, { slot, runId, who: 'test' }));
      const parts = await inTransaction(pool, (tx) => takeCaptures(tx, slot, runId, 200_000));
      await makeSettlementLeaf(pool, settledOn);
      await ensureLedgerDay(pool, settledOn);
      await makeItemLeaves(pool, slot, runId);
      const stuck: StuckCaptures[] = [];
      for (let part = 0; part < parts; part += 1) {
        const holidays = new Set(options.holidays);
        const work = { runId, slot, slotText, settledOn, part, parts, holidays, findingAfter: 3 };
        await inTransaction(pool, async (tx) => {
          stuck.push(...(await settlePart(tx, work)).stuck);
          await options.look?.(tx);
        });
      }
      await inTransaction(pool, (tx) => finishCycle(tx, runId, null));
      return { ...(await cycleResult(pool, slot)), stuck };
    },
    /** Items as `tid/seq amount fee vat rule`. */
    async items(): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select concat_ws(' ', provider_tid || '/' || cancel_seq, amount_won, fee_won, vat_won, rule) as text
           from settlement_item order by provider_tid, cancel_seq`,
      );
      return rows.map(({ text }) => text);
    },
    /** Captures that wait, as `tid/seq reason attempts due`. */
    async unsettled(): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select concat_ws(' ', provider_tid || '/' || cancel_seq, coalesce(reason, '-'), attempts,
                  to_char(due_at at time zone 'Asia/Seoul', 'YYYY-MM-DD HH24:MI')) as text
           from unsettled_capture order by provider_tid, cancel_seq`,
      );
      return rows.map(({ text }) => text);
    },
    /** What the accounts hold that hold anything, as `account won`. */
    async balances(): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select account || ' ' || balance_won as text from ledger_account where balance_won <> 0 order by account`,
      );
      return rows.map(({ text }) => text);
    },
  };
  return books;
}
