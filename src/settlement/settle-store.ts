import type { PoolClient } from 'pg';
import { findAgreements } from './agreement-store.ts';
import { bookMerchants } from './book-store.ts';
import { priceCancels } from './cancel-store.ts';
import { addToCycle } from './cycle-store.ts';
import { judgeCaptures, waitForOriginals } from './judge-store.ts';
import type { Part } from './part.ts';
import { refuseRepeated } from './repeated-store.ts';
import { countUnsettled, keepUnsettled, type Relieved, type StuckCaptures, stuckCaptures } from './set-aside-store.ts';
import { stageCaptures } from './stage-store.ts';
import { chooseTiers } from './volume-store.ts';

/** What people have to hear of a part: what is set aside for so long, and of what they heard before and is over. */
export type PartOutcome = { readonly stuck: readonly StuckCaptures[]; readonly relieved: readonly Relieved[] };

/**
 * 정산. Makes the items of a part and credits them, in the caller's transaction: what came in or waited is staged, judged
 * and priced by the set, booked, and what cannot be settled is set aside with its reason.
 */
export async function settlePart(tx: PoolClient, part: Part): Promise<PartOutcome> {
  // Who dismisses a capture waits until this is committed, and finds it settled, or not.
  await tx.query('lock table dismissed_capture in share mode');
  await stageCaptures(tx, part);
  await findAgreements(tx, part);
  await chooseTiers(tx, part);
  await judgeCaptures(tx, part);
  await refuseRepeated(tx);
  await waitForOriginals(tx, part);
  await priceCancels(tx, part);
  await bookMerchants(tx, part);
  const relieved = await keepUnsettled(tx, part);
  await addToCycle(tx, part, await countUnsettled(tx));
  return { stuck: await stuckCaptures(tx, part), relieved };
}
