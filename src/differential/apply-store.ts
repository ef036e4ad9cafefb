import type { PoolClient } from 'pg';
import { loadAnswer, temporaryLines } from './answer-load.ts';
import type { AnswerCounts } from './answer-store.ts';
import { type Unreadable, writeUnreadable } from './apply-break-store.ts';
import { type Applying, alone, applyLines, judgingOf } from './apply-lines-store.ts';
import { applyRest, partsOf } from './apply-part-store.ts';
import { planForSets } from './candidate-store.ts';

/**
 * 결과 반영. Applies a validation or an answer, by the set, in the one transaction that is given: what it says of each claim
 * is written, and what it is worth is booked for the merchants. Of one that is applied in parts, all of which are applied,
 * what is left. Applied again it changes nothing.
 * @throws Problem `statement_…` where the file as a whole cannot be read; `archive_damaged`
 */
export async function applyAnswer(tx: PoolClient, applying: Applying): Promise<AnswerCounts> {
  const { answerId, provider, archive } = applying;
  const of = await judgingOf(tx, applying);
  await planForSets(tx);
  const parts = await partsOf(tx, answerId);
  let counts: AnswerCounts;
  let unreadable: readonly Unreadable[];
  if (parts === undefined) {
    const { facts, repeats } = await loadAnswer(tx, { archive, ...of, into: temporaryLines });
    await alone(tx, provider);
    counts = await applyLines(tx, { ...of, lines: temporaryLines, repeats });
    unreadable = facts.unreadable;
    await tx.query(`drop table ${temporaryLines}`);
  } else {
    await alone(tx, provider);
    counts = await applyRest(tx, of, parts);
    unreadable = parts.unreadable;
  }
  await writeUnreadable(tx, of, unreadable);
  const lost = BigInt(unreadable.length);
  return { ...counts, lines: counts.lines + lost, setAside: counts.setAside + lost };
}
