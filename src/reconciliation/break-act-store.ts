import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { BreakFilter, Parameters } from './break-filter.ts';
import { breakCondition, createParameters, stateCondition } from './break-filter.ts';
import type { BreakState, Resolution, ResolutionByHand } from './words.ts';

/** What a person may do to breaks. Each kind names the states it starts from: `actStarts`. */
export type BreakAct =
  | { readonly action: 'assign'; readonly to: string | null }
  | { readonly action: 'comment' }
  | { readonly action: 'investigate' }
  | { readonly action: 'resolve'; readonly as: ResolutionByHand };

/** The breaks to act on: these, or all that a filter takes in. */
export type BreakTarget = { readonly ids: readonly number[] } | { readonly filter: BreakFilter };

export type ActOutcome = {
  readonly changed: number;
  readonly differenceWon: bigint;
  /** The first of those that were changed. */
  readonly changedIds: readonly number[];
  /** Named breaks that were not in a state the act starts from, and who brought them there. */
  readonly refused: readonly RefusedBreak[];
};
export type RefusedBreak = {
  readonly id: number;
  readonly state: BreakState;
  readonly resolution: Resolution | null;
  readonly assignedTo: string | null;
  readonly by: string | null;
  readonly at: string | null;
};

/** The states from which an act starts; in any other it is refused. A comment may be made on history too. */
const actStarts: Readonly<Record<BreakAct['action'], readonly BreakState[]>> = {
  assign: ['open', 'investigating'],
  comment: ['open', 'investigating', 'resolved'],
  investigate: ['open'],
  resolve: ['open', 'investigating'],
};

/** Numbers of changed breaks that an act by filter tells. */
const changedShown = 1000;

const eventActions = {
  assign: 'assigned',
  comment: 'commented',
  investigate: 'investigating',
  resolve: 'resolved',
} as const satisfies Record<BreakAct['action'], string>;

/**
 * Does `act` to every break of `target` that stands in a state it starts from, and appends to their trails, in one
 * statement: of two acts at the same moment one wins, and the other finds the break where the first left it.
 * @throws Problem `not_found` where an id names no break; then nothing is done
 */
export async function actOnBreaks(
  pool: Pool,
  target: BreakTarget,
  act: BreakAct,
  by: { readonly who: string; readonly why: string | null },
): Promise<ActOutcome> {
  if ('ids' in target) await refuseUnknown(pool, target.ids);
  const parameters = createParameters();
  const where = targetCondition(target, act, parameters);
  const sql = `with target as materialized (
       select b.break_id, b.state, b.difference_won from break b where ${where} order by b.break_id for update
     ), changed as (${changeSql(act, parameters)}),
     trail as (
       insert into break_event (break_id, who, action, from_state, to_state, note)
       select break_id, ${parameters.add(by.who)}::text, '${eventActions[act.action]}', from_state, to_state,
              ${parameters.add(noteOf(act, by.why))}::text
         from changed order by break_id
     )
     select ${changedIds(target)} as ids,
            count(*)::text as count, coalesce(sum(difference_won), 0)::text as won
       from changed`;
  const { rows } = await inTransaction(pool, (tx) => tx.query<ChangedRow>(sql, [...parameters.values]));
  return toOutcome(pool, target, rows[0]);
}

/**
 * What `actOnBreaks` would do now, without doing it.
 * @throws Problem `not_found` where an id names no break
 */
export async function countTargets(pool: Pool, target: BreakTarget, act: BreakAct): Promise<ActOutcome> {
  if ('ids' in target) await refuseUnknown(pool, target.ids);
  const parameters = createParameters();
  const where = targetCondition(target, act, parameters);
  const { rows } = await pool.query<ChangedRow>(
    `with changed as materialized (select b.break_id, b.difference_won from break b where ${where})
     select ${changedIds(target)} as ids, count(*)::text as count, coalesce(sum(difference_won), 0)::text as won
       from changed`,
    [...parameters.values],
  );
  return toOutcome(pool, target, rows[0]);
}

/** Named ones are all told; of a filter's the first, for it may take in a million. */
function changedIds(target: BreakTarget): string {
  return `array(select break_id::text from changed order by break_id limit ${'ids' in target ? target.ids.length : changedShown})`;
}

type ChangedRow = { ids: string[]; count: string; won: string };

async function toOutcome(pool: Pool, target: BreakTarget, row: ChangedRow | undefined): Promise<ActOutcome> {
  const done = new Set(row?.ids.map(Number));
  const left = 'ids' in target ? target.ids.filter((id) => !done.has(id)) : [];
  return {
    changed: Number(row?.count ?? 0),
    differenceWon: BigInt(row?.won ?? 0),
    changedIds: (row?.ids ?? []).map(Number),
    refused: left.length === 0 ? [] : await whereTheyStand(pool, left),
  };
}

/** The rows an act takes: those meant, in a state it starts from, and not already as it would leave them. */
function targetCondition(target: BreakTarget, act: BreakAct, parameters: Parameters): string {
  const meant =
    'ids' in target
      ? `b.break_id = any (${parameters.add(target.ids)}::bigint[])`
      : breakCondition(target.filter, parameters);
  const starts = stateCondition(actStarts[act.action]);
  const differs = act.action === 'assign' ? ` and b.assigned_to is distinct from ${parameters.add(act.to)}::text` : '';
  return `${meant} and ${starts}${differs}`;
}

// The lock of `target` holds the from-state; naming it here again would lose rows that changed while we waited for it,
// for the update's own look at the table is older than the lock's.
function changeSql(act: BreakAct, parameters: Parameters): string {
  const update = (change: string, toState: string): string =>
    `update break b set ${change} from target t where b.break_id = t.break_id
     returning b.break_id, t.state as from_state, ${toState} as to_state, t.difference_won`;
  switch (act.action) {
    case 'assign':
      return update(`assigned_to = ${parameters.add(act.to)}::text`, 't.state');
    case 'comment':
      return 'select break_id, state as from_state, state as to_state, difference_won from target';
    case 'investigate':
      return update("state = 'investigating'", 'b.state');
    case 'resolve':
      return update(`state = 'resolved', resolution = ${parameters.add(act.as)}::text, resolved_at = now()`, 'b.state');
  }
}

/** What the trail says besides who, when and which state: the assignee or the resolution, then the reason. */
function noteOf(act: BreakAct, why: string | null): string | null {
  const what = act.action === 'assign' ? `→ ${act.to ?? '—'}` : act.action === 'resolve' ? act.as : null;
  const parts = [what, why].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(': ');
}

async function refuseUnknown(pool: Pool, ids: readonly number[]): Promise<void> {
  const { rows } = await pool.query<{ ids: string | null }>(
    `select string_agg(id::text, ', ' order by id) as ids from unnest($1::bigint[]) id
      where not exists (select from break b where b.break_id = id)`,
    [ids],
  );
  const unknown = rows[0]?.ids ?? null;
  if (unknown !== null) throw new Problem('not_found', { what: 'break', id: unknown });
}

async function whereTheyStand(pool: Pool, ids: readonly number[]): Promise<readonly RefusedBreak[]> {
  const { rows } = await pool.query<Omit<RefusedBreak, 'id'> & { id: string }>(
    `select b.break_id::text as id, b.state, b.resolution, b.assigned_to as "assignedTo", e.who as by,
            to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
       from break b left join lateral (
         select who, at from break_event e where e.break_id = b.break_id and e.action <> 'commented'
          order by event_id desc limit 1) e on true
      where b.break_id = any ($1::bigint[]) order by b.break_id`,
    [ids],
  );
  return rows.map((row) => ({ ...row, id: Number(row.id) }));
}
