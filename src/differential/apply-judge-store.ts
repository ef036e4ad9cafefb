import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { codesThat, differencesOf, joined, paired, smallTier, stated } from './answer-line-store.ts';
import type { AnswerFile } from './answer-store.ts';
import { claimKey, claimsToJudge, ofBatch } from './answered-claims-store.ts';
import { lookingUp, type Share } from './candidate-store.ts';
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

const lineKey = 'provider_tid, cancel_seq, traded_on, mid';

/** What was said before of the batch's claims: most answers are the first. */
type Before = { readonly results: boolean; readonly revisions: boolean };

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

/**
 * Looks at each line with its claim, in a part at those to claims of its merchants: the temporary table `judged`, whose
 * `verdict` is A where a claim on its plain way is accepted (an approval, or a cancel of one that is), S where an approval
 * was before and with the same amount, V where a validation lets a claim go on, and J where more has to be looked at: those are the rows of `aside`. Lines of one
 * transaction and sequence, a few that only seem so among them, are looked at there.
 */
export async function judgeLines(tx: PoolClient, judging: Judging): Promise<void> {
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
  await tx.query(`
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
                     on ${claimOf('c')} and c.mid = l.mid
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
            offset 0) line;
    analyze judged (verdict, provider_tid, merchant_id)`);
  if (known === null) await leaveOutRepeated(tx);
  await settleCancels(tx);
  await gatherLines(tx, judging);
  await createAside(tx, judging, before);
}

function listed(values: readonly string[]): string {
  return values.map((value) => escapeLiteral(value)).join(', ');
}

/**
 * A cancel whose approval is accepted on its plain way in the same answer is so itself; another has to be looked at.
 * Leaves `unsettled`: those rows of `judged` that have to be.
 */
