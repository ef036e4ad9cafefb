import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { KeptRunLogLine } from '../platform/durable/run-log-store.ts';
import type { Run, RunStep } from '../platform/durable/runs.ts';
import { type Column, formatBytes, formatCount, printable } from '../platform/terminal.ts';
import { describeCounts, isAmount } from './run-counts.ts';
import type { RunFile } from './run-file-store.ts';
import { durationMs, errorText, mayRestart, milliseconds, restartLine } from './run-json.ts';
import type { InspectedRun, ListedRun } from './run-store.ts';
import type { Unusual, Usual } from './usual.ts';

type Words = { readonly ko: string; readonly en: string };

/** 실행 상태 */
export const stateWords: Readonly<Record<ListedRun['state'], Words>> = {
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

const titled = (language: Language, ko: string, en: string, align?: 'right'): Column => ({
  title: language === 'ko' ? ko : en,
  ...(align === undefined ? {} : { align }),
});

export function listColumns(language: Language): readonly Column[] {
  return [
    titled(language, '실행', 'Run'),
    titled(language, '상태', 'State'),
    titled(language, '결과', 'Outcome'),
    titled(language, '실행자', 'By'),
    titled(language, '시작', 'Started'),
    titled(language, '소요', 'Took', 'right'),
    titled(language, '특이', 'Unusual'),
    titled(language, '오류', 'Error'),
  ];
}

export function listRow(listed: ListedRun, language: Language, now: Temporal.Instant): readonly string[] {
  const { id, state, run, facts } = listed;
  const started = run?.startedAt.toString() ?? facts?.startedAt;
  return [
    id,
    stateWords[state][language],
    outcomeText(facts?.outcome, language),
    byText(listed),
    started === undefined ? '' : formatSeoulTime(started),
    tookText(durationMs(listed, now)),
    listed.unusual.map((each) => unusualShort(each, language)).join(', '),
    printable(errorText(run?.error, language)),
  ];
}

/** Who, and by which schedule's slot. */
function byText({ facts, beginning }: ListedRun): string {
  const who = facts?.startedBy ?? beginning?.who ?? '';
  const slot = beginning?.slot?.schedule;
  return slot === undefined ? who : `${who} (${slot})`;
}

function unusualShort({ what, value, median }: Unusual, language: Language): string {
  const name = what === 'milliseconds' ? (language === 'ko' ? '소요' : 'took') : what;
  if (median === 0) return `${name} !`;
  return `${name} ×${(value / median).toFixed(1)}`;
}

/** What the run is, as pairs of a name and a value. */
export function factRows(inspected: InspectedRun, language: Language, now: Temporal.Instant): string[][] {
  const { run, listed, counts, usual } = inspected;
  const { facts, beginning, unusual } = listed;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const took = durationMs({ run }, now);
  const rows = [
    [say('실행', 'Run'), run.id],
    [say('상태', 'State'), stateWords[run.state][language]],
    [say('결과', 'Outcome'), outcomeText(facts?.outcome, language)],
    [say('실행자', 'By'), byText(listed)],
    [say('슬롯', 'Slot'), beginning?.slot === undefined ? '' : formatSeoulTime(beginning.slot.nominalAt)],
    [say('키', 'Key'), beginning?.key ?? ''],
    [say('소급 실행', 'Backfill'), beginning?.backfill ?? ''],
    [say('시작', 'Started'), formatSeoulTime(run.startedAt)],
    [say('종료', 'Finished'), run.completedAt === undefined ? '' : formatSeoulTime(run.completedAt)],
    [say('소요', 'Took'), `${tookText(took)}${usualText(usual['milliseconds'], tookText, language)}`],
    [say('노드', 'Node'), run.executorId],
    [say('시도', 'Attempts'), String(run.attempts)],
    [say('건수', 'Counts'), countsText(counts, took)],
    ...unusual.map((each) => [say('특이', 'Unusual'), unusualText(each, language)]),
    [say('보고서', 'Report'), facts?.reportPath ?? ''],
    [say('오류', 'Error'), printable(errorText(run.error, language))],
    [say('다시 시작', 'Restart'), mayRestart(run) ? restartLine(run) : ''],
  ];
  return rows.filter(([, value]) => value !== '') as string[][];
}

function usualText(usual: Usual | undefined, text: (value: number) => string, language: Language): string {
  if (usual === undefined) return '';
  const { median, low, high, samples } = usual;
  return language === 'ko'
    ? ` (평소 ${text(median)}, ${text(low)}–${text(high)}, 같은 요일 ${samples}회)`
    : ` (usually ${text(median)}, ${text(low)}–${text(high)}, of ${samples} runs)`;
}

function unusualText(unusual: Unusual, language: Language): string {
  const text = unusual.what === 'milliseconds' ? tookText : (value: number) => formatCount(Math.round(value));
  const what = unusual.what === 'milliseconds' ? (language === 'ko' ? '소요' : 'duration') : unusual.what;
  return `${what} ${text(unusual.value)}${usualText(unusual, text, language)}`;
}

/** `lines=12,345 (4,321/s) held=3`. */
export function countsText(counts: Readonly<Record<string, bigint>>, tookMs: number | null): string {
  return describeCounts(counts, tookMs)
    .map(({ name, value, perSecond }) => {
      const shown = isAmount(name) ? formatWon(value) : formatCount(value);
      return `${name}=${shown}${perSecond === null ? '' : ` (${formatCount(perSecond)}/s)`}`;
    })
    .join(' ');
}

export function childColumns(language: Language): readonly Column[] {
  return [
    titled(language, '하위 실행', 'Part'),
    titled(language, '상태', 'State'),
    titled(language, '결과', 'Outcome'),
    titled(language, '행', 'Lines', 'right'),
    titled(language, '소요', 'Took', 'right'),
    titled(language, '오류', 'Error'),
  ];
}

export function childRow(
  child: Run,
  { run, stages }: InspectedRun,
  language: Language,
  now: Temporal.Instant,
): readonly string[] {
  const part = partOf(child.id, run.id);
  const stage = stages.find((each) => `${each.provider}/${each.stage}` === part);
  return [
    part,
    stateWords[child.state][language],
    outcomeText(stage?.outcome, language),
    stage === undefined ? '' : formatCount(stage.lines),
    tookText(durationMs({ run: child }, now)),
    printable(errorText(child.error, language)),
  ];
}

export function stepColumns(language: Language): readonly Column[] {
  return [
    { title: '#', align: 'right' },
    titled(language, '단계', 'Step'),
    titled(language, '시작', 'Started'),
    titled(language, '소요', 'Took', 'right'),
    titled(language, '재시도', 'Retried', 'right'),
    titled(language, '건수', 'Counts'),
    titled(language, '오류', 'Error'),
  ];
}

export function stepRow(step: RunStep, { run, steps }: InspectedRun, language: Language): readonly string[] {
  const took = milliseconds(step.startedAt, step.completedAt);
  const facts = steps.get(step.number);
  return [
    String(step.number),
    stepText(step, run.id, language),
    step.startedAt === undefined ? '' : formatSeoulTime(step.startedAt),
    tookText(took),
    facts === undefined || facts.retried === 0 ? '' : formatCount(facts.retried),
    step.childId === undefined ? countsText(facts?.counts ?? {}, took) : '',
    printable(errorText(step.error, language)),
  ];
}

/** A step by its name; of a part, whether it was started or waited for. */
export function stepText(
  { name, childId }: Pick<RunStep, 'name' | 'childId'>,
  runId: string,
  language: Language,
): string {
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

export function fileColumns(language: Language): readonly Column[] {
  return [
    titled(language, '파일', 'File'),
    titled(language, '구분', 'Kind'),
    titled(language, '상태', 'State'),
    titled(language, '크기', 'Size', 'right'),
    titled(language, '경로', 'Place'),
  ];
}

export function fileRow(file: RunFile, language: Language): readonly string[] {
  const arrow = file.direction === 'input' ? '→' : '←';
  return [
    `${arrow} ${file.name}`,
    file.kind,
    outcomeText(file.state, language),
    file.bytes === null ? '' : formatBytes(Number(file.bytes)),
    file.path,
  ];
}

/** `08:00:05 warn [2 ksnet/transaction] tried again  attempt=1`. */
export function logText(line: KeptRunLogLine, runId: string): string {
  const at = formatSeoulTime(line.saidAt.toISOString()).slice(11);
  const part = line.runId === runId ? '' : ` ${partOf(line.runId, runId)}`;
  const step = line.step === null ? '' : `${line.step}`;
  const place = step === '' && part === '' ? '' : ` [${`${step}${part}`.trim()}]`;
  const kind = line.kind === 'line' ? '' : ` (${line.kind})`;
  const detail = Object.entries(line.detail)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
  return printable(`${at} ${line.level}${kind}${place} ${line.message}${detail === '' ? '' : `  ${detail}`}`);
}

export function tookText(took: number | null): string {
  return took === null ? '' : `${(took / 1000).toFixed(took < 1000 ? 3 : 1)} s`;
}
