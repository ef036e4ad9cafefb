import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { CycleState, SettledCounts } from './cycle-store.ts';

/** 정산 회차. What became of a slot and when. */
export type ListedCycle = SettledCounts & {
  readonly slot: Date;
  readonly runId: string;
  readonly state: CycleState;
  readonly startedBy: string;
  readonly startedAt: Date;
  /** The last wallet was credited. */
  readonly creditedAt: Date | null;
  readonly finishedAt: Date | null;
  /** The first of the missed slots that this one made up for. */
  readonly makesUp: Date | null;
  readonly parts: number;
  readonly partsDone: number;
  readonly reason: string | null;
};

export type CycleFilter = {
  readonly slot?: Temporal.Instant;
  /** Seoul days, both included. */
  readonly from?: Temporal.PlainDate;
  readonly to?: Temporal.PlainDate;
  readonly state?: CycleState;
  readonly limit: number;
};

const columns = `slot, run_id as "runId", state, started_by as "startedBy", started_at as "startedAt",
  credited_at as "creditedAt", finished_at as "finishedAt", makes_up as "makesUp", parts,
  parts_done as "partsDone", captures, items, merchants, set_aside as "setAside", waiting,
  gross_won as "grossWon", fee_won as "feeWon", vat_won as "vatWon", net_won as "netWon",
  credited_won as "creditedWon", reason`;

/** A page of the cycles; days are those of Seoul, both included. @throws Problem `cursor_invalid` */
export async function pageOfCycles(
  db: Queryable,
  {
    from,
    to,
    state,
  }: {
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    readonly state?: readonly CycleState[] | undefined;
  },
  request: PageRequest<'slot'>,
): Promise<Page<ListedCycle>> {
  return keysetPage<ListedCycle>(
    db,
    [{ sql: 'slot', type: 'timestamptz' }],
    request,
    [from ?? null, to ?? null, state ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from settlement_cycle
        where ($1::date is null or slot >= $1::timestamp at time zone 'Asia/Seoul')
          and ($2::date is null or slot < ($2::date + 1)::timestamp at time zone 'Asia/Seoul')
          and ($3::text[] is null or state = any ($3)) and ${after} order by ${order} limit ${limit}`,
  );
}

/** Cycles, the latest first. */
export async function listCycles(db: Queryable, filter: CycleFilter): Promise<ListedCycle[]> {
  return await query<ListedCycle>(
    db,
    `select ${columns}
       from settlement_cycle
      where ($1::timestamptz is null or slot = $1)
        and ($2::date is null or slot >= $2::timestamp at time zone 'Asia/Seoul')
        and ($3::date is null or slot < ($3::date + 1)::timestamp at time zone 'Asia/Seoul')
        and ($4::text is null or state = $4)
      order by slot desc limit $5`,
    [
      filter.slot?.toString() ?? null,
      filter.from?.toString() ?? null,
      filter.to?.toString() ?? null,
      filter.state ?? null,
      filter.limit,
    ],
  );
}
