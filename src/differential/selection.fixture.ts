// Small merchants, their cards, sales and cancels put into the tables by plain SQL, and batches selected over them.
import type { Pool } from 'pg';
import { inTransaction } from '../platform/database/pool.ts';
import type { DifferenceRounding, DifferentialProvider } from '../providers/differential.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { openBatch } from './batch-store.ts';
import { closeSelection, planSelection } from './plan-store.ts';
import { selectPart } from './select-store.ts';

/** A sale or cancel as a test writes it: of merchant M1, charged `fee` and VAT of it, captured on the day of its trade. */
export type Charged = {
  readonly tid: string;
  readonly won: number | bigint;
  readonly fee: number | bigint;
  readonly vat: number | bigint;
  readonly on: string;
  readonly captured?: string;
  readonly seq?: number;
  readonly type?: 'A' | 'C' | 'P';
  readonly merchant?: string;
  readonly channel?: string;
  readonly card?: string;
  readonly acquirer?: string;
  readonly mid?: string;
  /** False: its payment (or its capture) has not come in. */
  readonly paid?: boolean;
  readonly captures?: boolean;
};

export const [credit, check] = ['540926', '470587'];

/** Welcome without the registration that it wants, so that a test says when it is about that. */
export function unregistered(id: string, rounding: Partial<DifferenceRounding> = {}): DifferentialProvider {
  const known: DifferentialProvider = differentialProviderOf(id);
  const { registration: _, ...differential } = known.differential;
  return { ...known, differential: { ...differential, rounding: { ...differential.rounding, ...rounding } } };
}

export function createClaimBooks(pool: Pool) {
  const run = async (sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows;
  const importOf = async (kind: string): Promise<bigint> =>
    (
      await run(`insert into import (kind, file_name, imported_by) values ($1, 'x', 'test') returning import_id`, [
        kind,
      ])
    )[0].import_id;

  const books = {
    /** Makes the two BINs known: `540926` credit, `470587` check. */
    async cards(from = '2018-01-01'): Promise<void> {
      await run(
        `insert into card_bin (bin, card_type, valid_from, recorded_by) values ($1, 'C', $3, 'test'), ($2, 'K', $3, 'test')`,
        [credit, check, from],
      );
    },
    async card(bin: string, type: 'C' | 'K', from = '2018-01-01'): Promise<void> {
      await run(`insert into card_bin (bin, card_type, valid_from, recorded_by) values ($1, $2, $3, 'test')`, [
        bin,
        type,
        from,
      ]);
    },
    /** A merchant, and its tier by half-year: `{ '2026H2': 0 }`. */
    async merchant(id: string, tiers: Readonly<Record<string, number>>, businessNo = '1234567891'): Promise<void> {
      await run('insert into merchant values ($1, $1, $2, $3)', [id, businessNo, await importOf('merchants')]);
      for (const [half, tier] of Object.entries(tiers)) await books.tier(businessNo, half, tier);
    },
    async tier(businessNo: string, half: string, tier: number): Promise<void> {
      await run(`insert into merchant_tier (business_no, half, tier, recorded_by) values ($1, $2, $3, 'test')`, [
        businessNo,
        half,
        tier,
      ]);
    },
    async sales(sales: readonly Charged[]): Promise<void> {
      const importId = await importOf('payments');
      for (const s of sales) {
        const [channel, seq, captured] = [s.channel ?? 'ksnet', s.seq ?? 0, s.captured ?? s.on];
        const type = s.type ?? (seq === 0 ? 'A' : 'C');
        if (s.paid !== false) {
          await run(`select ensure_leaf('payment', $1, $2)`, [channel, s.on]);
          await run(
            `insert into payment values ($1, $2::text::date, $3, $4, $5, $6, $2::text::timestamp at time zone 'Asia/Seoul', $7, $8,
               'O-' || $3, '', $9, $9, '', $10 || '******1234', 0, $11)`,
            [
              channel,
              s.on,
              s.tid,
              seq,
              type,
              s.won,
              s.mid ?? 'MID1',
              s.merchant ?? 'M1',
              s.acquirer ?? '04',
              s.card ?? credit,
              importId,
            ],
          );
          await run(
            `insert into payment_total values ($1, $2, $3, $4, 1, 0, 0) on conflict (provider, traded_on, mid, import_id)
             do update set payments = payment_total.payments + 1`,
            [channel, s.on, s.mid ?? 'MID1', importId],
          );
        }
        if (s.captures === false) continue;
        await run(`select ensure_leaf('capture', $1, $2)`, [channel, captured]);
        await run(`insert into capture values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, [
          channel,
          captured,
          s.tid,
          seq,
          seq === 0 ? 'A' : 'C',
          s.won,
          s.fee,
          s.vat,
          s.on,
          s.mid ?? 'MID1',
          importId,
        ]);
        await run(
          `insert into capture_total values ($1, $2, $3, $4, $5, 1, 0, 0, 0)
           on conflict (provider, captured_on, traded_on, mid, import_id) do update set captures = capture_total.captures + 1`,
          [channel, captured, s.on, s.mid ?? 'MID1', importId],
        );
      }
    },
    /** Selects a day as the workflow does, without the durable engine; all parts at the same time where there are several. */
    async select(provider: DifferentialProvider, on: string, perPart = 200_000) {
      const { batchId } = await inTransaction(pool, (tx) =>
        openBatch(tx, { provider, on, runId: `differential:${provider.id}:${on}`, who: 'test' }),
      );
      const parts = await inTransaction(pool, (tx) => planSelection(tx, batchId, provider, perPart));
      await Promise.all(
        Array.from({ length: parts }, (_, part) =>
          inTransaction(pool, (tx) => selectPart(tx, { batchId, provider, part, parts })),
        ),
      );
      const counts = await inTransaction(pool, (tx) => closeSelection(tx, batchId, provider));
      return { batchId, parts, ...counts };
    },
    /** Claims as `tid/seq state tier+card rate preferential difference rule reason`. */
    async claims(where = 'true'): Promise<string[]> {
      const rows = await run(
        `select concat_ws(' ', provider_tid || '/' || cancel_seq, state, tier || coalesce(card_type::text, '?'), rate_ppm,
                  coalesce(preferential_won::text, '-'), coalesce(difference_won::text, '-'), rule, reason) as text
           from claim where ${where} order by provider_tid, cancel_seq`,
      );
      return rows.map(({ text }) => text);
    },
    async events(): Promise<string[]> {
      const rows = await run(
        `select concat_ws(' ', provider_tid || '/' || cancel_seq, event, reason) as text from claim_event order by event_id`,
      );
      return rows.map(({ text }) => text);
    },
  };
  return books;
}
