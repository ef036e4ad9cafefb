// Which claims an answer may be to: those of the days of its batch, in a part those of its merchants.
import { escapeLiteral } from 'pg';
import { dayList, isOfShare, type Share } from './candidate-store.ts';

/** Whose acceptance is kept in a break until it can be booked: claims held for these reasons, and the breaks' kinds. */
export const keptFor = { original_not_paid: 'clawback_without_refund', booking_failed: 'booking_failed' } as const;

export const claimKey = 'channel, traded_on, provider_tid, cancel_seq, kind';

type Answered = {
  readonly days: readonly { readonly channel: string; readonly tradedOn: string }[];
  readonly share?: Share;
};
type AnsweredFile = Answered & { readonly file: { readonly fileId: bigint } };

/** SQL: the rows of a hot table of the batch's days and no other leaf; of claims those of the part. */
export function ofBatch(
  { days, share }: Answered,
  table: 'claim' | 'claim_result' | 'claim_revision',
  columns: string,
  where = '',
): string {
  const own = table === 'claim' && share !== undefined ? ` and ${isOfShare('merchant_id', share)}` : '';
  const channels = [...Map.groupBy(days, ({ channel }) => channel)].map(([channel, on]) => {
    const list = dayList(on.map(({ tradedOn }) => tradedOn));
    return `select ${columns} from ${table} where channel = ${escapeLiteral(channel)} and traded_on in (${list}) and kind = 'D'${own}${where}`;
  });
  return channels.length === 0 ? `select ${columns} from ${table} where false` : channels.join(' union all ');
}

/**
 * SQL: the same of claims that are in the file, or were: which those are is the same from the first part of its answer to the
 * last, whatever is claimed or goes again meanwhile.
 */
export function claimsOfFile(judging: AnsweredFile, columns: string): string {
  const { fileId } = judging.file;
  return ofBatch(
    judging,
    'claim',
    columns,
    ` and (file_id = ${fileId} or (attempt > 1 and exists (
        select from claim_event e
         where e.channel = claim.channel and e.traded_on = claim.traded_on and e.provider_tid = claim.provider_tid
           and e.cancel_seq = claim.cancel_seq and e.kind = claim.kind and e.event = 'queued'
           and (e.detail ->> 'fileId')::bigint = ${fileId})))`,
  );
}

/** SQL: the claims that lines may be to: as a whole any of the batch's days, else those of the part. */
export function claimsToJudge(judging: AnsweredFile, columns: string): string {
  return judging.share === undefined ? ofBatch(judging, 'claim', columns) : claimsOfFile(judging, columns);
}
