import { businessCalendar } from '../calendar/store.ts';
import { closeFinding } from '../findings/store.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { answerTimes } from './exchange-calendar.ts';
import { notSent } from './exchange-store.ts';
import { type ClaimFile, claimFile, claimFileNamed, lockFile, noteAgain, noteSent } from './file-store.ts';

/** again: it is not there and may be sent; sent: it is there, and answers are waited for. */
export type SendDecision = {
  readonly fileName: string;
  readonly decision: 'again' | 'sent';
  readonly by: string;
  readonly reason: string;
  readonly at: Temporal.Instant;
};

/**
 * 수기 결정. What a person knows of a file of which we do not: nothing is sent by this, the file's run goes on with it.
 * @throws Problem `not_found`, `claim_file_not_failed`
 */
export async function decideFile(pool: Pool, { fileName, decision, by, reason, at }: SendDecision): Promise<ClaimFile> {
  return await inTransaction(pool, async (tx) => {
    const { fileId } = await claimFileNamed(tx, fileName);
    await lockFile(tx, fileId);
    const { state, provider } = await claimFile(tx, fileId);
    if (state !== 'failed') throw new Problem('claim_file_not_failed', { file: fileName, state });
    if (decision === 'again') await noteAgain(tx, fileId);
    else {
      const { calendar } = differentialProviderOf(provider).differential;
      const times = answerTimes(calendar, at, await businessCalendar(tx));
      await noteSent(tx, fileId, { sentAt: at, foundThere: true, ...times });
    }
    await closeFinding(tx, { kind: notSent, subject: fileName, by: `${by}: ${reason}` });
    return await claimFile(tx, fileId);
  });
}
