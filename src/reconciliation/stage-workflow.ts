import type { PoolClient } from 'pg';
import { businessCalendar } from '../calendar/store.ts';
import { addBusinessDays } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { sleepUntil } from '../platform/durable/sleep.ts';
import { step, transaction } from '../platform/durable/step.ts';
import type { Provider } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import type { Stage } from '../providers/stage.ts';
import { escalateBreaks } from './escalation-store.ts';
import { type MatchOutcome, matchStage, staleDays, unmatchedDays } from './match-store.ts';
import type { ReconciledStage } from './outcome.ts';
import { daysToLookAgain, noteStageRun, type StageRun } from './run-store.ts';
import type { Collected, Loaded, ReconciliationPorts } from './workflow.ts';

export type StageRequest = {
  readonly provider: string;
  readonly stage: Stage;
  readonly on: string;
  readonly run: string;
};

/** Half a minute in all: a PostgreSQL that is restarted is back by then. */
export const tries = { attempts: 7, firstWaitMs: 500 };

/** How far one day may make another due, or runs overtake one another. Days that are still due are said to be, for the next run. */
const turnsMost = 4;

/** Four minutes in all, longer than any load takes: then the other run is dead. */
const longestLookSeconds = 128;

type OwnDay = Omit<MatchOutcome, 'outcome'> & { readonly outcome: MatchOutcome['outcome'] | 'missing' };

/** One stage of one provider: collect → load → match, then what earlier days owe because of it. */
export async function reconcileStage(ports: ReconciliationPorts, request: StageRequest): Promise<StageRun> {
  const { provider: id, stage, run } = request;
  const provider = providerOf(id);
  const on = Temporal.PlainDate.from(request.on);
  const begun = await step('begin', async () => new Date().toISOString());
  const collected = await step('collect', () => collect(ports, provider, stage, on), { retries: tries });
  const loaded = await bringIn(ports, provider, stage, collected.statements);
  const prepared = await step('prepare', () => ports.statements.prepare(provider, stage, on), { retries: tries });
  let own: OwnDay = prepared
    ? await match(ports, provider, stage, on, run)
    : { outcome: 'missing', lines: 0, alsoStale: [] };
  const stale = await transaction('find stale days', async (tx) => {
    const stageDay = { provider: id, stage, on };
    const days = [...(await staleDays(tx, stageDay)), ...(await unmatchedDays(tx, stageDay))];
    return [...new Set([...days.map(String), ...collected.lateDays, ...own.alsoStale])].sort();
  });
  const alsoReconciled = new Set<string>();
  // A day that loses a line to another one is due as well, the run's own too.
  const due = stale.map((day) => ({ day, turn: 1 }));
  for (let next = due.shift(); next !== undefined; next = due.shift()) {
    const { day, turn } = next;
    const late = Temporal.PlainDate.from(day);
    const ready = await step(`prepare ${day}`, () => ports.statements.prepare(provider, stage, late), {
      retries: tries,
    });
    if (!ready) continue;
    const matched = await match(ports, provider, stage, late, run);
    if (matched.outcome === 'reconciled' && day === request.on) own = matched;
    else if (matched.outcome === 'reconciled') alsoReconciled.add(day);
    const more = matched.alsoStale.filter((each) => turn < turnsMost && !due.some((other) => other.day === each));
    due.push(...more.map((each) => ({ day: each, turn: turn + 1 })));
  }
  const detail = {
    missing: collected.missing,
    waiting: collected.waiting,
    refused: loaded.flatMap((each) => (each.refused === undefined ? [] : [each.fileName])),
    alsoReconciled: [...alsoReconciled],
  };
  const stageRun: StageRun = {
    provider: id,
    stage,
    outcome: outcomeOf(own.outcome, detail),
    detail,
    startedAt: begun,
    lines: own.lines,
  };
  await transaction('note', async (tx) => {
    await escalate(tx, { provider: id, stage, on, run });
    await noteStageRun(tx, run, stageRun);
  });
  const milliseconds = Date.now() - Date.parse(begun);
  const rate = own.outcome === 'reconciled' ? { milliseconds } : {};
  ports.watch({ provider: id, stage, step: 'done', rows: own.lines, ...rate });
  return stageRun;
}

