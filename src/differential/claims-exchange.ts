import type { DifferentialProvider } from '../providers/differential.ts';
import type { Exchange } from './exchange.ts';
import { claimFile } from './file-store.ts';
import type { DifferentialPorts } from './ports.ts';
import { unansweredClaims } from './write-store.ts';

/** How files of claims are exchanged with a provider: what it answers, and what becomes of the answers. */
export function claimsExchange(
  _ports: Pick<DifferentialPorts, 'archive'>,
  provider: DifferentialProvider,
): Omit<Exchange, 'fileIds' | 'sendAt'> {
  const { validation, answers } = provider.differential;
  return {
    provider,
    answers: [
      ...(validation === undefined ? [] : [{ stage: 'validation' as const, spec: validation }]),
      { stage: 'answer', spec: answers },
    ],
    apply: async () => {
      throw new Error('not written yet');
    },
    unanswered: async (tx, fileId) => {
      const { batchId } = await claimFile(tx, fileId);
      return batchId === null ? 0n : await unansweredClaims(tx, batchId, fileId);
    },
  };
}