async function settleCancels(tx: PoolClient): Promise<void> {
  await tx.query(`
    create temp table unsettled on commit drop as
    select ctid as at, line_no, line_at, provider_tid, channel, original_on, verdict from judged where verdict in ('J', 'K');
    analyze unsettled;
    update unsettled c set verdict = 'J'
     where verdict = 'K'
       and not exists (select from judged o
                        where o.verdict = 'A' and o.cancel_seq = 0 and o.provider_tid = c.provider_tid
                          and (o.traded_on = c.original_on and o.channel = c.channel) is true);
    update judged set verdict = 'J'
     where ctid = any (array(select at from unsettled where verdict = 'J')) and verdict = 'K';
    update judged set verdict = 'A'
     where ctid = any (array(select at from unsettled where verdict = 'K')) and verdict = 'K';
    delete from unsettled where verdict = 'K'`);
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

/** The lines that are not plain, which of their claim's they are, and whether they contradict one another: `aside_line`. */
async function gatherLines(tx: PoolClient, { lines }: Judging): Promise<void> {
  // A line is fetched from where it lies, not looked for among all.
  const found = 'l.ctid = any (array(select line_at from unsettled))';
  const said =
    '(l.amount_won, l.original_won, l.tier, l.card_type, l.difference_won, l.supply_won, l.vat_won, l.pay_on, l.code)';
  await tx.query(`
    create temp table aside_line on commit drop as
    with line as materialized (
      select l.*, row_number() over (partition by ${lineKey} order by l.line_no) as copy_no,
             ${said} is distinct from first_value(${said}) over (partition by ${lineKey} order by l.line_no) as is_other
        from ${lines} l where ${found}
    ), contradicted as (
      select distinct ${lineKey} from line where is_other
      union
      -- Nobody can tell which of two claims is meant, unless there is a line for each.
      select ${lineKey} from (select l.line_no, l.provider_tid, l.cancel_seq, l.traded_on, l.mid
                                from line l join unsettled j using (line_no)) m
       group by ${lineKey} having count(*) not in (count(distinct line_no), count(distinct line_no) * count(distinct line_no))
    )
    select l.*, o.provider_tid is not null as is_contradicted from line l left join contradicted o using (${lineKey});
    drop table unsettled;
    analyze aside_line`);
}

/**
 * What is not plain, with all that is known of it: `aside`. `said` is what the line comes to by itself: a reason to hold,
 * `unknown_claim`, `copy`, `contradicted` (more lines of a claim that is answered twice), `rejected`, `passed` or `accepted`.
 */
async function createAside(tx: PoolClient, judging: Judging, before: Before): Promise<void> {
  const { provider, file, answer } = judging;
  const { codes } = provider.differential;
  const key =
    'channel = c.channel and e.traded_on = c.traded_on and e.provider_tid = c.provider_tid and e.cancel_seq = c.cancel_seq and e.kind = c.kind';
  const claimColumns = `${claimKey}, mid, file_id, state, reason, type, tier, card_type, attempt, original_on, amount_won,
    original_won, charged_won, difference_won, merchant_id`;
  const impossible = `d.theirs_won is null or d.supply_now is null or d.theirs_won * case c.type when 'A' then 1 else -1 end < 0
    or abs(d.theirs_won) > greatest(abs(c.charged_won), abs(c.difference_won))`;
  const amountsDiffer = `l.amount_won <> c.amount_won or l.original_won <> c.original_won`;
  const ofClaim = `x.provider_tid = c.provider_tid and x.cancel_seq = c.cancel_seq and x.traded_on = c.traded_on and x.channel = c.channel`;
  const found = await foundHow(tx);
  const revision = `${claimKey}, revision_id, after_won, accepted, answer_id`;
  await found.run(`
    create temp table aside on commit drop as
    select l.line_no, l.provider_tid, l.cancel_seq, l.traded_on, l.mid, l.amount_won as said_won, l.code, l.tier as said_tier,
           l.difference_won as said_difference_won,
           d.tier_now as tier, d.card_now as card_type, l.pay_on,
           d.theirs_won, d.supply_now as supply_won, ${differencesOf(provider, joined)} as differences,
           c.channel, 'D'::"char" as kind, c.file_id, c.state, c.reason, c.type, c.attempt, c.original_on,
           c.amount_won as ours_amount_won, c.difference_won as ours_won, c.charged_won, c.merchant_id,
           coalesce(c.file_id = ${file.fileId}, false) as is_here, q.attempt as past_attempt,
           r.difference_won is not null as has_result,
           coalesce(v.accepted, r.difference_won is not null) as is_active,
           case when coalesce(v.accepted, r.difference_won is not null) then coalesce(v.after_won, r.difference_won) else 0 end as before_won,
           coalesce(a.file_id = ${file.fileId}, false) as is_accepted_here, ${answer.answerId}::bigint as said_by,
           ${escapeLiteral(provider.id)} || ':' || l.code as full_code,
           case when c.channel is null or (c.file_id is distinct from ${file.fileId} and q.attempt is null) then 'unknown_claim'
                when l.is_contradicted then case when l.copy_no = 1 then 'answered_twice' else 'contradicted' end
                when l.copy_no > 1 then 'copy'
                when ${amountsDiffer} then 'amount_changed'
                when l.code in (${codesThat(codes, 'correct', 'final')}) then 'rejected'
                when l.code in (${codesThat(codes, 'accepted')}) is not true then 'unknown_code'
                ${
                  answer.stage === 'validation'
                    ? `else 'passed'`
                    : `
                when (${smallTier(provider, joined)}) is not true then 'tier_differs'
                when ${impossible} then 'difference_impossible'
                else 'accepted'`
                } end as said,
           l.code in (${codesThat(codes, 'final')}) as is_final,
           null::text as action, null::text as new_reason
      from aside_line l
      ${found.join(claimsToJudge(judging, claimColumns), 'c', 'x.provider_tid = l.provider_tid and x.cancel_seq = l.cancel_seq and x.traded_on = l.traded_on and x.mid = l.mid')}
      left join lateral (select max((e.detail ->> 'attempt')::smallint) as attempt from claim_event e
                          where c.file_id is distinct from ${file.fileId} and e.${key} and e.event = 'queued'
                            and (e.detail ->> 'fileId')::bigint = ${file.fileId}) q on true
      ${
        before.results
          ? found.join(ofBatch(judging, 'claim_result', `${claimKey}, difference_won, answer_id`), 'r', ofClaim)
          : 'cross join (select null::bigint as difference_won, null::bigint as answer_id) r'
      }
      ${
        before.revisions
          ? found.join(
              ofBatch(judging, 'claim_revision', revision),
              'v',
              ofClaim,
              `distinct on (${claimKey})`,
              `order by ${claimKey}, revision_id desc`,
            )
          : 'cross join (select null::bigint as after_won, null::boolean as accepted, null::bigint as answer_id) v'
      }
      left join answer_file a on a.answer_id = coalesce(v.answer_id, r.answer_id)
      cross join lateral ${stated(provider)} d`);
  await tx.query('drop table aside_line; analyze aside');
}

/** How the rows that belong to those of `aside_line` are found. */
type Found = {
  /** SQL: the one of `rows`, as `alias`, of which `on` holds, where there it is `x`. */
  join(rows: string, alias: string, on: string, first?: string, order?: string): string;
  run(statement: string): Promise<unknown>;
};

/** A few are looked up one by one, more than that as a set. */
async function foundHow(tx: PoolClient): Promise<Found> {
  const [counted] = await query<{ few: boolean }>(
    tx,
    `select (select count(*) from aside_line) * 8
              < (select reltuples from pg_class where oid = 'pg_temp.judged'::regclass) as few`,
  );
  if (counted?.few === true) {
    return {
      join: (rows, alias, on, first = '', order = '') =>
        `left join lateral (select ${first} * from (${rows}) x where ${on} ${order} offset 0) ${alias} on true`,
      run: (statement) => lookingUp(tx, statement),
    };
  }
  return {
    join: (rows, alias, on, first = '', order = '') =>
      `left join (select ${first} * from (${rows}) ${alias} ${order}) ${alias} on ${on.replaceAll('x.', `${alias}.`)}`,
    run: (statement) => tx.query(statement),
  };
}