/** The day after the business day counts as today, whenever it is run; deposits are as patient as their settlement. */
export async function escalate(
  tx: PoolClient,
  due: { provider: string; stage: ReconciledStage; on: Temporal.PlainDate; run: string },
): Promise<void> {
  const { provider, stage, on, run } = due;
  const matching = matchingOf(providerOf(provider), stage === 'deposit' ? 'settlement' : stage);
  const businessDaysOld = matching.escalateAfterBusinessDays;
  // Read at each run: a holiday that was added since counts.
  const holidays = await businessCalendar(tx);
  const today = addBusinessDays(on, 1, holidays);
  await escalateBreaks(tx, { provider, stage, today, businessDaysOld, holidays, runId: run });
}

/** Also looks again for what earlier days still lack: either side may arrive late. */
async function collect(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  on: Temporal.PlainDate,
): Promise<Collected & { lateDays: string[] }> {
  ports.watch({ provider: provider.id, stage, step: 'collect' });
  const today = await ports.statements.collect(provider, stage, on);
  const statements = [...today.statements];
  const lateDays: string[] = [];
  for (const day of await daysToLookAgain(ports.pool, provider.id, stage, on)) {
    const late = await ports.statements.collect(provider, stage, day);
    statements.push(...late.statements);
    if (late.statements.length > 0) lateDays.push(day.toString());
  }
  return { statements, waiting: today.waiting, missing: today.missing, lateDays };
}

/**
 * Loads the statements and makes them count. Another run may load the same at the same time, and have taken this one's load
 * for one that a dead process left: whoever finds its own gone leaves it to the other, and looks at what that came to.
 */
async function bringIn(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  statements: readonly number[],
  turn = 1,
): Promise<Loaded[]> {
  const loaded = await step('load', () => load(ports, provider, stage, statements), { retries: tries });
  const overtaken = await transaction('import', async (tx) => {
    const gone: number[] = [];
    for (const each of loaded) if (!(await ports.statements.finish(tx, each))) gone.push(each.statementId);
    return gone;
  });
  if (overtaken.length === 0) return loaded;
  const lost = loaded.find(({ statementId }) => statementId === overtaken[0]);
  if (turn === turnsMost && lost) {
    const { statementId, result } = lost;
    throw new Problem('statement_load_overtaken', { statementId, loadId: result?.loadId ?? 0 });
  }
  for (let seconds = 1; seconds <= longestLookSeconds; seconds *= 2) {
    if (!(await step('look at the other run', () => ports.statements.areLoading(overtaken), { retries: tries }))) break;
    await sleepUntil(Temporal.Now.instant().add({ seconds }), 'leave it to the other run');
  }
  const others = loaded.filter(({ statementId }) => !overtaken.includes(statementId));
  return [...others, ...(await bringIn(ports, provider, stage, overtaken, turn + 1))];
}

async function load(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  statements: readonly number[],
): Promise<Loaded[]> {
  const began = performance.now();
  const loaded: Loaded[] = [];
  let rowsBefore = 0;
  for (const [n, statementId] of statements.entries()) {
    const detail = statements.length === 1 ? '' : `${n + 1}/${statements.length}`;
    const watchRows = (rows: number) => {
      const milliseconds = performance.now() - began;
      ports.watch({ provider: provider.id, stage, step: 'load', rows: rowsBefore + rows, milliseconds, detail });
    };
    watchRows(0);
    const each = await ports.statements.load(statementId, watchRows);
    loaded.push(each);
    rowsBefore += Number(each.result?.lines ?? 0n);
  }
  return loaded;
}

async function match(
  ports: ReconciliationPorts,
  provider: Provider,
  stage: Stage,
  on: Temporal.PlainDate,
  run: string,
) {
  ports.watch({ provider: provider.id, stage, step: 'match', detail: on.toString() });
  return transaction(`match ${on}`, async (tx) => {
    const day = { provider: provider.id, stage, on };
    const mids = () => ports.statements.midsWithFile(tx, provider, stage, on);
    return matchStage(tx, day, matchingOf(provider, stage), { runId: run, mids });
  });
}

function matchingOf(provider: Provider, stage: Stage) {
  const statement = provider.statements[stage];
  if (statement === undefined) throw new Problem('not_found', { what: 'statement', id: `${provider.id} ${stage}` });
  return statement.matching;
}

function outcomeOf(match: 'reconciled' | 'unchanged' | 'missing', detail: StageRun['detail']): StageRun['outcome'] {
  if (detail.refused.length > 0) return 'refused';
  if (detail.missing.length > 0) return 'missing';
  if (detail.waiting.length > 0) return 'waiting';
  return match;
}
