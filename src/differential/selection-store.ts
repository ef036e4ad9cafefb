import { escapeLiteral } from 'pg';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { SelectionBatch } from './batch-store.ts';
import { dayList, type Share } from './candidate-store.ts';

/** A part of a batch, and one of the provider's channels. */
export type Selection = Pick<SelectionBatch, 'batchId' | 'claimedOn'> &
  Share & {
    readonly provider: DifferentialProvider;
    readonly channel: string;
    /** What was traded before is too old to be claimed. */
    readonly tooOldBefore: string;
  };

export function selectionOf(part: Omit<Selection, 'tooOldBefore'>): Selection {
  const { tooOldDays } = part.provider.differential.calendar;
  const tooOldBefore = Temporal.PlainDate.from(part.claimedOn).subtract({ days: tooOldDays }).toString();
  return { ...part, tooOldBefore };
}

/** SQL: with which card companies merchants are registered; a row a merchant: one for each company would be ten times as many to look among. */
export function registeredMerchants({ provider }: Selection): string {
  return `select merchant_id, array_agg(acquirer) as acquirers from registered
           where provider = ${escapeLiteral(provider.id)} group by merchant_id`;
}

/** SQL: with whom merchants are registered, where the provider wants that; joined as `r`. */
export function registrationJoin(selection: Selection, row: string): string {
  if (selection.provider.differential.registration === undefined) return 'cross join (select true as is_registered) r';
  return `left join (${registeredMerchants(selection)}) with_whom on with_whom.merchant_id = ${row}.merchant_id
          cross join lateral (select ${row}.acquirer = any (with_whom.acquirers) as is_registered) r`;
}

/** SQL: the number of the file that a claim of this MID goes into. */
export function fileJoin({ provider, batchId }: Selection, row: string): string {
  const ofBatch = `from differential_file_number where batch_id = ${batchId}`;
  return provider.differential.claims.perMid
    ? `left join (select mid, file_id ${ofBatch}) n on n.mid = ${row}.mid`
    : `cross join (select (select file_id ${ofBatch} and mid = '') as file_id) n`;
}

/**
 * SQL: whether the batch was planned for rows of this MID and day: it has a leaf for their claims, and the number of a
 * file. What came in since is left to the next batch.
 */
export function wasPlanned({ provider, batchId }: Selection, traded: readonly string[], row = ''): string {
  const days = `${row}traded_on in (${dayList(traded)})`;
  if (!provider.differential.claims.perMid) return days;
  return `${days} and ${row}mid in (select mid from differential_file_number where batch_id = ${batchId})`;
}

export const claimColumns = `channel, traded_on, provider_tid, cancel_seq, kind, state, type, card_type, rule, tier, rate_ppm,
  captured_on, original_on, batch_id, file_id, amount_won, original_won, charged_won, preferential_won, difference_won,
  provider, merchant_id, mid, acquirer, order_no, final_no, intermediary_no, reason`;

/** SQL: puts captures down as waiting, since when and by whom they did first. */
export function waitAgain({ channel, batchId }: Selection, captures: string, reason: string): string {
  return `insert into differential_waiting (channel, captured_on, provider_tid, cancel_seq, traded_on, mid, batch_id, since, reason)
    select ${escapeLiteral(channel)}, captured_on, provider_tid, cancel_seq, c.traded_on, c.mid,
           coalesce(w.batch_id, ${batchId}), coalesce(w.since, clock_timestamp()), ${escapeLiteral(reason)}
      from (${captures}) c left join waited w using (captured_on, provider_tid, cancel_seq)`;
}
