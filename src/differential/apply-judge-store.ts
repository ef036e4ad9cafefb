import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { query } from '../platform/database/pool.ts';
import type { Codes, DifferentialProvider } from '../providers/differential.ts';
import type { AnswerFile } from './answer-store.ts';
import { dayList, isOfShare, lookingUp, type Share } from './candidate-store.ts';
import type { ClaimFile } from './file-store.ts';
import { supplyOf } from './price-store.ts';

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
  /** Whose claims are looked at, where it is applied in parts: a merchant's are in one. */
  readonly share?: Share;
  /** What is left of one that was applied in parts. */
  readonly isRest?: boolean;
};

export const claimKey = 'channel, traded_on, provider_tid, cancel_seq, kind';
const lineKey = 'provider_tid, cancel_seq, traded_on, mid';

/** SQL: the rows of a hot table of the batch's days and no other leaf; of claims those of the part. */
export function ofBatch(
  { days, share }: Pick<Judging, 'days' | 'share'>,
  table: 'claim' | 'claim_result' | 'claim_revision',
  columns: string,
): string {
  const own = table === 'claim' && share !== undefined ? ` and ${isOfShare('merchant_id', share)}` : '';
  const channels = [...Map.groupBy(days, ({ channel }) => channel)].map(([channel, on]) => {
    const list = dayList(on.map(({ tradedOn }) => tradedOn));
    return `select ${columns} from ${table} where channel = ${escapeLiteral(channel)} and traded_on in (${list}) and kind = 'D'${own}`;
  });
  return channels.length === 0 ? `select ${columns} from ${table} where false` : channels.join(' union all ');
}

/** SQL: codes with one of these meanings, as a list for `in`. */
function codesThat(codes: Codes, ...meanings: readonly string[]): string {
  const list = Object.keys(codes).filter((code) => meanings.includes(codes[code]?.means ?? ''));
  return list.length === 0 ? 'null' : list.map((code) => escapeLiteral(code)).join(', ');
}

/** SQL: whether a line `l` pays by its tier: what is accepted without one, by a provider that states tiers, does not. */
function smallTier({ differential: { answers } }: DifferentialProvider): string {
  const states = answers.layout.data.columns.some(({ name, source }) => name === 'tier' && source.from !== 'nowhere');
  return states ? `l.tier in ('0', '1', '2', '3')` : 'true';
}

/** More won than any capture has: what states as much states nothing, so that no working with it is out of range. */
const wonMost = 10n ** 16n;

/** SQL of a lateral row: what a line `l` states as the difference, split, or nulls where it does not or contradicts itself. */
function stated(provider: DifferentialProvider): string {
  const supply = supplyOf('l.difference_won', provider.differential.rounding);
  const isWon = ['difference', 'supply', 'vat']
    .map((name) => `coalesce(l.${name}_won, 0) between -${wonMost} and ${wonMost}`)
    .join(' and ');
  return `(select case when not (${isWon}) then null
                       when l.difference_won = coalesce(l.supply_won + l.vat_won, l.difference_won) then l.difference_won
                       when l.difference_won is null then l.supply_won + l.vat_won end as theirs_won,
                  case when ${isWon} then coalesce(l.supply_won, l.difference_won - l.vat_won, ${supply}) end as supply_now)`;
}

/** SQL: how what is accepted differs from ours: 1 by its won, 2 in its split, 4 in the tier, 8 in the card type. */
function differencesOf(provider: DifferentialProvider): string {
  return `(case when d.theirs_won <> c.difference_won then 1 else 0 end
         + case when (l.supply_won is not null or l.vat_won is not null)
                     and d.supply_now <> ${supplyOf('d.theirs_won', provider.differential.rounding)} then 2 else 0 end
         + case when l.tier <> c.tier::text then 4 else 0 end
         + case when case when l.card_type is null then null when l.card_type = '1' then 'K'::"char" else 'C' end <> c.card_type
                then 8 else 0 end)::smallint`;
}

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
 * `verdict` is A where an approval on its plain way is accepted, S where it was before and with the same amount, V where a
 * validation lets a claim go on, and J where more has to be looked at: those are the rows of `aside`. Lines of one
 * transaction and sequence, a few that only seem so among them, are looked at there.
 */
