import type { Pool } from 'pg';
import { check } from '../kernel/check.ts';
import { readingByLeaf } from './list-store.ts';

/** 불일치. Where claims and the ledger, or claims among themselves, do not agree; won are what each side says. */
export type ClaimDeviation = {
  readonly check: ClaimCheck;
  readonly subject: string;
  readonly expectedWon: bigint | null;
  readonly foundWon: bigint | null;
};

/** So many of a check are named. */
export const namedMost = 100;

const key = 'channel, traded_on, provider_tid, cancel_seq, kind';
const subject = (t: string) =>
  `${t}.channel || ':' || ${t}.provider_tid || '/' || ${t}.cancel_seq || ' ' || ${t}.kind::text`;

/** What of a claim is accepted now: the last revision, or the result. */
const accepted = `
  select r.*, coalesce(v.after_won, r.difference_won) as won, coalesce(v.accepted, true) as is_accepted
    from claim_result r
    left join (select distinct on (${key}) ${key}, after_won, accepted from claim_revision order by ${key}, revision_id desc) v
      on v.channel = r.channel and v.traded_on = r.traded_on and v.provider_tid = r.provider_tid
     and v.cancel_seq = r.cancel_seq and v.kind = r.kind`;
const withClaim = (join: 'join' | 'left join') => `(${accepted}) r ${join} claim c on c.channel = r.channel
  and c.traded_on = r.traded_on and c.provider_tid = r.provider_tid and c.cancel_seq = r.cancel_seq and c.kind = r.kind`;

const won = (amount: string) => `coalesce(${amount}, 0)::bigint`;

/** Each yields rows (subject, expected, found), none where all agrees. */
const checks = {
  /** What a provider owes by the ledger is what it accepted. */
  receivable: `
    select provider as subject, ${won('c.won')} as expected, ${won('l.won')} as found
      from (select c.provider, sum(r.won) as won from ${withClaim('join')} group by 1) c
      full join (select owner as provider, -balance_won as won from ledger_account where kind = 'refund_receivable') l
        using (provider)
     where ${won('c.won')} <> ${won('l.won')}`,
  /** Nothing is accepted that nobody claimed. */
  result_without_claim: `
    select ${subject('r')} as subject, null::bigint as expected, r.won as found from ${withClaim('left join')}
     where c.channel is null`,
  /** What is accepted is on its way to nowhere else; what is not accepted any more is worth nothing. */
  accepted_in_another_state: `
    select ${subject('r')} || ' ' || c.state::text as subject, 0::bigint as expected, r.won as found from ${withClaim('join')}
     where (r.is_accepted and c.state <> 'P') or (not r.is_accepted and r.won <> 0)`,
  /** Nobody is refunded more than was charged, and a cancel takes no more than it was given back, and gives nothing. */
  more_than_charged: `
    select ${subject('r')} as subject, c.charged_won as expected, r.won as found from ${withClaim('join')}
     where (c.type = 'A' and r.won not between 0 and greatest(c.charged_won, c.difference_won))
        or (c.type <> 'A' and r.won not between least(c.charged_won, c.difference_won) and 0)`,
  /** Nothing is taken back that was not refunded. */
  clawback_without_refund: `
    select ${subject('r')} as subject, 0::bigint as expected, r.won as found
      from ${withClaim('join')}
      left join (${accepted}) o on o.provider_tid = c.provider_tid and o.cancel_seq = 0 and o.kind = c.kind
           and o.channel = c.channel and o.traded_on = c.original_on and o.is_accepted
     where c.type <> 'A' and r.is_accepted and o.channel is null`,
  /** What was booked for an answer is what it changed, for the merchant of the claim. */
  answer_sums: `
    select 'answer ' || answer_id || ' ' || merchant_id as subject, ${won('c.won')} as expected, ${won('b.won')} as found
      from (select r.answer_id, c.merchant_id, sum(r.won) as won
              from (select ${key}, answer_id, difference_won as won from claim_result where answer_id is not null
                    union all select ${key}, answer_id, after_won - before_won from claim_revision) r
              join claim c using (${key}) group by 1, 2) c
      full join (select answer_id, merchant_id, refund_won + clawback_won as won from claim_refund where answer_id is not null) b
        using (answer_id, merchant_id)
     where ${won('c.won')} <> ${won('b.won')}`,
  /** What was refunded retroactively is what was accepted without an answer, for the merchant of the claim. */
  retroactive_sums: `
    select 'retroactive ' || merchant_id as subject, ${won('c.won')} as expected, ${won('b.won')} as found
      from (select c.merchant_id, sum(r.difference_won) as won
              from claim_result r join claim c using (${key}) where r.answer_id is null group by 1) c
      full join (select merchant_id, sum(refund_won + clawback_won) as won from claim_refund where answer_id is null group by 1) b
        using (merchant_id)
     where ${won('c.won')} <> ${won('b.won')}`,
  /** Each refund is an entry of the ledger, to the won and the account. */
  refund_entries: `
    select coalesce(w.event, l.event) || ' ' || coalesce(w.account, l.account) as subject, ${won('w.won')} as expected,
           ${won('l.won')} as found
      from (select r.event, a.account, a.won
              from claim_refund r, lateral (values
                ('refund_receivable:' || provider, -(refund_won + clawback_won)), ('wallet:' || merchant_id, wallet_won),
                ('held:' || merchant_id, held_won), ('debt:' || merchant_id, offset_won - carried_won)) a (account, won)
             where a.won <> 0) w
      full join (select e.event, l.account, l.amount_won as won
                   from ledger_entry e join ledger_line l using (posted_on, entry_id)
                  where e.kind in ('differential', 'retroactive')) l
        on l.event = w.event and l.account = w.account
     where ${won('w.won')} <> ${won('l.won')}`,
  /** Each claim stands in exactly one place. */
  status: `
    select ${subject('c')} as subject, null::bigint as expected, null::bigint as found from claim_status c
     where status is null or status not in ('paid', 'clawed_back', 'rejected', 'held', 'waiting')
        or (status in ('paid', 'clawed_back')) <> (accepted_won is not null) or (status = 'held' and status_reason is null)`,
} as const;

