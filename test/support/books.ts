import type { Pool } from 'pg';
import { inTransaction } from '../../src/platform/database/pool.ts';
import { captureMatching, transactionMatching } from '../../src/providers/matching.ts';
import type { Stage } from '../../src/providers/stage.ts';
import { type MatchOutcome, matchStage, staleDays } from '../../src/reconciliation/match-store.ts';

/** A record of ours or a line of theirs, as a test writes it; the rest has plain values that agree on both sides. */
export type Entry = {
  readonly tid: string;
  readonly seq?: number;
  readonly won: number;
  readonly kind?: 'A' | 'C' | 'P';
  readonly time?: string;
  /** The day that the record itself names, if not the day of its books or file. */
  readonly dated?: string;
  readonly approvalNo?: string;
  readonly orderNo?: string;
  readonly cardNo?: string;
  readonly result?: 'A' | 'R' | 'H' | 'L';
  readonly fee?: number;
  readonly vat?: number;
  readonly net?: number;
};

/** Books and statements of one provider, put into the tables by plain SQL, and the matching run over them. */
export function createBooks(pool: Pool, provider = 'welcome-online') {
  const leaf = (table: string, day: string) => pool.query('select ensure_leaf($1, $2, $3)', [table, provider, day]);
  const insertId = async (sql: string, values: unknown[]) =>
    Number(Object.values((await pool.query(sql, values)).rows[0])[0]);
  let runs = 0;

  const books = {
    provider,
    async payments(day: string, entries: readonly Entry[]): Promise<void> {
      await leaf('payment', day);
      const importId = await insertId(
        `insert into import (kind, file_name, imported_by) values ('payments', 'x', 'test') returning import_id`,
        [],
      );
      for (const e of entries) {
        await pool.query(
          `insert into payment values ($1, $2::text::date, $3, $4, $5, $6, ($2::text || ' ' || $7)::timestamp at time zone 'Asia/Seoul',
             'MID1', 'M1', $8, $9, '04', '04', 'CM1', $10, 0, $11)`,
          [
            provider,
            day,
            e.tid,
            e.seq ?? 0,
            e.kind ?? (e.won > 0 ? 'A' : 'C'),
            e.won,
            e.time ?? '12:00',
            e.orderNo ?? `O-${e.tid}`,
            e.approvalNo ?? `A-${e.tid}`,
            e.cardNo ?? '123456******1234',
            importId,
          ],
        );
      }
      const approved = entries.reduce((sum, e) => sum + Math.max(e.won, 0), 0);
      const cancelled = entries.reduce((sum, e) => sum + Math.min(e.won, 0), 0);
      await pool.query(`insert into payment_total values ($1, $2, 'MID1', $3, $4, $5, $6)`, [
        provider,
        day,
        importId,
        entries.length,
        approved,
        cancelled,
      ]);
    },
    async captures(day: string, entries: readonly Entry[]): Promise<void> {
      await leaf('capture', day);
      const importId = await insertId(
        `insert into import (kind, file_name, imported_by) values ('payments', 'x', 'test') returning import_id`,
        [],
      );
      for (const e of entries) {
        await pool.query(`insert into capture values ($1, $2, $3, $4, $5, $6, $7, $8, $2, 'MID1', $9)`, [
          provider,
          day,
          e.tid,
          e.seq ?? 0,
          e.won > 0 ? 'A' : 'C',
          e.won,
          e.fee ?? 0,
          e.vat ?? 0,
          importId,
        ]);
      }
      await pool.query(`insert into capture_total values ($1, $2, $2, 'MID1', $3, $4, $5, 0, 0)`, [
        provider,
        day,
        importId,
        entries.length,
        entries.reduce((sum, e) => sum + e.won, 0),
      ]);
    },
    /** A statement of a stage, or its next version; returns the load. */
    async statement(stage: Stage, day: string, entries: readonly Entry[], file = 'file'): Promise<number> {
      await leaf(`${stage}_line`, day);
      const old = await pool.query(
        `update statement set state = 'superseded' where provider = $1 and stage = $2 and business_on = $3 and file_name = $4
         returning version`,
        [provider, stage, day, file],
      );
      const loadId = await insertId(
        `with s as (
           insert into statement (provider, stage, business_on, file_name, version, sha256, bytes, archive_path, source, received_by)
           values ($1, $2, $3, $4, $5::int, lpad($5::int::text, 64, '0'), 1, 'x', 'folder', 'test') returning statement_id)
         insert into statement_load (statement_id) select statement_id from s returning load_id`,
        [provider, stage, day, file, (old.rowCount ?? 0) + 1],
      );
      for (const [n, e] of entries.entries()) await insertLine(pool, provider, stage, day, loadId, n + 2, e);
      const keys = new Set<string>();
      for (const [n, e] of entries.entries()) {
        const key = `${e.tid}/${e.seq ?? 0}`;
        if (keys.has(key)) {
          await pool.query('insert into statement_suspect values ($1, $2, $3, $4)', [loadId, n + 2, e.tid, e.seq ?? 0]);
        }
        keys.add(key);
      }
      await pool.query(
        `update statement_load set finished_at = now(), lines = $2, amount_won = $3, fee_won = $4, vat_won = $5,
           net_won = $6, declared_won = $3, unreadable = 0 where load_id = $1`,
        [
          loadId,
          entries.length,
          ...(['won', 'fee', 'vat'] as const).map((name) => entries.reduce((sum, e) => sum + (e[name] ?? 0), 0)),
          entries.reduce((sum, e) => sum + (e.net ?? e.won - (e.fee ?? 0) - (e.vat ?? 0)), 0),
        ],
      );
      await pool.query(
        `update statement set state = 'imported', load_id = $1
         where statement_id = (select statement_id from statement_load where load_id = $1)`,
        [loadId],
      );
      return loadId;
    },
    /** Matches a day and whatever it makes stale, as the workflow does. */
    async match(stage: Stage, on: string): Promise<MatchOutcome> {
      runs += 1;
      const runId = `run ${runs}`;
      const matching = stage === 'transaction' ? transactionMatching : captureMatching;
      const one = async (day: Temporal.PlainDate) => {
        await leaf(stage === 'transaction' ? 'payment' : 'capture', day.toString());
        await leaf(`${stage}_line`, day.toString());
        return inTransaction(pool, (tx) =>
          matchStage(tx, { provider, stage, on: day }, matching, { runId, mids: null }),
        );
      };
      const day = Temporal.PlainDate.from(on);
      const outcome = await one(day);
      const stale = await inTransaction(pool, (tx) => staleDays(tx, { provider, stage, on: day }));
      for (const other of stale) await one(other);
      return outcome;
    },
    /** The differences that exist, as `day kind tid/seq difference state`. */
    async breaks(stage: Stage | 'deposit' = 'transaction'): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select concat_ws(' ', business_on, kind, provider_tid || '/' || cancel_seq, difference_won, state) as text
         from break where provider = $1 and stage = $2 and gone_at is null order by business_on, kind, provider_tid`,
        [provider, stage],
      );
      return rows.map((row) => row.text);
    },
    /** The differences that have gone, as `day kind tid/seq resolution`. */
    async goneBreaks(stage: Stage = 'transaction'): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select concat_ws(' ', business_on, kind, provider_tid || '/' || cancel_seq, resolution) as text
         from break where provider = $1 and stage = $2 and gone_at is not null order by business_on, kind, provider_tid`,
        [provider, stage],
      );
      return rows.map((row) => row.text);
    },
    /** The pairs that were not plainly equal, as `ours_on tid → theirs_on line pass outcome`. */
    async pairings(stage: Stage = 'transaction'): Promise<string[]> {
      const { rows } = await pool.query<{ text: string }>(
        `select concat_ws(' ', ours_on, provider_tid, '→', theirs_on, line_no, pass, outcome) as text
         from pairing where provider = $1 and stage = $2 order by ours_on, provider_tid`,
        [provider, stage],
      );
      return rows.map((row) => row.text);
    },
  };
  return books;
}

