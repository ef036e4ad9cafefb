import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { codesThat, differencesOf, paired, smallTier, stated } from './answer-line-store.ts';
import type { AnswerFile } from './answer-store.ts';
import { claimKey, claimsToJudge, keptFor, ofBatch } from './answered-claims-store.ts';
import type { Share } from './candidate-store.ts';
import type { ClaimFile } from './file-store.ts';

/** An answer that is being applied, to which file, by whom, and on which business day it is booked. */
export type Judging = {
  readonly provider: DifferentialProvider;
  readonly file: ClaimFile;
  readonly answer: AnswerFile;
  readonly by: string;
  readonly on: string;
  /** On which days the claims of the file's batch were traded: no other leaf is read for its lines. */
  readonly days: readonly { readonly channel: string; readonly tradedOn: string }[];
  /** The table of its lines. */
  readonly lines: string;
  /** The TIDs that more than one line perhaps has with the same sequence; null where that has to be looked for. */
  readonly repeats: readonly string[] | null;
  /** Whose claims are looked at, where it is applied in parts: a merchant's are in one. */
  readonly share?: Share;
  /** What is left of one that was applied in parts. */
  readonly isRest?: boolean;
};

/** What was said before of the batch's claims: most answers are the first. */
export type Before = { readonly results: boolean; readonly revisions: boolean };

async function saidBefore(tx: PoolClient, judging: Judging): Promise<Before> {
  const any = (table: 'claim_result' | 'claim_revision') =>
    `exists (select from (${ofBatch(judging, table, 'kind')}) r limit 1)`;
  const [row] = await query<Before>(
    tx,
    `select ${any('claim_result')} as results, ${any('claim_revision')} as revisions`,
  );
  check(row, 'an expression is a row');
  return row;
}

/** SQL: the verdicts of lines whose claims are accepted on their plain way. */
export const acceptedPlainly = `('A', 'K')`;

/** How many lines were looked at, how many of them said what an answer before had said, and whether any had said anything. */
export type Judged = { readonly lines: bigint; readonly repeated: bigint; readonly before: Before };

/**
 * Looks at each line with its claim, in a part at those to claims of its merchants: the temporary table `judged`, whose
 * `verdict` is A where the approval of a claim on its plain way is accepted, K where the cancel of such a one is, S where
 * an approval was before and with the same amount, V where a validation lets a claim go on, and J where more has to be
 * looked at: those are the rows of `aside`. Lines of one transaction and sequence, a few that only seem so among them, are
 * looked at there. The rows that are J, or accepted otherwise than we computed, are found by `apart`.
 */
