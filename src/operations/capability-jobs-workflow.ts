import { z } from 'zod';
import { type DifferentialRequest, type DifferentialSettlement, differentialRunId } from '../differential/workflow.ts';
import { statesOfRuns } from '../platform/durable/runs.ts';
import { reconciledProviders } from '../providers/registry.ts';
import { stages } from '../providers/stage.ts';
import { abandonRun, openRun, type ReconcileRequest, wasReconciled } from '../reconciliation/run-store.ts';
import type { Reconciliation } from '../reconciliation/workflow.ts';
import { formatSlot, slotAt } from '../settlement/slot.ts';
import type { Settlement } from '../settlement/workflow.ts';
import { anyJob, type Job, type JobCall } from './job.ts';

/** The slot's own day is 0, the day before it 1. */
const daysBack = () => z.number().int().min(0).max(31).default(1);

/** 대사. Reconciles the day before the slot: every provider and stage, or those that are named. Its run is the day's next. */
export function reconcileJob({ reconciliation }: { readonly reconciliation: Pick<Reconciliation, 'start'> }): Job {
  const parameters = z.strictObject({
    daysBack: daysBack(),
    providers: z
      .array(z.enum(reconciledProviders.map(({ id }) => id)))
      .min(1)
      .optional(),
    stages: z.array(z.enum(stages)).min(1).optional(),
  });
  const requestOf = ({ on, parameters: asked, who }: JobCall<z.output<typeof parameters>>): ReconcileRequest => ({
    on: on.subtract({ days: asked.daysBack }).toString(),
    providers: reconciledProviders.map(({ id }) => id).filter((id) => asked.providers?.includes(id) ?? true),
    stages: stages.filter((stage) => asked.stages?.includes(stage) ?? true),
    who,
  });
  return anyJob({
    name: 'reconcile',
    words: { ko: '대사', en: 'reconciliation' },
    parameters,
    runId: async (tx, call) => (await openRun(tx, requestOf(call))).runId,
    wasDone: (pool, call, since) => wasReconciled(pool, requestOf(call), since),
    abandon: abandonRun,
    start: async (runId, call) => ({ done: (await reconciliation.start(runId, requestOf(call))).result() }),
  });
}

/** 정산. Settles a slot of five minutes; one that makes up for others says since when. */
export function settleJob({ settlement }: { readonly settlement: Pick<Settlement, 'begin'> }): Job {
  return anyJob({
    name: 'settle',
    words: { ko: '정산', en: 'settlement' },
    parameters: z.strictObject({}),
    refuses: (slot) => (slotAt(slot).equals(slot) ? undefined : `settle: ${slot} (*/5)`),
    runId: async (_, { slot }) => `settle:${formatSlot(slotAt(slot))}`,
    async start(_, { slot, who, makesUp }) {
      const first = makesUp === undefined ? {} : { makesUp: slotAt(makesUp) };
      return { done: (await settlement.begin(slotAt(slot), { who, ...first })).result() };
    },
  });
}

/**
 * 차액정산. Selects, writes and sends what one provider is claimed for the day before the slot. The same run then waits for
 * the answers, so that it lives for days: its schedule lets runs go on beside one another.
 */
export function differentialJob({
  differential,
  providers,
}: {
  readonly differential: Pick<DifferentialSettlement, 'begin'>;
  readonly providers: readonly string[];
}): Job {
  const parameters = z.strictObject({ provider: z.enum(providers), daysBack: daysBack() });
  const requestOf = ({ on, parameters: asked, who }: JobCall<z.output<typeof parameters>>): DifferentialRequest => ({
    provider: asked.provider,
    on: on.subtract({ days: asked.daysBack }).toString(),
    who,
  });
  return anyJob({
    name: 'differential',
    words: { ko: '차액정산 선별·송신', en: 'differential settlement: select and send' },
    parameters,
    runId: async (_, call) => differentialRunId(requestOf(call)),
    // A provider's day has one run, which lives for days.
    async wasDone(pool, call) {
      const run = differentialRunId(requestOf(call));
      return ['waiting', 'running', 'done'].includes((await statesOfRuns(pool, [run])).get(run) ?? '');
    },
    start: async (_, call) => ({ done: (await differential.begin(requestOf(call))).result() }),
  });
}