export type ClaimCheck = keyof typeof checks;

/**
 * 검증. Computes again from the rows themselves that claims and the ledger agree. Returns what does not, at most
 * `namedMost` of a check, with how many there are, and how much was looked at.
 */
export async function verifyClaims(pool: Pool): Promise<{
  readonly claims: bigint;
  readonly accepted: bigint;
  readonly deviations: readonly ClaimDeviation[];
  readonly counts: Readonly<Record<ClaimCheck, bigint>>;
}> {
  return await readingByLeaf(pool, async (client) => {
    const deviations: ClaimDeviation[] = [];
    const counts: Partial<Record<ClaimCheck, bigint>> = {};
    // All of them are joined with all: a planner that takes new revisions for a handful would go through them claim by claim.
    await client.query('set local enable_nestloop = off');
    for (const [name, sql] of Object.entries(checks) as [ClaimCheck, string][]) {
      const { rows } = await client.query<{ subject: string; expected: bigint; found: bigint; total: bigint }>(
        `select subject, expected, found, count(*) over () as total from (${sql}) d order by subject limit ${namedMost}`,
      );
      counts[name] = rows[0]?.total ?? 0n;
      for (const row of rows) {
        deviations.push({ check: name, subject: row.subject, expectedWon: row.expected, foundWon: row.found });
      }
    }
    const { rows } = await client.query<{ claims: bigint; accepted: bigint }>(
      'select (select count(*) from claim) as claims, (select count(*) from claim_result) as accepted',
    );
    const [sizes] = rows;
    check(sizes, 'counts are a row');
    return { ...sizes, deviations, counts: counts as Record<ClaimCheck, bigint> };
  });
}
