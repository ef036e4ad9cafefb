import { keysetPage } from '../platform/database/keyset.ts';
import type { Queryable } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';

/** A business day that was ever reconciled, with its last run. */
export type ReconciledDay = {
  readonly on: string;
  readonly attempts: number;
  readonly run: string;
  readonly startedBy: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: 'complete' | 'incomplete' | null;
};

/** A page of the days that were ever reconciled. @throws Problem `cursor_invalid` */
export async function pageOfDays(
  db: Queryable,
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  request: PageRequest<'on'>,
): Promise<Page<ReconciledDay>> {
  return keysetPage<ReconciledDay>(
    db,
    [{ sql: 'n.business_on', type: 'date' }],
    request,
    [from ?? null, to ?? null],
    // Attempts of a day are numbered without a gap, so that its last one is their number.
    ({ key, after, order, limit }) =>
      `select n.business_on as "on", n.attempt as attempts, n.run_id as run, n.started_by as "startedBy",
              n.started_at as "startedAt", n.finished_at as "finishedAt", n.outcome, ${key}
         from reconciliation_run n
        where ($1::date is null or n.business_on >= $1) and ($2::date is null or n.business_on <= $2)
          and not exists (select from reconciliation_run later
                           where later.business_on = n.business_on and later.attempt > n.attempt)
          and ${after} order by ${order} limit ${limit}`,
  );
}