async function insertLine(
  pool: Pool,
  provider: string,
  stage: Stage,
  day: string,
  loadId: number,
  lineNo: number,
  e: Entry,
): Promise<void> {
  const common: Record<string, unknown> = {
    provider,
    statement_on: day,
    load_id: loadId,
    line_no: lineNo,
    kind: e.kind ?? (e.won > 0 ? 'A' : 'C'),
    cancel_seq: e.seq ?? 0,
    amount_won: e.won,
    provider_tid: e.tid,
    mid: 'MID1',
    approval_no: e.approvalNo ?? `A-${e.tid}`,
    order_no: e.orderNo ?? `O-${e.tid}`,
    acquirer: '04',
    card_merchant_no: 'CM1',
    traded_on: e.dated ?? day,
  };
  const fee = e.fee ?? 0;
  const vat = e.vat ?? 0;
  const own: Record<Stage, Record<string, unknown>> = {
    transaction: { traded_time: e.time ?? '12:00', instalments: 0, card_no: e.cardNo ?? '123456******1234' },
    capture: { captured_on: e.dated ?? day, result: e.result ?? 'A', result_code: '60' },
    settlement: {
      captured_on: e.dated ?? day,
      pay_in_on: day,
      fee_won: fee,
      vat_won: vat,
      net_won: e.net ?? e.won - fee - vat,
    },
  };
  const row = { ...common, ...own[stage] };
  const names = Object.keys(row);
  await pool.query(
    `insert into ${stage}_line (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(row),
  );
}