export async function judgeLines(tx: PoolClient, judging: Judging): Promise<void> {
  const { provider, file, answer, lines, share } = judging;
  const { codes } = provider.differential;
  const before = await saidBefore(tx, judging);
  const accepted = `l.code in (${codesThat(codes, 'accepted')})`;
  const plain =
    answer.stage === 'validation'
      ? `when ${accepted} then 'V'`
      : `when not ${accepted} or c.type <> 'A' or l.original_won <> c.original_won or (${smallTier(provider)}) is not true
              or (d.theirs_won between 0 and c.charged_won) is not true or d.supply_now is null then 'J'
         when r.difference_won is null then 'A'
         when v.after_won is null and r.difference_won = d.theirs_won then 'S'`;
  const claimOf = (row: string) =>
    `${row}.provider_tid = l.provider_tid and ${row}.cancel_seq = l.cancel_seq and ${row}.traded_on = l.traded_on`;
  await tx.query(`
    create temp table judged on commit drop as
    select l.line_no, l.provider_tid, l.cancel_seq, c.channel, l.traded_on, c.merchant_id, c.difference_won as ours_won,
           d.theirs_won, d.supply_now as supply_won, case when l.tier in ('0', '1', '2', '3') then l.tier::smallint end as tier,
           case when l.card_type is null then null when l.card_type = '1' then 'K'::"char" else 'C' end as card_type, l.pay_on,
           ${differencesOf(provider)} as differences,
           (case when c.channel is null or c.file_id is distinct from ${file.fileId} or c.state <> 'P'
                      or l.amount_won <> c.amount_won then 'J'
                 ${plain}
                 else 'J' end)::"char" as verdict
      from ${lines} l
      ${share === undefined ? 'left join' : 'join'} (${ofBatch(judging, 'claim', `${claimKey}, mid, file_id, state, type, tier, card_type, amount_won, original_won, charged_won, difference_won, merchant_id`)}) c
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
      cross join lateral ${stated(provider)} d;
    analyze judged (verdict, provider_tid, merchant_id)`);
  await leaveOutRepeated(tx);
  await gatherLines(tx, judging);
  await createAside(tx, judging, before);
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
  const said =
    '(l.amount_won, l.original_won, l.tier, l.card_type, l.difference_won, l.supply_won, l.vat_won, l.pay_on, l.code)';
  await tx.query(`
    create temp table aside_line on commit drop as
    with line as materialized (
      select l.*, row_number() over (partition by ${lineKey} order by l.line_no) as copy_no,
             ${said} is distinct from first_value(${said}) over (partition by ${lineKey} order by l.line_no) as is_other
        from ${lines} l where line_no in (select line_no from judged where verdict = 'J')
    ), contradicted as (
      select distinct ${lineKey} from line where is_other
      union
      -- Nobody can tell which of two claims is meant, unless there is a line for each.
      select ${lineKey} from (select l.line_no, l.provider_tid, l.cancel_seq, l.traded_on, l.mid
                                from line l join judged j using (line_no) where j.verdict = 'J') m
       group by ${lineKey} having count(*) not in (count(distinct line_no), count(distinct line_no) * count(distinct line_no))
    )
    select l.*, o.provider_tid is not null as is_contradicted from line l left join contradicted o using (${lineKey});
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
           case when l.tier in ('0', '1', '2', '3') then l.tier::smallint end as tier,
           case when l.card_type is null then null when l.card_type = '1' then 'K'::"char" else 'C' end as card_type, l.pay_on,
           d.theirs_won, d.supply_now as supply_won, ${differencesOf(provider)} as differences,
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
                when (${smallTier(provider)}) is not true then 'tier_differs'
                when ${impossible} then 'difference_impossible'
                else 'accepted'`
                } end as said,
           l.code in (${codesThat(codes, 'final')}) as is_final,
           null::text as action, null::text as new_reason
      from aside_line l
      ${found.join(ofBatch(judging, 'claim', claimColumns), 'c', 'x.provider_tid = l.provider_tid and x.cancel_seq = l.cancel_seq and x.traded_on = l.traded_on and x.mid = l.mid')}
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
    'select (select count(*) from aside_line) * 8 < (select count(*) from judged) as few',
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
