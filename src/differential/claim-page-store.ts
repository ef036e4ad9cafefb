import type { Pool, PoolClient } from 'pg';
import { type KeyPart, readKey } from '../platform/database/keyset.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import {
  type ClaimFilter,
  claimCondition,
  claimValues,
  type ListedClaim,
  listedColumns,
  readingByLeaf,
} from './list-store.ts';

/** A day of one channel's claims, as they lie together. */
type Leaf = { readonly channel: string; readonly tradedOn: string };

const keyParts: readonly Pick<KeyPart, 'type'>[] = [
  { type: 'date' },
  { type: 'text' },
  { type: 'text' },
  { type: 'integer' },
  { type: 'text' },
];

/**
 * A page of the claims by day of trade, channel and transaction, as `differential list` has them. It walks the leaves from
 * the one on in which the page before ended, each by its key, so that a page costs what it shows and not what there is.
 * @throws Problem `cursor_invalid`
 */
export async function pageOfClaims(
  pool: Pool,
  filter: ClaimFilter,
  request: PageRequest<'tradedOn'>,
): Promise<Page<ListedClaim>> {
  const after = request.after === undefined ? undefined : readKey(request.after, keyParts);
  return readingByLeaf(pool, async (client) => {
    const found: ListedClaim[] = [];
    for (const leaf of await leavesFrom(client, filter, request, after)) {
      const isFirst = leaf.tradedOn === after?.[0] && leaf.channel === after[1];
      const wanted = request.limit + 1 - found.length;
      found.push(
        ...(await claimsOfLeaf(client, leaf, filter, { ...request, limit: wanted }, isFirst ? after : undefined)),
      );
      if (found.length > request.limit) break;
    }
    const rows = found.slice(0, request.limit);
    const last = found.length > request.limit ? rows.at(-1) : undefined;
    return { rows, next: last === undefined ? undefined : JSON.stringify(keyOf(last)) };
  });
}

function keyOf({ tradedOn, channel, providerTid, cancelSeq, kind }: ListedClaim): readonly string[] {
  return [tradedOn, channel, providerTid, String(cancelSeq), kind];
}

async function claimsOfLeaf(
  client: PoolClient,
  { channel, tradedOn }: Leaf,
  filter: ClaimFilter,
  { limit, descending }: { readonly limit: number; readonly descending: boolean },
  after: readonly string[] | undefined,
): Promise<ListedClaim[]> {
  const values: unknown[] = [...claimValues(filter)];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const [on, of] = [add(tradedOn), add(channel)];
  const from =
    after === undefined
      ? 'true'
      : `(provider_tid, cancel_seq, kind) ${descending ? '<' : '>'} (${add(after[2])}::text, ${add(after[3])}::int, ${add(after[4])}::"char")`;
  const way = descending ? ' desc' : '';
  const { rows } = await client.query<ListedClaim>(
    `select ${listedColumns} from claim_status
      where traded_on = ${on}::date and channel = ${of}::text and ${claimCondition} and ${from}
      order by provider_tid${way}, cancel_seq${way}, kind${way} limit ${add(limit)}`,
    values,
  );
  return rows;
}

/** The leaves that a filter may find something in, in the order of the list, from the one of `after` on. */
async function leavesFrom(
  client: PoolClient,
  { from, to, batch }: ClaimFilter,
  { descending }: { readonly descending: boolean },
  after: readonly string[] | undefined,
): Promise<Leaf[]> {
  const { rows } = await client.query<{ name: string }>(
    `select leaf.relname as name from pg_inherits branch join pg_inherits twig on twig.inhparent = branch.inhrelid
       join pg_class leaf on leaf.oid = twig.inhrelid where branch.inhparent = 'claim'::regclass`,
  );
  const channels = new Map(
    differentialProviders.flatMap((provider) =>
      provider.channels.map((id) => [`claim_${id.replaceAll('-', '_')}`, id]),
    ),
  );
  const place = ({ tradedOn, channel }: Leaf): string => `${tradedOn} ${channel}`;
  const start = after === undefined ? undefined : `${after[0]} ${after[1]}`;
  return rows
    .flatMap(({ name }): Leaf[] => {
      const [, branch = '', year, month, day] = /^(.+)_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
      const channel = channels.get(branch);
      return channel === undefined ? [] : [{ channel, tradedOn: `${year}-${month}-${day}` }];
    })
    .filter(({ tradedOn }) => (from === undefined || tradedOn >= from) && (to === undefined || tradedOn <= to))
    .filter(
      ({ channel, tradedOn }) =>
        batch === undefined || (batch.channels.includes(channel) && batch.days.includes(tradedOn)),
    )
    .filter((leaf) => start === undefined || (descending ? place(leaf) <= start : place(leaf) >= start))
    .sort((a, b) => (place(a) < place(b) === descending ? 1 : -1));
}
