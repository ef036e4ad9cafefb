import { escapeLiteral, type PoolClient } from 'pg';
import { check } from '../kernel/check.ts';
import { isProblem } from '../kernel/problem.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import { query } from '../platform/database/pool.ts';
import { type AnswerLoad, keptLines, loadAnswer, mostLines, temporaryLines } from './answer-load.ts';
import { type AnswerCounts, answerFile, takeAnswer } from './answer-store.ts';
import { claimsOfFile, keptFor, ofBatch } from './answered-claims-store.ts';
import type { Unreadable } from './apply-break-store.ts';
import type { Judging } from './apply-judge-store.ts';
import { type Applying, alone, applyLines, judgingOf } from './apply-lines-store.ts';
import { dayList, lanes, lookingUp, planForSets, type Share } from './candidate-store.ts';
import { lockFile } from './file-store.ts';

/** Below so many lines a second connection gains nothing. */
const worthDividing = 50_000;
const linesPerPartDefault = 1_000_000;

/** An answer whose lines are kept for its parts. */
export type LoadedParts = {
  readonly answerId: bigint;
  readonly parts: number;
  readonly lines: bigint;
  readonly unreadable: readonly Unreadable[];
  /** As its load found them. */
  readonly repeats: readonly string[] | null;
};

/** Undefined for an answer that is applied as a whole, or was applied. */
export async function partsOf(tx: PoolClient, answerId: bigint): Promise<LoadedParts | undefined> {
  const [load] = await query<LoadedParts>(
    tx,
    `select answer_id as "answerId", parts, l.lines, unreadable, repeats from answer_load l join answer_file using (answer_id)
      where answer_id = $1 and state = 'received'`,
    [answerId],
  );
  return load;
}

/**
 * Loads an answer that is worth dividing, and says in how many parts it is applied, each merchant in one, before
 * `applyAnswer` applies the rest; 0 where it is applied as a whole, or was applied before. Loaded again it is as it was.
 * @throws Problem `archive_damaged`
 */
export async function loadInParts(
  tx: PoolClient,
  applying: Applying,
  linesPerPart = linesPerPartDefault,
): Promise<number> {
  const { answerId, archive, on } = applying;
  // The file first, as whoever registers an answer does.
  const { fileId } = await answerFile(tx, answerId);
  await lockFile(tx, fileId);
  if ((await takeAnswer(tx, answerId)) === undefined) return 0;
  const loaded = await partsOf(tx, answerId);
  if (loaded !== undefined) return loaded.parts;
  const of = await judgingOf(tx, applying);
  if (mostLines(of) <= Math.min(worthDividing, linesPerPart)) return 0;
  await planForSets(tx);
  // Nobody else works on it yet: all claims are looked at by all cores.
  await tx.query('set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0');
  if (await isEntangled(tx, of)) return 0;
  await tx.query('savepoint load');
  let load: AnswerLoad;
  try {
    load = await loadAnswer(tx, { archive, ...of, into: keptLines(answerId) });
  } catch (error) {
    if (!isProblem(error) || !error.code.startsWith('statement_')) throw error;
    // Who applies it as a whole finds the same, and says so.
    await tx.query('rollback to savepoint load');
    return 0;
  }
  await tx.query(`release savepoint load; analyze ${keptLines(answerId)}`);
  const { parts } = await noteLoad(tx, answerId, load, linesPerPart);
  await ensureLedgerDay(tx, on);
  return parts;
}

async function noteLoad(
  tx: PoolClient,
  answerId: bigint,
  { facts, repeats }: AnswerLoad,
  linesPerPart: number,
): Promise<{ readonly parts: number }> {
  const unreadable = facts.unreadable.map(({ raw: _, ...line }) => line);
  const [noted] = await query<{ parts: number }>(
    tx,
    `insert into answer_load (answer_id, parts, lines, unreadable, repeats)
     values ($1, $2::int * greatest(1, ceil($3 / ($2::int * $4::numeric))::int), $3, $5::jsonb, $6::text[]) returning parts`,
    [answerId, lanes, facts.lines, linesPerPart, JSON.stringify(unreadable), repeats],
  );
  check(noted, 'an insert returns its row');
  return noted;
}

/**
 * Applies a part of an answer: the lines to claims of its merchants, in the transaction that is given. Parts of different
 * lanes may be applied at the same time; one that is applied again changes nothing.
 */
