import type { DifferentialProvider } from '../providers/differential.ts';
import type { Exchange } from './exchange.ts';
import type { DifferentialPorts } from './ports.ts';
import { applyRegistrationAnswer, unansweredRegistrations } from './registration-answer-store.ts';

/**
 * How files of registrations are exchanged with a provider: what it answers, and what becomes of the answers. Null where it
 * wants nobody registered.
 */
export function registrationExchange(
  { archive }: Pick<DifferentialPorts, 'archive'>,
  provider: DifferentialProvider,
): Omit<Exchange, 'fileIds' | 'sendAt'> | null {
  const { registration } = provider.differential;
  if (registration === undefined) return null;
  return {
    provider,
    answers: [{ stage: 'answer', spec: registration.answers }],
    apply: (tx, answerId) => applyRegistrationAnswer(tx, { answerId, provider, archive }),
    unanswered: unansweredRegistrations,
  };
}
