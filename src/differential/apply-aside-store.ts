import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import { codesThat, differencesOf, joined, smallTier, stated } from './answer-line-store.ts';
import { claimKey, claimsToJudge, ofBatch } from './answered-claims-store.ts';
import type { Before, Judging } from './apply-judge-store.ts';
import { lookingUp } from './candidate-store.ts';

const lineKey = 'provider_tid, cancel_seq, traded_on, mid';

/** Gathers the lines that are not plain, with all that is known of them, as the temporary table `aside`. */
export async function setAside(tx: PoolClient, judging: Judging, before: Before): Promise<void> {
  await gatherLines(tx, judging.lines);
  await createAside(tx, judging, before);
}

/** The lines that are not plain, which of their claim's they are, and whether they contradict one another: `aside_line`. */
async function gatherLines(tx: PoolClient, lines: string): Promise<void> {
  // A line is fetched from where it lies, not looked for among all.
  const found = `l.ctid = any (array(select line_at from apart where verdict = 'J'))`;
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
                                from line l join apart j using (line_no) where j.verdict = 'J') m
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