export async function judgeLines(tx: PoolClient, judging: Judging): Promise<Judged> {
  const { provider, file, answer, lines, share, repeats } = judging;
  const { codes } = provider.differential;
  const before = await saidBefore(tx, judging);
  // A line that claims of two channels answer to is as good as several.
  const known = new Set(judging.days.map(({ channel }) => channel)).size > 1 ? null : repeats;
  const accepted = `code in (${codesThat(codes, 'accepted')})`;
  const plain =
    answer.stage === 'validation'
      ? `when ${accepted} then 'V'`
      : `when not ${accepted} or original_won <> ours_original_won or (${smallTier(provider, paired)}) is not true
              or (theirs_won between least(0, ours_charged_won) and greatest(0, ours_charged_won)) is not true
              or supply_now is null then 'J'
         when before_won is null then case ours_type when 'A' then 'A' else 'K' end
         when ours_type = 'A' and after_won is null and before_won = theirs_won then 'S'`;
  const claimOf = (row: string) =>
    `${row}.provider_tid = l.provider_tid and ${row}.cancel_seq = l.cancel_seq and ${row}.traded_on = l.traded_on`;
  const ours = [
    'file_id',
    'state',
    'type',
    'original_on',
    'tier',
    'card_type',
    'amount_won',
    'original_won',
    'charged_won',
  ];
  const compared = [...ours, 'difference_won'].map((column) => `c.${column} as ours_${column}`).join(', ');
  // What a line states is worked out once a row: the planner would write it out wherever it is used.
  const judged = await tx.query(`
    create temp table judged on commit drop as
    select line_no, line_at, provider_tid, cancel_seq, channel, traded_on, merchant_id, ours_difference_won as ours_won,
           theirs_won, supply_now as supply_won, tier_now as tier, card_now as card_type, pay_on,
           ours_original_on as original_on, ${differencesOf(provider, paired)} as differences,
           (case when channel is null or ours_file_id is distinct from ${file.fileId} or ours_state <> 'P'
                      or amount_won <> ours_amount_won ${known === null || known.length === 0 ? '' : `or provider_tid in (${listed(known)})`} then 'J'
                 ${plain}
                 else 'J' end)::"char" as verdict
      from (select l.line_no, l.ctid as line_at, l.provider_tid, l.cancel_seq, l.traded_on, l.amount_won, l.original_won, l.supply_won, l.vat_won, l.pay_on, l.code, c.channel, c.merchant_id, ${compared},
                   r.difference_won as before_won, v.after_won, d.theirs_won, d.supply_now, d.tier_now, d.card_now
              from ${lines} l
              ${share === undefined ? 'left join' : 'join'} (${claimsToJudge(judging, `${claimKey}, mid, merchant_id, difference_won, ${ours.join(', ')}`)}) c
                     -- By the TID alone, which is as good as a key: what is hashed is hashed for every line.
                     on c.provider_tid = l.provider_tid
                        and (c.cancel_seq = l.cancel_seq and c.traded_on = l.traded_on and c.mid = l.mid) is true
              ${
                before.results
                  ? `left join (${ofBatch(judging, 'claim_result', `${claimKey}, difference_won`)}) r on ${claimOf('r')} and r.channel = c.channel`
                  : 'cross join (select null::bigint as difference_won) r'
              }
              ${
                before.revisions
                  ? `left join (select distinct on (${claimKey}) ${claimKey}, after_won
                           from (${ofBatch(judging, 'claim_revision', `${claimKey}, after_won`)}) v order by ${claimKey}) v
                            on ${claimOf('v')} and v.channel = c.channel`
                  : 'cross join (select null::bigint as after_won) v'
              }
              cross join lateral ${stated(provider)} d
            offset 0) line`);
  await tx.query('analyze judged (verdict, provider_tid, merchant_id)');
  if (known === null) await leaveOutRepeated(tx);
  await setApart(tx, provider);
  const [counted] = await query<Omit<Judged, 'before'>>(
    tx,
    `select $1::bigint - count(*) + count(distinct line_no) as lines,
            ${before.results ? `(select count(*) from judged where verdict = 'S')` : '0::bigint'} as repeated
       from apart where verdict = 'J'`,
    [judged.rowCount],
  );
  check(counted, 'counts are a row');
  return { ...counted, before };
}

function listed(values: readonly string[]): string {
  return values.map((value) => escapeLiteral(value)).join(', ');
}

/**
 * Makes `apart`, and `approval_here`: the approvals that cancels may be of, in the answer or kept by a break, and that are
 * accepted in the answer. A cancel of none of them is not plain.
 */
async function setApart(tx: PoolClient, provider: DifferentialProvider): Promise<void> {
  const kept = Object.values(keptFor).map((kind) => escapeLiteral(kind));
  await tx.query(`
    create temp table apart on commit drop as
    select ctid as at, line_no, line_at, provider_tid, channel, original_on, verdict, differences <> 0 as is_different
      from judged where verdict in ('J', 'K') or (differences <> 0 and verdict in ('A', 'S'));
    create temp table approval_here on commit drop as
    select channel, provider_tid, traded_on, verdict
      from judged
     where cancel_seq = 0 and verdict in ('A', 'S')
       and provider_tid in (select provider_tid from apart where verdict in ('J', 'K')
                            union all
                            select provider_tid from claim_break
                             where provider = ${escapeLiteral(provider.id)} and kind in (${kept.join(', ')}));
    analyze apart, approval_here;
    update apart c set verdict = 'J'
     where verdict = 'K'
       and not exists (select from approval_here o
                        where o.verdict = 'A' and o.provider_tid = c.provider_tid
                          and (o.traded_on = c.original_on and o.channel = c.channel) is true);
    update judged set verdict = 'J'
     where ctid = any (array(select at from apart where verdict = 'J')) and verdict = 'K'`);
}

/** Of a claim with several lines, and of a line that claims of two channels answer to, none is plain. */
async function leaveOutRepeated(tx: PoolClient): Promise<void> {
  const hash = 'hashtextextended(provider_tid, cancel_seq)';
  await tx.query(`
    create temp table repeated on commit drop as
    select ${hash} as hash from judged group by 1 having count(*) > 1;
    analyze repeated`);
  const [some] = await query(tx, 'select from repeated limit 1');
  if (some !== undefined) {
    await tx.query(
      `update judged set verdict = 'J' where ${hash} in (select hash from repeated); analyze judged (verdict)`,
    );
  }
  await tx.query('drop table repeated');
}
