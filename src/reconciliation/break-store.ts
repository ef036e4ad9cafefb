import type { Pool, PoolClient } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { BreakFilter } from './break-filter.ts';
import { breakCondition, createParameters } from './break-filter.ts';
import type { BreakKind, ReconciledStage } from './outcome.ts';
import type { BreakState, Resolution } from './words.ts';

/** 불일치. One break as it stands; `ours` and `theirs` are the records it was found on. Amounts are signed won. */
export type Break = {
  readonly id: number;
  readonly provider: string;
  readonly stage: ReconciledStage;
  readonly on: string;
  readonly kind: BreakKind;
  readonly providerTid: string | null;
  readonly cancelSeq: number | null;
  readonly line: number | null;
  readonly file: string | null;
  /** Theirs − ours; null where it cannot be known. */
  readonly differenceWon: bigint | null;
  readonly state: BreakState;
  readonly resolution: Resolution | null;
  readonly assignedTo: string | null;
  readonly openedAt: string;
  readonly escalatedAt: string | null;
  /** Since when the difference itself no longer exists. */
  readonly goneAt: string | null;
  /** The pass that paired it. */
  readonly pass: string | null;
  readonly ours: BreakRecord | null;
  readonly theirs: BreakRecord | null;
};

/** A record as it was kept with the break: whole numbers are exact. */
export type BreakRecord = Readonly<Record<string, unknown>>;

export type BreakEvent = {
  readonly at: string;
  readonly who: string;
  readonly action: string;
  readonly fromState: BreakState | null;
  readonly toState: BreakState;
  readonly note: string | null;
};

export type BreakDetail = Break & {
  readonly identity: string;
  readonly oursOn: string | null;
  readonly openedRun: string;
  readonly resolvedAt: string | null;
  readonly statement: {
    readonly file: string;
    readonly version: number;
    readonly sha256: string;
    readonly archivePath: string;
  } | null;
  readonly events: readonly BreakEvent[];
};

/** How many breaks, what they come to in signed won, and how much they differ whichever way. */
export type BreakTotals = { readonly count: number; readonly differenceWon: bigint; readonly absoluteWon: bigint };

const utc = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

// Everything that could lose digits on its way through the driver travels as text.
const columns = `b.break_id::text as id, b.provider, b.stage, b.business_on::text as "on", b.kind,
  b.provider_tid as "providerTid", b.cancel_seq as "cancelSeq", b.line_no as line, s.file_name as file,
  b.difference_won::text as "differenceWon", b.state, b.resolution, b.assigned_to as "assignedTo",
  ${utc('b.opened_at')} as "openedAt", ${utc('b.escalated_at')} as "escalatedAt",
  ${utc('b.gone_at')} as "goneAt", b.pass,
  b.ours::text as ours, b.theirs::text as theirs`;

const withStatement = 'break b left join statement_load l using (load_id) left join statement s using (statement_id)';

type BreakRow = Omit<Break, 'id' | 'differenceWon' | 'ours' | 'theirs'> & {
  id: string;
  differenceWon: string | null;
  ours: string | null;
  theirs: string | null;
};

/** Rows fetched at a time: enough to keep both sides busy, little enough to hold. */
const batchRows = 2000;

/**
 * Breaks by `filter`, newest day first, then by id; `order: 'amount'` for the largest difference first. A million of
 * them pass through in constant memory.
 */
export async function* listBreaks(
  pool: Pool,
  filter: BreakFilter,
  options: { readonly limit?: number; readonly order?: 'day' | 'amount' } = {},
): AsyncGenerator<readonly Break[]> {
  const parameters = createParameters();
  const where = breakCondition(filter, parameters);
  const byAmount = options.order === 'amount';
  const order = byAmount ? 'abs(b.difference_won) desc, b.break_id' : 'b.business_on desc, b.break_id';
  // PostgreSQL puts nulls first when it sorts downwards; the index says so too, and a null is no large amount.
  const known = byAmount ? ' and b.difference_won is not null' : '';
  const limit = options.limit === undefined ? '' : `limit ${BigInt(options.limit)}`;
  const client = await pool.connect();
  let lost: Error | undefined;
  const onError = (error: Error): void => {
    lost = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin read only');
    await client.query(
      `declare listed no scroll cursor for
         select ${columns} from (select * from break b where ${where}${known} order by ${order} ${limit}) b
           left join statement_load l using (load_id) left join statement s using (statement_id)
          order by ${order}`,
      [...parameters.values],
    );
    yield* fetchAll(client);
  } finally {
    // Nothing was written. A reader who stops early ends here too.
    await client.query('rollback').catch(onError);
    client.off('error', onError);
    client.release(lost);
  }
}

