import { wonToJson } from '../kernel/money.ts';
import { isProblem, type Language, type ProblemCode, problems, problemText } from '../kernel/problem.ts';
import type { RunDetail, RunError, RunState } from '../platform/durable/runs.ts';
import { type Count, describeCounts } from './run-counts.ts';
import type { InspectedRun, ListedRun } from './run-store.ts';

/** What went wrong, in words: a refusal's own text in the reader's language, else the program's message. */
export function errorText(error: RunError | undefined, language: Language): string {
  if (error === undefined) return '';
  if (error.code === undefined || !(error.code in problems)) return error.message;
  return problemText(error.code as ProblemCode, (error.details ?? {}) as Parameters<typeof problemText>[1], language);
}

export function errorToJson(error: RunError | undefined, language: Language) {
  return error === undefined ? null : { code: error.code ?? null, message: errorText(error, language) };
}

/** The same of something that was thrown here. */
export function thrownToJson(error: unknown, language: Language) {
  if (isProblem(error)) return { code: error.code, message: problemText(error.code, error.details, language) };
  return { code: null, message: error instanceof Error ? error.message : String(error) };
}

const ended: readonly RunState[] = ['done', 'failed', 'cancelled', 'exhausted'];

/** True where nobody works on it any more. */
export function isOver(state: ListedRun['state']): boolean {
  return ended.some((each) => each === state);
}

/** How long it took, or takes so far. */
export function durationMs({ run }: Pick<ListedRun, 'run'>, now: Temporal.Instant): number | null {
  if (run === undefined) return null;
  const end = run.completedAt ?? (isOver(run.state) ? run.updatedAt : now);
  return milliseconds(run.startedAt, end);
}

export function listedToJson(listed: ListedRun, language: Language, now: Temporal.Instant) {
  const { id, job, state, on, run, facts, beginning, unusual } = listed;
  const slot = beginning?.slot;
  return {
    id,
    job,
    state,
    on: on ?? null,
    startedBy: facts?.startedBy ?? beginning?.who ?? null,
    slot: slot === undefined ? null : { ...slot, nominalAt: slot.nominalAt.toString() },
    backfill: beginning?.backfill ?? null,
    key: beginning?.key ?? null,
    createdAt: run?.createdAt.toString() ?? facts?.startedAt ?? null,
    startedAt: run?.startedAt.toString() ?? facts?.startedAt ?? null,
    finishedAt: run?.completedAt?.toString() ?? facts?.finishedAt ?? null,
    milliseconds: durationMs(listed, now),
    attempts: run?.attempts ?? 0,
    node: run?.executorId || null,
    outcome: facts?.outcome ?? null,
    report: facts?.reportPath ?? null,
    error: errorToJson(run?.error, language),
    unusual: [...unusual],
  };
}

export function countsToJson(counts: readonly Count[]) {
  return counts.map(({ value, ...count }) => ({ ...count, value: wonToJson(value) }));
}

export function inspectedToJson(inspected: InspectedRun, language: Language, now: Temporal.Instant) {
  const { listed, run, stages, files, usual } = inspected;
  const took = durationMs({ run }, now);
  return {
    ...listedToJson(listed, language, now),
    parent: run.parentId ?? null,
    counts: countsToJson(describeCounts(inspected.counts, took)),
    retried: [...inspected.steps.values()].reduce((sum, step) => sum + step.retried, 0),
    steps: run.steps.map((step) => {
      const stepMs = milliseconds(step.startedAt, step.completedAt);
      const facts = inspected.steps.get(step.number);
      return {
        number: step.number,
        name: step.name,
        part: step.childId ?? null,
        startedAt: step.startedAt?.toString() ?? null,
        milliseconds: stepMs,
        retried: facts?.retried ?? 0,
        counts: step.childId === undefined ? countsToJson(describeCounts(facts?.counts ?? {}, stepMs)) : [],
        error: errorToJson(step.error, language),
      };
    }),
    parts: run.children.map((child) => {
      const partMs = durationMs({ run: child }, now);
      return {
        id: child.id,
        state: child.state,
        milliseconds: partMs,
        counts: countsToJson(describeCounts(inspected.parts.get(child.id) ?? {}, partMs)),
        error: errorToJson(child.error, language),
      };
    }),
    stages: stages.map(({ provider, stage, outcome, lines }) => ({ provider, stage, outcome, lines })),
    files: files.map(({ bytes, ...file }) => ({ ...file, bytes: bytes === null ? null : wonToJson(bytes) })),
    usual,
    restart: mayRestart(run) ? restartLine(run) : null,
  };
}

/** True where something in the run failed and none of it is still at work. */
export function mayRestart(run: RunDetail): boolean {
  const states = [run.state, ...run.children.map((child) => child.state)];
  return states.every(isOver) && states.some((state) => state !== 'done');
}

/** A part is restarted with its whole run, which waits for it. */
export function restartLine({ id }: Pick<RunDetail, 'id'>): string {
  return `jeongsan runs restart ${id.split('/')[0]}`;
}

export function milliseconds(from: Temporal.Instant | undefined, to: Temporal.Instant | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, Math.round(to.since(from).total('milliseconds')));
}
