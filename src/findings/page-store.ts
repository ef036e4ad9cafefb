import { Problem } from '../kernel/problem.ts';
import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { Audience, Finding } from './store.ts';

export type FindingFilter = {
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  readonly audience?: Audience | undefined;
  /** Closed ones too. */
  readonly closed?: boolean | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

const columns = `finding_id as id, kind, subject, audience, detail, opened_at as "openedAt", seen_at as "seenAt", times,
  closed_at as "closedAt", closed_by as "closedBy"`;
const byNumber: readonly KeyPart[] = [{ sql: 'finding_id', type: 'bigint' }];

/** A page of the findings; the open ones unless `closed`. @throws Problem `cursor_invalid` */
export async function pageOfFindings(
  db: Queryable,
  filter: FindingFilter,
  request: PageRequest<'id'>,
): Promise<Page<Finding>> {
  const { kind = null, subject = null, audience = null, closed = false, since = null, until = null } = filter;
  return keysetPage<Finding>(
    db,
    byNumber,
    request,
    [kind, subject, audience, closed, since, until],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from finding
        where ($1::text is null or kind = $1) and ($2::text is null or subject = $2)
          and ($3::text is null or audience = $3) and ($4 or closed_at is null)
          and ($5::timestamptz is null or opened_at >= $5) and ($6::timestamptz is null or opened_at < $6)
          and ${after} order by ${order} limit ${limit}`,
  );
}

/** One finding. @throws Problem `not_found` */
export async function findFinding(db: Queryable, id: number): Promise<Finding> {
  const [found] = await query<Finding>(db, `select ${columns} from finding where finding_id = $1`, [id]);
  if (found === undefined) throw new Problem('not_found', { what: 'finding', id });
  return found;
}
