import { check } from '../kernel/check.ts';
import { storableJson, storableText } from '../kernel/exact-json.ts';
import { inTransaction, type Pool, type Queryable, query } from '../platform/database/pool.ts';

/** Who has to know: the person in charge, or operations too. */
export type Audience = 'in_charge' | 'operations';

/** 발견 사항. Something that a person has to know, about a `subject` (a slot, a merchant, a payout, a bank). */
export type Finding = {
  readonly id: bigint;
  readonly kind: string;
  readonly subject: string;
  readonly audience: Audience;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly openedAt: Date;
  readonly seenAt: Date;
  readonly times: number;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
};

/**
 * Notes a finding. While one of the same kind and subject is open it is seen once more instead: `times` grows, the detail
 * is the latest, and an audience once widened to operations stays so.
 */
export async function openFinding(
  db: Queryable,
  finding: Pick<Finding, 'kind' | 'subject' | 'audience' | 'detail'>,
): Promise<{ readonly id: bigint; readonly times: number }> {
  const [row] = await query<{ id: bigint; times: number }>(
    db,
    `insert into finding (kind, subject, audience, detail) values ($1, $2, $3, $4::jsonb)
     on conflict (kind, subject) where closed_at is null do update
        set times = finding.times + 1, seen_at = clock_timestamp(), detail = excluded.detail,
            audience = case when 'operations' in (finding.audience, excluded.audience) then 'operations' else 'in_charge' end
     returning finding_id as id, times`,
    [finding.kind, storableText(finding.subject), finding.audience, storableJson(finding.detail)],
  );
  check(row, 'an insert or update returns its row');
  return row;
}

/** Closes a finding because it is over; false where none was open. */
export async function closeFinding(
  db: Queryable,
  { kind, subject, by }: { readonly kind: string; readonly subject: string; readonly by: string },
): Promise<boolean> {
  const rows = await query(
    db,
    `update finding set closed_at = clock_timestamp(), closed_by = $3
      where kind = $1 and subject = $2 and closed_at is null returning finding_id`,
    [kind, storableText(subject), by],
  );
  return rows.length > 0;
}

/** Closes findings by their numbers; returns those that were open. */
export async function closeFindings(pool: Pool, ids: readonly number[], by: string): Promise<readonly bigint[]> {
  const rows = await inTransaction(pool, (tx) =>
    query<{ id: bigint }>(
      tx,
      `update finding set closed_at = clock_timestamp(), closed_by = $2
        where finding_id = any ($1::bigint[]) and closed_at is null returning finding_id as id`,
      [ids, by],
    ),
  );
  return rows.map(({ id }) => id);
}

/** Findings, newest first: the open ones, or closed ones too. */
export async function listFindings(
  db: Queryable,
  filter: {
    readonly kind?: string;
    readonly subject?: string;
    readonly audience?: Audience;
    readonly closed?: boolean;
    readonly limit?: number;
  } = {},
): Promise<Finding[]> {
  return query<Finding>(
    db,
    `select finding_id as id, kind, subject, audience, detail, opened_at as "openedAt", seen_at as "seenAt", times,
            closed_at as "closedAt", closed_by as "closedBy"
       from finding
      where ($1::text is null or kind = $1) and ($2::text is null or subject = $2)
        and ($3::text is null or audience = $3) and ($4 or closed_at is null)
      order by finding_id desc limit $5`,
    [
      filter.kind ?? null,
      filter.subject ?? null,
      filter.audience ?? null,
      filter.closed ?? false,
      filter.limit ?? 1000,
    ],
  );
}
