import { closeFinding, openFinding } from '../findings/store.ts';
import { Problem } from '../kernel/problem.ts';
import type { PoolClient, Queryable } from '../platform/database/pool.ts';

/** 은행 통제. What an operator set for a bank, and how its circuit stands. */
export type BankControl = {
  readonly bank: string;
  readonly transferLimit: number;
  readonly paused: boolean;
  readonly approvalOverWon: bigint;
  readonly failures: number;
  readonly openUntil: Temporal.Instant | undefined;
  readonly changedBy: string;
  readonly changedAt: Temporal.Instant;
  readonly reason: string;
  readonly inHand: number;
  readonly waiting: number;
};

export type ControlChange = {
  readonly transferLimit?: number;
  readonly paused?: boolean;
  readonly approvalOverWon?: bigint;
};

/** 회로 차단. So many technical failures in a row open the circuit; it stays open longer each time it is tried in vain. */
export const circuit = { openAfter: 10, firstMs: 10_000, mostMs: 300_000 };

/** Makes the controls of a bank that has none yet, with the defaults. */
export async function ensureControl(db: Queryable, bank: string): Promise<void> {
  await db.query(
    `insert into bank_control (bank, changed_by, reason) select $1, 'jeongsan', 'defaults'
      where not exists (select from bank_control where bank = $1) on conflict do nothing`,
    [bank],
  );
}

export async function listControls(db: Queryable): Promise<BankControl[]> {
  type Row = Omit<BankControl, 'openUntil' | 'changedAt'> & { openUntil: Date | null; changedAt: Date };
  const { rows } = await db.query<Row>(
    `select bank, transfer_limit as "transferLimit", paused, approval_over_won as "approvalOverWon", failures,
            open_until as "openUntil", changed_by as "changedBy", changed_at as "changedAt", reason,
            (select count(*)::int from payout p where p.bank = c.bank and claimed_by is not null) as "inHand",
            (select count(*)::int from payout p where p.bank = c.bank and claimed_by is null
                and state in ('created', 'holder_checked', 'sent', 'unknown')) as waiting
       from bank_control c order by bank`,
  );
  return rows.map((row) => ({
    ...row,
    openUntil: row.openUntil?.toTemporalInstant(),
    changedAt: row.changedAt.toTemporalInstant(),
  }));
}

/**
 * Changes what is given; workers heed it at their next look, in fractions of a second.
 * The database refuses a higher `approvalOverWon`: that is for two people.
 * @throws Problem `not_found` for a bank that has no controls
 */
export async function changeControl(
  db: Queryable,
  bank: string,
  change: ControlChange,
  by: { readonly who: string; readonly reason: string },
): Promise<void> {
  const { rowCount } = await db.query(
    `update bank_control set transfer_limit = coalesce($2, transfer_limit), paused = coalesce($3, paused),
            approval_over_won = coalesce($4, approval_over_won), changed_by = $5, changed_at = clock_timestamp(), reason = $6
      where bank = $1`,
    [bank, change.transferLimit ?? null, change.paused ?? null, change.approvalOverWon ?? null, by.who, by.reason],
  );
  if (rowCount === 0) throw new Problem('not_found', { what: 'bank', id: bank });
}

/**
 * Counts technical failures in a row; a word of the bank begins anew and closes the circuit. What fails while it is
 * open was under way before, and does not keep it open longer.
 */
export async function countTechnical(
  tx: PoolClient,
  bank: string,
  { failures, heard }: { readonly failures: number; readonly heard: boolean },
  now: Temporal.Instant,
): Promise<void> {
  if (failures === 0 && !heard) return;
  const { rows } = await tx.query<{ failures: number; before: number; openUntil: Date | null }>(
    `with held as materialized (
       select bank, failures, open_until from bank_control
        where bank = $1 and case when $3 then failures > 0 or $2 > 0 else open_until is null or open_until <= $4 end
          for update
     ), counted as (
       select bank, failures as before, case when $3 then $2 else failures + $2 end as failures from held
     )
     update bank_control b
        set failures = c.failures,
            open_until = case when c.failures >= $5
              then $4::timestamptz + make_interval(secs => least($7, $6 * 2 ^ least(c.failures - $5, 20)) / 1000) end
       from counted c where b.bank = c.bank
     returning b.failures, c.before, b.open_until as "openUntil"`,
    [bank, failures, heard, now.toString(), circuit.openAfter, circuit.firstMs, circuit.mostMs],
  );
  const [row] = rows;
  if (row === undefined) return;
  const subject = `bank:${bank}`;
  if (row.openUntil !== null) {
    const detail = { bank, failures: row.failures, openUntil: row.openUntil.toISOString() };
    await openFinding(tx, { kind: 'bank_circuit_open', subject, audience: 'in_charge', detail });
  } else if (row.before >= circuit.openAfter) {
    await closeFinding(tx, { kind: 'bank_circuit_open', subject, by: 'jeongsan' });
  }
}