async function* fetchAll(client: PoolClient): AsyncGenerator<readonly Break[]> {
  for (;;) {
    const { rows } = await client.query<BreakRow>(`fetch ${batchRows} from listed`);
    if (rows.length > 0) yield rows.map(toBreak);
    if (rows.length < batchRows) return;
  }
}

/** 목록의 정렬. By business day, by how large the difference is whichever way (what is unknown is smallest), by number. */
export type BreakSort = 'on' | 'amount' | 'id';

const breakId: KeyPart = { sql: 'b.break_id', type: 'bigint' };
const sortKeys: Readonly<Record<BreakSort, readonly KeyPart[]>> = {
  on: [{ sql: 'b.business_on', type: 'date' }, breakId],
  amount: [{ sql: 'coalesce(abs(b.difference_won), -1)', type: 'bigint' }, breakId],
  id: [breakId],
};

/** A page of the breaks that a filter takes in. @throws Problem `cursor_invalid` */
export async function pageOfBreaks(
  db: Queryable,
  filter: BreakFilter,
  request: PageRequest<BreakSort>,
): Promise<Page<Break>> {
  const parameters = createParameters();
  const where = breakCondition(filter, parameters);
  const page = await keysetPage<BreakRow>(
    db,
    sortKeys[request.sort],
    request,
    parameters.values,
    ({ key, after, order, limit }) =>
      `select ${columns}, b."keyset" from (
         select b.*, ${key} from break b where ${where} and ${after} order by ${order} limit ${limit}) b
         left join statement_load l using (load_id) left join statement s using (statement_id)
        order by ${order}`,
  );
  return { ...page, rows: page.rows.map(toBreak) };
}

/** What a filter takes in. */
export async function sumBreaks(pool: Pool, filter: BreakFilter): Promise<BreakTotals> {
  const parameters = createParameters();
  const where = breakCondition(filter, parameters);
  const { rows } = await pool.query<{ count: string; difference: string; absolute: string }>(
    `select count(*)::text as count, coalesce(sum(b.difference_won), 0)::text as difference,
            coalesce(sum(abs(b.difference_won)), 0)::text as absolute
       from break b where ${where}`,
    [...parameters.values],
  );
  const row = rows[0] ?? { count: '0', difference: '0', absolute: '0' };
  return {
    count: Number(row.count),
    differenceWon: BigInt(row.difference),
    absoluteWon: BigInt(row.absolute),
  };
}

/**
 * One break with its statement and its whole trail.
 * @throws Problem `not_found`
 */
export async function showBreak(pool: Pool, id: number): Promise<BreakDetail> {
  const { rows } = await pool.query<
    BreakRow & {
      identity: string;
      oursOn: string | null;
      openedRun: string;
      resolvedAt: string | null;
      version: number;
      sha256: string;
      archivePath: string;
    }
  >(
    `select ${columns}, b.identity, b.ours_on::text as "oursOn", b.opened_run as "openedRun",
            ${utc('b.resolved_at')} as "resolvedAt", s.version, s.sha256, s.archive_path as "archivePath"
       from ${withStatement} where b.break_id = $1`,
    [id],
  );
  const row = rows[0];
  if (!row) throw new Problem('not_found', { what: 'break', id });
  const { version, sha256, archivePath, identity, oursOn, openedRun, resolvedAt, ...found } = row;
  const events = await pool.query<BreakEvent>(
    `select ${utc('e.at')} as at, e.who, e.action, e.from_state as "fromState", e.to_state as "toState", e.note
       from break_event e where e.break_id = $1 order by e.event_id`,
    [id],
  );
  return {
    ...toBreak(found),
    identity,
    oursOn,
    openedRun,
    resolvedAt,
    statement: found.file === null ? null : { file: found.file, version, sha256, archivePath },
    events: events.rows,
  };
}

function toBreak(row: BreakRow): Break {
  return {
    ...row,
    id: Number(row.id),
    differenceWon: row.differenceWon === null ? null : BigInt(row.differenceWon),
    ours: toRecord(row.ours),
    theirs: toRecord(row.theirs),
  };
}

/** A whole number that JSON's own numbers cannot hold exactly stays as it was written. */
function toRecord(text: string | null): BreakRecord | null {
  if (text === null) return null;
  // Looking at every value costs ten times the parsing, and only so many digits can be too many.
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? (context?.source ?? value) : value,
  );
}
