import type { PoolClient } from 'pg';
import { closeFinding, openFinding } from '../findings/store.ts';
import { query } from '../platform/database/pool.ts';

/** Requests that came to nothing: by the card companies' word, or because the file could not hold them. */
const kinds = { rejected: 'registration_rejected', refused: 'registration_not_encodable' } as const;
const namedMost = 20;

/**
 * One finding a provider for requests that stand rejected, and one for those that stand refused, with the first merchants
 * and why; over once each was asked for again. Nothing is claimed for these merchants until then.
 */
export async function tellStanding(tx: PoolClient, provider: string): Promise<void> {
  for (const state of ['rejected', 'refused'] as const) {
    const standing = await query<{ merchantId: string; requests: number }>(
      tx,
      `select merchant_id as "merchantId", acquirer, shop_name as "shopName", reason, count(*) over ()::int as requests
         from (select distinct on (merchant_id, acquirer) *
                 from registration where provider = $1 order by merchant_id, acquirer, registration_id desc) latest
        where state = $2 order by registration_id desc limit ${namedMost}`,
      [provider, state],
    );
    const [one] = standing;
    if (one === undefined) {
      await closeFinding(tx, { kind: kinds[state], subject: provider, by: 'jeongsan' });
      continue;
    }
    const first = standing.map(({ requests: _, ...request }) => request);
    const detail = { requests: one.requests, first };
    await openFinding(tx, { kind: kinds[state], subject: provider, audience: 'in_charge', detail });
  }
}
