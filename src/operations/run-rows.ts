import { type Language, type ProblemCode, problems, problemText } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Run, RunDetail, RunError, RunStep } from '../platform/durable/runs.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import type { ListedRun, RunFacts, StageFacts } from './run-store.ts';

type Words = { readonly ko: string; readonly en: string };

/** 실행 상태 */
const stateWords: Readonly<Record<ListedRun['state'], Words>> = {
  waiting: { ko: '대기', en: 'waiting' },
  running: { ko: '실행 중', en: 'running' },
  done: { ko: '완료', en: 'done' },
  failed: { ko: '실패', en: 'failed' },
  cancelled: { ko: '취소', en: 'cancelled' },
  exhausted: { ko: '포기', en: 'given up' },
  not_begun: { ko: '시작되지 않음', en: 'never begun' },
};

const outcomeWords: Readonly<Record<string, Words>> = {
  complete: { ko: '완료 (COMPLETE)', en: 'COMPLETE' },
  incomplete: { ko: '미완료 (INCOMPLETE)', en: 'INCOMPLETE' },
  reconciled: { ko: '대사 완료', en: 'reconciled' },
  unchanged: { ko: '변경 없음', en: 'unchanged' },
  missing: { ko: '파일 없음', en: 'file missing' },
  waiting: { ko: '파일 대기', en: 'file still growing' },
  refused: { ko: '파일 거부', en: 'file refused' },
  failed: { ko: '실패', en: 'failed' },
};

const outcomeText = (outcome: string | null | undefined, language: Language): string =>
  outcome === null || outcome === undefined ? '' : (outcomeWords[outcome]?.[language] ?? outcome);

/** What went wrong, in words: a refusal's own text in the reader's language, else the program's message. */
function errorText(error: RunError | undefined, language: Language): string {
  if (error === undefined) return '';
  if (error.code === undefined || !(error.code in problems)) return error.message;
  return problemText(error.code as ProblemCode, (error.details ?? {}) as Parameters<typeof problemText>[1], language);
}

export function listColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    title('실행', 'Run'),
    title('상태', 'State'),
    title('결과', 'Outcome'),
    title('실행자', 'By'),
    title('시작', 'Started'),
    { ...title('소요', 'Took'), align: 'right' },
    title('오류', 'Error'),
  ];
}

export function listRow({ id, state, run, facts }: ListedRun, language: Language): readonly string[] {
  const started = run?.createdAt.toString() ?? facts?.startedAt;
  return [
    id,
    stateWords[state][language],
    outcomeText(facts?.outcome, language),
    facts?.startedBy ?? '',
    started === undefined ? '' : formatSeoulTime(started),
    tookText(run?.createdAt, run?.completedAt),
    errorText(run?.error, language),
  ];
}

export function listedToJson({ id, workflow, state, run, facts }: ListedRun, language: Language): unknown {
  return {
    id,
    workflow,
    state,
    on: facts?.on ?? null,
    startedBy: facts?.startedBy ?? null,
    startedAt: run?.createdAt.toString() ?? facts?.startedAt ?? null,
    finishedAt: run?.completedAt?.toString() ?? facts?.finishedAt ?? null,
    outcome: facts?.outcome ?? null,
    attempts: run?.attempts ?? 0,
    report: facts?.reportPath ?? null,
    error: errorToJson(run?.error, language),
  };
}

/** A run with everything in it. */
export type InspectedRun = {
  readonly run: RunDetail;
  readonly facts: RunFacts | undefined;
  readonly stages: readonly StageFacts[];
};

export function inspectedToJson({ run, facts, stages }: InspectedRun, language: Language): Record<string, unknown> {
  const { id, workflow, state } = run;
  return {
    ...(listedToJson({ id, workflow, state, run, facts }, language) as Record<string, unknown>),
    parent: run.parentId ?? null,
    steps: run.steps.map((step) => ({
      number: step.number,
      name: step.name,
      child: step.childId ?? null,
      startedAt: step.startedAt?.toString() ?? null,
      milliseconds: milliseconds(step.startedAt, step.completedAt),
      error: errorToJson(step.error, language),
    })),
    children: run.children.map((child) => ({
      id: child.id,
      state: child.state,
      milliseconds: milliseconds(child.createdAt, child.completedAt),
      error: errorToJson(child.error, language),
    })),
    stages,
    restart: mayRestart(run) ? restartLine(run) : null,
  };
}

