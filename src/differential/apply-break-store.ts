import { escapeLiteral, type PoolClient } from 'pg';
import { query } from '../platform/database/pool.ts';
import type { UnreadableLine } from '../providers/layout/facts.ts';
import { keptFor } from './answered-claims-store.ts';
import type { Judging } from './apply-judge-store.ts';
import { unansweredClaims } from './write-store.ts';

/** SQL: the subject of a break about a claim: `welcome-online:T0001/0`. */
const claimSubject = `channel || ':' || provider_tid || '/' || cancel_seq`;

/** How an accepted claim may differ from ours: the bits of `differences`. */
const differences = [
  [1, 'difference_differs'],
  [2, 'split_differs'],
  [4, 'tier_differs'],
  [8, 'card_type_differs'],
] as const;

/** SQL: the kind of the break that a row of `aside` stands for; null where it is none. */
const kindOfAside = `case
  when action = 'unknown_claim' then action when action = 'conflict' then 'answered_twice'
  when action in ('hold', 'aside', 'revoke_hold')
    then case new_reason when 'original_not_paid' then ${escapeLiteral(keptFor.original_not_paid)} else new_reason end end`;

const ends = `action in ('accept', 'revise', 'same', 'reject', 'reject_past', 'revoke', 'pass')`;

/** A line that nobody can read, as its break tells of it. */
export type Unreadable = Pick<UnreadableLine, 'lineNo' | 'field' | 'problem' | 'byteFrom' | 'byteTo'>;

/**
 * Opens breaks where this answer says otherwise than we do, brings open ones up to date, and closes those of the same
 * file whose claims it now says something plain of.
 */
export async function writeBreaks(tx: PoolClient, judging: Judging): Promise<void> {
  await gather(tx, judging);
  await closeEnded(tx, judging);
  await open(tx, judging);
}

/** The same of lines that nobody can read, once what the others say is written. */
export async function writeUnreadable(
  tx: PoolClient,
  judging: Pick<Judging, 'provider' | 'file' | 'answer' | 'by'>,
  lines: readonly Unreadable[],
): Promise<void> {
  await closeUnreadable(tx, judging);
  await openUnreadable(tx, judging, lines);
}

/** What differs now: `differing`, a row a claim (or line) and kind. */
async function gather(tx: PoolClient, { file }: Judging): Promise<void> {
  const claim = 'channel, traded_on, provider_tid, cancel_seq';
  const kinds = differences.map(([bit, kind]) => `(${bit}, '${kind}')`).join(', ');
  await tx.query(`
    alter table aside add column if not exists cause text;
    create temp table differing on commit drop as
    select k.kind, ${claimSubject} as subject, ${claim}, 'D'::"char" as claim_kind, line_no, ours_won, theirs_won, said_by,
           jsonb_strip_nulls(jsonb_build_object('tier', tier, 'cardType', card_type, 'supplyWon', supply_won)) as detail
      from (select ${claim}, line_no, ours_won, theirs_won, ${'0'}::bigint as said_by, tier, card_type, supply_won, differences
              from judged where ctid = any (array(select at from apart where is_different)) and verdict in ('A', 'K', 'S')
            union all
            select ${claim}, line_no, ours_won, theirs_won, said_by, tier, card_type, supply_won, differences
              from aside where differences <> 0 and said in ('accepted', 'kept') and action in ('accept', 'revise', 'same')) a
      join (values ${kinds}) k (bit, kind) on a.differences & k.bit <> 0
    union all
    -- Of several lines the first tells.
    (select distinct on (kind, subject) kind, subject, ${claim}, claim_kind, line_no, ours_won, theirs_won, said_by, detail
      from (select ${kindOfAside} as kind,
                   case when action = 'unknown_claim'
                        then ${escapeLiteral(file.fileName)} || ':' || provider_tid || '/' || cancel_seq else ${claimSubject} end as subject,
                   ${claim}, kind as claim_kind, line_no, said_by,
                   case when new_reason = 'amount_changed' then ours_amount_won else ours_won end as ours_won,
                   case when new_reason = 'amount_changed' then said_won else theirs_won end as theirs_won,
                   jsonb_strip_nulls(jsonb_build_object(
                     'code', full_code, 'tier', coalesce(said_tier, tier::text), 'cardType', card_type, 'payOn', pay_on,
                     'supplyWon', supply_won, 'differences', differences, 'mid', mid, 'cause', cause)) as detail
              from aside where ${kindOfAside} is not null) a
     order by kind, subject, line_no)`);
}

