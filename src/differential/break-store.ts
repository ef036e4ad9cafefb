import { Problem } from '../kernel/problem.ts';
import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

/** 차액정산 불일치. What an answer says otherwise than we do. Won are signed; what is null is not about won, or not stated. */
export type ClaimBreak = {
  readonly id: bigint;
  readonly provider: string;
  readonly kind: string;
  /** The claim (`welcome-online:T0001/0`), the line or the file that it is about. */
  readonly subject: string;
  readonly providerTid: string | null;
  readonly cancelSeq: number | null;
  readonly tradedOn: string | null;
  readonly answer: string | null;
  readonly line: number | null;
  readonly oursWon: bigint | null;
  readonly theirsWon: bigint | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
  /** `answered`: a later answer ended it; `sent_again`; else what a person said. */
  readonly resolution: string | null;
};

const columns = `break_id as id, b.provider, b.kind, subject, provider_tid as "providerTid", cancel_seq as "cancelSeq",
  traded_on::text as "tradedOn", a.file_name as answer, line_no as line, ours_won as "oursWon", theirs_won as "theirsWon",
  detail, opened_at as "openedAt", closed_at as "closedAt", closed_by as "closedBy", resolution`;

/** Breaks, the newest first; the open ones, or with `closed` all. */
export async function listClaimBreaks(
  db: Queryable,
  filter: {
    readonly closed: boolean;
    readonly limit: number;
    readonly provider?: string | undefined;
    readonly kind?: string | undefined;
  },
): Promise<readonly ClaimBreak[]> {
  return await query<ClaimBreak>(
    db,
    `select ${columns} from claim_break b left join answer_file a using (answer_id)
      where ($1 or closed_at is null) and ($2::text is null or b.provider = $2) and ($3::text is null or b.kind = $3)
      order by break_id desc limit $4`,
    [filter.closed, filter.provider ?? null, filter.kind ?? null, filter.limit],
  );
}

/** A page of the breaks; the open ones, or with `closed` all. @throws Problem `cursor_invalid` */
export async function pageOfClaimBreaks(
  db: Queryable,
  filter: {
    readonly closed?: boolean | undefined;
    readonly provider?: readonly string[] | undefined;
    readonly kind?: string | undefined;
  },
  request: PageRequest<'id'>,
): Promise<Page<ClaimBreak>> {
  return keysetPage<ClaimBreak>(
    db,
    [{ sql: 'break_id', type: 'bigint' }],
    request,
    [filter.closed ?? false, filter.provider ?? null, filter.kind ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from claim_break b left join answer_file a using (answer_id)
        where ($1 or closed_at is null) and ($2::text[] is null or b.provider = any ($2))
          and ($3::text is null or b.kind = $3) and ${after} order by ${order} limit ${limit}`,
  );
}

/** How many breaks are open, by provider and kind. */
export async function countOpenBreaks(
  db: Queryable,
): Promise<readonly { readonly provider: string; readonly kind: string; readonly breaks: bigint }[]> {
  return await query(
    db,
    `select provider, kind, count(*) as breaks from claim_break where closed_at is null group by 1, 2 order by 1, 2`,
  );
}

/**
 * 해소. Closes a break because a person has dealt with what it says; nothing else changes.
 * @throws Problem `not_found`; `break_closed`
 */
export async function resolveClaimBreak(
  db: Queryable,
  id: bigint,
  { by, because }: { readonly by: string; readonly because: string },
): Promise<ClaimBreak> {
  const closed = await query(
    db,
    `update claim_break set closed_at = clock_timestamp(), closed_by = $2, resolution = $3
      where break_id = $1 and closed_at is null returning break_id`,
    [id, by, because],
  );
  const [found] = await query<ClaimBreak>(
    db,
    `select ${columns} from claim_break b left join answer_file a using (answer_id) where break_id = $1`,
    [id],
  );
  if (found === undefined) throw new Problem('not_found', { what: 'break', id: String(id) });
  if (closed.length === 0) throw new Problem('break_closed', { id: String(id), by: found.closedBy });
  return found;
}