/** What the run is, as pairs of a name and a value. */
export function factRows({ run, facts }: InspectedRun, language: Language): string[][] {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const rows = [
    [say('실행', 'Run'), run.id],
    [say('상태', 'State'), stateWords[run.state][language]],
    [say('결과', 'Outcome'), outcomeText(facts?.outcome, language)],
    [say('실행자', 'By'), facts?.startedBy ?? ''],
    [say('시작', 'Started'), formatSeoulTime(run.createdAt)],
    [say('종료', 'Finished'), run.completedAt === undefined ? '' : formatSeoulTime(run.completedAt)],
    [say('소요', 'Took'), tookText(run.createdAt, run.completedAt)],
    [say('시도', 'Attempts'), String(run.attempts)],
    [say('보고서', 'Report'), facts?.reportPath ?? ''],
    [say('오류', 'Error'), errorText(run.error, language)],
    [say('다시 시작', 'Restart'), mayRestart(run) ? restartLine(run) : ''],
  ];
  return rows.filter(([, value]) => value !== '');
}

export function childColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    title('하위 실행', 'Part'),
    title('상태', 'State'),
    title('결과', 'Outcome'),
    { ...title('행', 'Lines'), align: 'right' },
    { ...title('소요', 'Took'), align: 'right' },
    title('오류', 'Error'),
  ];
}

export function childRow(child: Run, { run, stages }: InspectedRun, language: Language): readonly string[] {
  const part = partOf(child.id, run.id);
  const stage = stages.find((each) => `${each.provider}/${each.stage}` === part);
  return [
    part,
    stateWords[child.state][language],
    outcomeText(stage?.outcome, language),
    stage === undefined ? '' : formatCount(stage.lines),
    tookText(child.createdAt, child.completedAt),
    errorText(child.error, language),
  ];
}

export function stepColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    { title: '#', align: 'right' },
    title('단계', 'Step'),
    title('시작', 'Started'),
    { ...title('소요', 'Took'), align: 'right' },
    title('오류', 'Error'),
  ];
}

export function stepRow(step: RunStep, runId: string, language: Language): readonly string[] {
  return [
    String(step.number),
    stepText(step, runId, language),
    step.startedAt === undefined ? '' : formatSeoulTime(step.startedAt),
    tookText(step.startedAt, step.completedAt),
    errorText(step.error, language),
  ];
}

/** A step by its name; of a part, whether it was started or waited for. */
function stepText({ name, childId }: RunStep, runId: string, language: Language): string {
  if (childId === undefined) return name;
  const part = partOf(childId, runId);
  if (name !== waitingStep) return language === 'ko' ? `${part} 시작` : `start ${part}`;
  return language === 'ko' ? `${part} 기다림` : `wait for ${part}`;
}

/** What the engine calls the wait for a child; see `RunStep`. */
const waitingStep = 'DBOS.getResult';

function partOf(childId: string, runId: string): string {
  return childId.startsWith(`${runId}/`) ? childId.slice(runId.length + 1) : childId;
}

/** True where something in the run failed and none of it is still at work. */
function mayRestart(run: RunDetail): boolean {
  const failed = (state: Run['state']): boolean => state === 'failed' || state === 'cancelled' || state === 'exhausted';
  const working = (state: Run['state']): boolean => state === 'running' || state === 'waiting';
  const all = [run.state, ...run.children.map((child) => child.state)];
  return !all.some(working) && all.some(failed);
}

/** A part is restarted with its whole run, which waits for it. */
function restartLine({ id }: RunDetail): string {
  return `jeongsan runs restart ${id.split('/')[0]}`;
}

function errorToJson(error: RunError | undefined, language: Language): unknown {
  if (error === undefined) return null;
  return { code: error.code ?? null, message: errorText(error, language) };
}

function milliseconds(from: Temporal.Instant | undefined, to: Temporal.Instant | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.round(to.since(from).total('milliseconds'));
}

function tookText(from: Temporal.Instant | undefined, to: Temporal.Instant | undefined): string {
  const took = milliseconds(from, to);
  return took === null ? '' : `${(took / 1000).toFixed(took < 1000 ? 3 : 1)} s`;
}