/** What the answer says plainly now ends what its file had said otherwise; what was kept to be booked ends with that. */
async function closeEnded(tx: PoolClient, { provider, file, by }: Judging): Promise<void> {
  const kept = Object.values(keptFor).map((kind) => escapeLiteral(kind));
  await tx.query(`
    create temp table standing on commit drop as
    select b.break_id, b.kind, b.subject, b.channel, b.traded_on, b.provider_tid, b.cancel_seq, b.kind in (${kept.join(', ')}) as is_kept
      from claim_break b join answer_file f using (answer_id)
     where b.provider = ${escapeLiteral(provider.id)} and b.closed_at is null and b.channel is not null
       and (f.file_id = ${file.fileId} or b.kind in (${kept.join(', ')}))`);
  const [some] = await query(tx, 'select from standing limit 1');
  if (some !== undefined) {
    const key = 'channel, traded_on, provider_tid, cancel_seq';
    await tx.query(`
      update claim_break b set closed_at = clock_timestamp(), closed_by = ${escapeLiteral(by)}, resolution = 'answered'
        from (select s.break_id from standing s
               join (select ${key}, true as is_of_now from judged where verdict in ('A', 'K', 'S')
                     -- A rejection that leaves the claim as it was is of a try that is over.
                     union all select ${key}, said <> 'rejected' or action in ('reject', 'revoke') from aside where ${ends})
                    e using (${key})
               where (e.is_of_now or not s.is_kept)
                 and not exists (select from differing d where d.kind = s.kind and d.subject = s.subject)) done
       where b.break_id = done.break_id`);
  }
  await tx.query('drop table standing');
}

async function open(tx: PoolClient, { provider, answer }: Pick<Judging, 'provider' | 'answer'>): Promise<void> {
  await tx.query(`
    insert into claim_break as b (provider, kind, subject, channel, traded_on, provider_tid, cancel_seq, claim_kind, answer_id,
                                  line_no, ours_won, theirs_won, detail)
    select ${escapeLiteral(provider.id)}, kind, subject, channel, traded_on, provider_tid, cancel_seq, claim_kind,
           coalesce(nullif(said_by, 0), ${answer.answerId}), line_no, ours_won, theirs_won, detail
      from differing order by kind, subject
    on conflict (provider, kind, subject) where closed_at is null do update
       set answer_id = excluded.answer_id, line_no = excluded.line_no, ours_won = excluded.ours_won,
           theirs_won = excluded.theirs_won, detail = excluded.detail;
    drop table differing`);
}

const unreadableSubject = ({ file, answer }: Pick<Judging, 'file' | 'answer'>): string =>
  `${file.fileName}:${answer.stage}:`;

async function openUnreadable(
  tx: PoolClient,
  judging: Pick<Judging, 'provider' | 'file' | 'answer'>,
  lines: readonly Unreadable[],
): Promise<void> {
  if (lines.length === 0) return;
  const { provider, answer } = judging;
  await tx.query(
    `insert into claim_break (provider, kind, subject, answer_id, line_no, detail)
     select $1, 'unreadable', $2 || line_no, $3, line_no, detail from unnest($4::int[], $5::jsonb[]) as l (line_no, detail)
     on conflict (provider, kind, subject) where closed_at is null do update
        set answer_id = excluded.answer_id, detail = excluded.detail`,
    [
      provider.id,
      unreadableSubject(judging),
      answer.answerId,
      lines.map(({ lineNo }) => lineNo),
      lines.map(({ field, problem, byteFrom, byteTo }) => JSON.stringify({ field, problem, byteFrom, byteTo })),
    ],
  );
}

/** A line that nobody could read is of no more interest once all claims of the file are answered. */
async function closeUnreadable(
  tx: PoolClient,
  { provider, file, answer, by }: Pick<Judging, 'provider' | 'file' | 'answer' | 'by'>,
): Promise<void> {
  const prefix = unreadableSubject({ file, answer });
  const [some] = await query(
    tx,
    `select from claim_break where provider = $1 and kind = 'unreadable' and closed_at is null and starts_with(subject, $2)
        and answer_id <> $3 limit 1`,
    [provider.id, prefix, answer.answerId],
  );
  if (some === undefined || answer.stage === 'validation' || file.batchId === null) return;
  if ((await unansweredClaims(tx, file.batchId, file.fileId)) > 0n) return;
  await tx.query(
    `update claim_break set closed_at = clock_timestamp(), closed_by = $3, resolution = 'answered'
      where provider = $1 and kind = 'unreadable' and closed_at is null and starts_with(subject, $2)`,
    [provider.id, prefix, by],
  );
}