export async function applyPart(tx: PoolClient, applying: Omit<Applying, 'archive'>, share: Share): Promise<null> {
  const { answerId, provider } = applying;
  await alone(tx, provider, share);
  const done = await query(tx, 'select from answer_part where answer_id = $1 and part = $2', [answerId, share.part]);
  const loaded = await partsOf(tx, answerId);
  if (done.length > 0 || loaded === undefined) return null;
  await planForSets(tx);
  // The other lane is what the other cores are for.
  await tx.query('set local max_parallel_workers_per_gather = 0');
  const of = await judgingOf(tx, applying);
  const counts = await applyLines(tx, { ...of, lines: keptLines(answerId), repeats: loaded.repeats, share });
  const { lines, accepted, rejected, repeated, setAside, differenceWon } = counts;
  await tx.query(
    `insert into answer_part (answer_id, part, found, accepted, rejected, repeated, set_aside, difference_won)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [answerId, share.part, lines, accepted, rejected, repeated, setAside, differenceWon],
  );
  return null;
}

/** After all parts: applies the lines that are to no claim, forgets those that were kept, and sums up. */
export async function applyRest(
  tx: PoolClient,
  of: Omit<Judging, 'lines' | 'repeats'>,
  { answerId, parts, lines, repeats }: LoadedParts,
): Promise<AnswerCounts> {
  const sum = (column: string) => `coalesce(sum(${column}), 0)::bigint`;
  const [sums] = await query<AnswerCounts & { readonly parts: bigint }>(
    tx,
    `select count(*) as parts, ${sum('found')} as lines, ${sum('accepted')} as accepted, ${sum('rejected')} as rejected,
            ${sum('repeated')} as repeated, ${sum('set_aside')} as "setAside", ${sum('difference_won')} as "differenceWon"
       from answer_part where answer_id = $1`,
    [answerId],
  );
  check(sums?.parts === BigInt(parts), `${sums?.parts} parts of ${parts} are applied`);
  const { parts: _, ...counts } = sums;
  const kept = keptLines(answerId);
  if (counts.lines === lines) {
    await tx.query(`drop table ${kept}`);
    return counts;
  }
  await tx.query(`
    create temp table ${temporaryLines} on commit drop as
    select l.* from ${kept} l
     where not exists (select from (${claimsOfFile(of, 'provider_tid, cancel_seq, traded_on, mid')}) c
                        where c.provider_tid = l.provider_tid and c.cancel_seq = l.cancel_seq
                          and c.traded_on = l.traded_on and c.mid = l.mid);
    drop table ${kept}`);
  const rest = await applyLines(tx, { ...of, lines: temporaryLines, repeats, isRest: true });
  await tx.query(`drop table ${temporaryLines}`);
  check(counts.lines + rest.lines === lines, `${counts.lines} and ${rest.lines} lines of ${lines} are applied`);
  return {
    lines,
    accepted: counts.accepted + rest.accepted,
    rejected: counts.rejected + rest.rejected,
    repeated: counts.repeated + rest.repeated,
    setAside: counts.setAside + rest.setAside,
    differenceWon: counts.differenceWon + rest.differenceWon,
  };
}

/**
 * Whether what is to be judged together may be of several merchants, and so of several parts: a line that claims of two
 * channels answer to, or a cancel for which another merchant is named than for its approval.
 */
async function isEntangled(tx: PoolClient, of: Omit<Judging, 'lines' | 'repeats'>): Promise<boolean> {
  const channels = [...new Set(of.days.map(({ channel }) => channel))];
  const claims = (channel: string) =>
    ofBatch(
      { days: of.days.filter((day) => day.channel === channel) },
      'claim',
      'provider_tid, cancel_seq, traded_on, mid',
    );
  for (const [n, one] of channels.entries()) {
    for (const other of channels.slice(n + 1)) {
      const shared = await query(
        tx,
        `select from (${claims(one)}) a join (${claims(other)}) b using (provider_tid, cancel_seq, traded_on, mid) limit 1`,
      );
      if (shared.length > 0) return true;
    }
  }
  return await hasCancelsAstray(tx, of);
}

/** Whether it is so of a cancel that the batch claims, or of one whose acceptance a break keeps. */
async function hasCancelsAstray(tx: PoolClient, of: Omit<Judging, 'lines' | 'repeats'>): Promise<boolean> {
  const columns = 'channel, provider_tid, original_on, merchant_id';
  await tx.query(`
    create temp table cancelled on commit drop as
    select ${columns} from (${ofBatch(of, 'claim', `${columns}, cancel_seq`)}) c where cancel_seq > 0`);
  const [provider, kept] = [escapeLiteral(of.provider.id), escapeLiteral(keptFor.original_not_paid)];
  const waiting = await query<{ day: string }>(
    tx,
    `select distinct traded_on::text as day from claim_break
      where provider = ${provider} and kind = ${kept} and closed_at is null and traded_on is not null`,
  );
  if (waiting.length > 0) {
    await lookingUp(
      tx,
      `insert into cancelled
       select c.* from claim_break b
        cross join lateral (
          select ${columns} from claim c
           where c.channel = b.channel and c.traded_on = b.traded_on and c.provider_tid = b.provider_tid
             and c.cancel_seq = b.cancel_seq and c.kind = b.claim_kind
             and c.traded_on in (${dayList(waiting.map(({ day }) => day))}) offset 0) c
        where b.provider = ${provider} and b.kind = ${kept} and b.closed_at is null`,
    );
  }
  // Of approvals of other days the answer says nothing.
  const approvals = ofBatch(of, 'claim', 'channel, traded_on, provider_tid, cancel_seq, merchant_id');
  await lookingUp(
    tx,
    `create temp table astray on commit drop as
     select c.provider_tid from cancelled c
      cross join lateral (
        select merchant_id from (${approvals}) o
         where o.channel = c.channel and o.traded_on = c.original_on and o.provider_tid = c.provider_tid and o.cancel_seq = 0
         offset 0) o
      where o.merchant_id <> c.merchant_id limit 1`,
  );
  const found = await query(tx, 'select from astray');
  await tx.query('drop table cancelled, astray');
  return found.length > 0;
}
