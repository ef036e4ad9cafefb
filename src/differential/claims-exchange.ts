import { seoul } from '../kernel/business-day.ts';
import { ensureLedgerDay } from '../ledger/store.ts';
import { runId } from '../platform/durable/step.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { applyPart, loadInParts } from './apply-part-store.ts';
import { applyAnswer } from './apply-store.ts';
import type { Exchange } from './exchange.ts';
import { claimFile } from './file-store.ts';
import type { DifferentialPorts } from './ports.ts';
import { unansweredClaims } from './write-store.ts';

/** How files of claims are exchanged with a provider: what it answers, and what becomes of the answers. */
export function claimsExchange(
  ports: Pick<DifferentialPorts, 'pool' | 'archive' | 'clock' | 'linesPerPart'>,
  provider: DifferentialProvider,
): Omit<Exchange, 'fileIds' | 'sendAt'> {
  const { validation, answers } = provider.differential;
  const { pool, archive, clock, linesPerPart } = ports;
  const today = () => clock.now().toZonedDateTimeISO(seoul).toPlainDate().toString();
  const applying = (answerId: bigint) => ({ answerId, provider, archive, by: runId(), on: today() });
  return {
    provider,
    answers: [
      ...(validation === undefined ? [] : [{ stage: 'validation' as const, spec: validation }]),
      { stage: 'answer', spec: answers },
    ],
    // Not in the transaction that books, for which everybody else would wait.
    prepare: () => ensureLedgerDay(pool, today()),
    parts: {
      load: (tx, answerId) => loadInParts(tx, applying(answerId), linesPerPart),
      apply: (tx, answerId, share) => applyPart(tx, applying(answerId), share),
    },
    apply: (tx, answerId) => applyAnswer(tx, applying(answerId)),
    unanswered: async (tx, fileId) => {
      const { batchId } = await claimFile(tx, fileId);
      return batchId === null ? 0n : await unansweredClaims(tx, batchId, fileId);
    },
  };
}
