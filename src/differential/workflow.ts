import type { Durable } from '../platform/durable/durable.ts';
import type { DifferentialPorts } from './ports.ts';

export type DifferentialRequest = { readonly provider: string; readonly on: string; readonly who: string };

/** What a provider's day came to; won are ours until `acceptedWon`, which is theirs. */
export type BatchResult = {
  readonly runId: string;
  readonly provider: string;
  readonly on: string;
  /** answered: every claim that was sent has been answered; expired: the deadline passed before; empty: nothing to claim. */
  readonly outcome: 'answered' | 'expired' | 'empty';
  readonly candidates: bigint;
  readonly claims: bigint;
  readonly held: bigint;
  readonly differenceWon: bigint;
  readonly files: number;
  readonly lines: bigint;
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly setAside: bigint;
  readonly unanswered: bigint;
  readonly acceptedWon: bigint;
};

export type DifferentialSettlement = {
  /**
   * 차액정산. Runs a provider's day through the five steps and waits for its end, or finds what it came to: a day runs
   * once. @throws Problem `not_found` for a provider that nobody knows; whatever made its run fail
   */
  run(request: DifferentialRequest): Promise<BatchResult>;
};

/** The id of the run of a provider's day: `differential:welcome:2026-11-20`. */
export function differentialRunId({ provider, on }: Pick<DifferentialRequest, 'provider' | 'on'>): string {
  return `differential:${provider}:${on}`;
}

/** 차액정산. Registers the workflows; call before the engine is launched. */
export function registerDifferential(durable: Durable, ports: DifferentialPorts): DifferentialSettlement {
  const workflow = durable.register('differential', (request: DifferentialRequest) => settleDay(ports, request));
  return {
    async run(request) {
      return await (await durable.start(workflow, differentialRunId(request), request)).result();
    },
  };
}

async function settleDay(_ports: DifferentialPorts, _request: DifferentialRequest): Promise<BatchResult> {
  throw new Error('not written yet');
}
