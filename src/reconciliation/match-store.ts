import type { PoolClient } from 'pg';
import type { MatchingSpec } from '../providers/matching.ts';
import { markStale, noteReconciled, reconciledInputs, stageInputs } from './input-store.ts';
import { judge } from './judgement-store.ts';
import { layOutResidue, pairResidue } from './residue-store.ts';
import type { StageDay } from './stage-sql.ts';
import { bringBreaksInLine, endWaiting, notePairings, replaceOpenItems, takeBackPairings } from './verdict-store.ts';
import { joinWholeDay } from './whole-day-store.ts';

/** What matching a stage of a day did; `alsoStale` are other days that must be computed anew because of it. */
export type MatchOutcome = {
  readonly outcome: 'reconciled' | 'unchanged';
  readonly lines: number;
  readonly alsoStale: string[];
};

/**
 * 대사. Reconciles one stage of one provider for one business day, in the caller's transaction. A function of its
 * inputs: the same statements and records give the same breaks, and unchanged inputs are left alone. Records that
 * arrive while it computes are noticed at its end, and the transaction is tried again (SQLSTATE 40001).
 *
 * `mids` says which MIDs have their files in, and limits our side to them; null for all. It is asked while nobody else
 * matches: another run may bring a file in before. The leaves of the day must exist.
 */
export async function matchStage(
  tx: PoolClient,
  day: StageDay,
  matching: MatchingSpec,
  options: { readonly runId: string; readonly mids: null | (() => Promise<readonly string[] | null>) },
): Promise<MatchOutcome> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`match ${day.provider} ${day.stage}`]);
  const inputsNow = async () => stageInputs(tx, day, options.mids === null ? null : await options.mids());
  const inputs = await inputsNow();
  if ((await reconciledInputs(tx, day)) === inputs.inputs) return { outcome: 'unchanged', lines: 0, alsoStale: [] };
  const alsoStale = await takeBackPairings(tx, day, inputs);
  await joinWholeDay(tx, day, inputs, matching);
  await layOutResidue(tx, day, inputs, matching);
  await pairResidue(tx, matching);
  await noteReconciled(tx, day, inputs, options.runId);
  await judge(tx, day, inputs, matching);
  await notePairings(tx, day, options.runId);
  await bringBreaksInLine(tx, day, inputs, options.runId);
  await replaceOpenItems(tx, day);
  await endWaiting(tx, day, matching, options.runId);
  await markStale(tx, day.provider, day.stage, alsoStale);
  if ((await inputsNow()).inputs !== inputs.inputs) throw inputsChanged();
  return { outcome: 'reconciled', lines: Number(inputs.lines), alsoStale };
}

/** An error that the durable transaction takes for a conflict, and tries again. */
function inputsChanged(): Error {
  return Object.assign(new Error('records of the day arrived while it was reconciled'), { code: '40001' });
}

/** Earlier days whose statements are in but that were never matched, since their run died or failed before; oldest first. */
export async function unmatchedDays(tx: PoolClient, { provider, stage, on }: StageDay): Promise<Temporal.PlainDate[]> {
  const { rows } = await tx.query<{ day: string }>(
    `select distinct business_on::text as day from statement s
     where provider = $1 and stage = $2 and state = 'imported' and business_on between $3::date - 31 and $3::date - 1
       and not exists (select from reconciled_stage r where r.provider = s.provider and r.stage = s.stage
                         and r.business_on = s.business_on) order by 1`,
    [provider, stage, on.toString()],
  );
  return rows.map((row) => Temporal.PlainDate.from(row.day));
}

/** Days whose stage was reconciled before but whose inputs have changed since, oldest first, without `on`. */
export async function staleDays(tx: PoolClient, day: StageDay): Promise<Temporal.PlainDate[]> {
  const { rows } = await tx.query<{ business_on: string; inputs: string; mids: string | null }>(
    `select business_on::text, inputs, substring(inputs from 'mids (.*)$') as mids from reconciled_stage
     where provider = $1 and stage = $2 and business_on <> $3 and business_on >= $3::date - 31 order by business_on`,
    [day.provider, day.stage, day.on.toString()],
  );
  const stale: Temporal.PlainDate[] = [];
  for (const row of rows) {
    const on = Temporal.PlainDate.from(row.business_on);
    const mids = row.mids === null || row.mids === 'all' ? null : row.mids.split(',');
    const now = await stageInputs(tx, { ...day, on }, mids);
    if (now.inputs !== row.inputs) stale.push(on);
  }
  return stale;
}
