import { closeFinding, listFindings, openFinding } from '../findings/store.ts';
import { type PoolClient, query } from '../platform/database/pool.ts';
import type { Due } from './delivery-store.ts';

const kind = 'webhook_given_up';

/** Whether people are told of something of this endpoint that was given up. */
export async function isLossOpen(tx: PoolClient, name: string): Promise<boolean> {
  return (await listFindings(tx, { kind, subject: name, limit: 1 })).length > 0;
}

/** Before anything else that is locked: of two deliveries that end at once each then sees what the other came to. */
export async function holdEndpoint(tx: PoolClient, endpointId: bigint): Promise<void> {
  await tx.query('select from webhook_endpoint where endpoint_id = $1 for no key update', [endpointId]);
}

export async function tellLoss(tx: PoolClient, due: Due, fault: string | undefined): Promise<void> {
  const detail = { delivery: String(due.id), type: due.type, fault };
  await openFinding(tx, { kind, subject: due.name, audience: 'operations', detail });
}

/**
 * Closes the finding once whatever was given up has arrived after all. What a person closed it over before is no loss any
 * more. The endpoint is held.
 */
export async function closeMadeGood(tx: PoolClient, { endpointId, name }: Due): Promise<void> {
  const [, before] = await listFindings(tx, { kind, subject: name, closed: true, limit: 2 });
  // Told again in their order, the latest of many arrives last: it is looked for first.
  const lost = await query(
    tx,
    `select from webhook_delivery g
      where endpoint_id = $1 and state = 'given_up' and finished_at > coalesce($2::timestamptz, '-infinity')
        and not exists (select from webhook_delivery d
                         where d.event_id = g.event_id and d.endpoint_id = $1 and d.state = 'delivered')
      order by finished_at desc limit 1`,
    [endpointId, before?.closedAt?.toISOString() ?? null],
  );
  if (lost.length === 0) await closeFinding(tx, { kind, subject: name, by: 'jeongsan' });
}
