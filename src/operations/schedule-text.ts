import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Node } from './node-store.ts';
import type { Pause } from './pause-store.ts';
import type { ListedSlot, ScheduleOverview } from './schedule-overview-store.ts';
import type { SlotReason, SlotState } from './schedule-rows.ts';

type Words = Readonly<Record<Language, string>>;

const slotWords: Readonly<Record<SlotState, Words>> = {
  held: { ko: '보류', en: 'held' },
  queued: { ko: '대기', en: 'queued' },
  claimed: { ko: '시작 중', en: 'starting' },
  running: { ko: '실행 중', en: 'running' },
  done: { ko: '완료', en: 'done' },
  failed: { ko: '실패', en: 'failed' },
  cancelled: { ko: '취소', en: 'cancelled' },
  missed: { ko: '누락', en: 'missed' },
};
const reasonWords: Readonly<Record<SlotReason, Words>> = {
  stopped: { ko: '실행할 노드가 없었음', en: 'no node was there' },
  paused: { ko: '스케줄 중지', en: 'paused' },
  maintenance: { ko: '점검', en: 'maintenance' },
  overlap: { ko: '앞 실행이 끝나지 않음', en: 'the run before was not over' },
  changed: { ko: '스케줄 변경', en: 'the schedule was changed' },
};

/** `missed (paused)` */
export function slotStateText(slot: Pick<ListedSlot, 'state' | 'reason'>, language: Language): string {
  const because = slot.reason === null ? '' : ` (${reasonWords[slot.reason][language]})`;
  return `${slotWords[slot.state][language]}${because}`;
}

/** When it comes next, or why it does not. */
export function nextText({ enabled, pause, nextAt }: ScheduleOverview, language: Language): string {
  if (!enabled) return language === 'ko' ? '꺼짐' : 'off';
  if (pause !== null) return pauseText(pause, language);
  return nextAt === null ? '-' : formatSeoulTime(nextAt);
}

export function pauseText({ until, kind }: Pause, language: Language): string {
  const what = kind === 'everything' ? { ko: '점검', en: 'maintenance' } : { ko: '중지', en: 'paused' };
  if (until === null) return what[language];
  return language === 'ko'
    ? `${what.ko} (${formatSeoulTime(until)}까지)`
    : `${what.en} (until ${formatSeoulTime(until)})`;
}

const columns = (language: Language, words: readonly Words[]) => words.map((word) => ({ title: word[language] }));

export const scheduleColumns = (language: Language) =>
  columns(language, [
    { ko: '스케줄', en: 'Schedule' },
    { ko: '작업', en: 'Job' },
    { ko: 'cron', en: 'Cron' },
    { ko: '시간대', en: 'Zone' },
    { ko: '다음', en: 'Next' },
    { ko: '마지막', en: 'Last' },
    { ko: '결과', en: 'Outcome' },
  ]);

export function scheduleRow(schedule: ScheduleOverview, language: Language): string[] {
  const { name, job, cron, timeZone, last } = schedule;
  const lastAt = last === null ? '' : formatSeoulTime(last.nominalAt);
  return [
    name,
    job,
    cron,
    timeZone,
    nextText(schedule, language),
    lastAt,
    last === null ? '' : slotStateText(last, language),
  ];
}

/** Everything about one schedule, a line each. */
export function scheduleFacts(schedule: ScheduleOverview, language: Language): string[][] {
  const word = (ko: string, en: string) => (language === 'ko' ? ko : en);
  const seconds = (value: number | null) => (value === null ? '-' : `${value} s`);
  const most = schedule.misfire === 'run_all' ? ` (${schedule.misfireMost})` : '';
  const { last } = schedule;
  return [
    [word('스케줄', 'Schedule'), schedule.name],
    [word('작업', 'Job'), schedule.job],
    [word('매개변수', 'Parameters'), JSON.stringify(schedule.parameters)],
    ['Cron', `${schedule.cron} (${schedule.timeZone})`],
    [word('영업일', 'Business days'), schedule.businessDays],
    [word('누락 처리', 'Misfire'), `${schedule.misfire}${most}`],
    [word('중복 처리', 'Overlap'), schedule.overlap],
    [word('지연 기준', 'Late after'), seconds(schedule.lateAfterSeconds)],
    [word('장시간 기준', 'Long after'), seconds(schedule.longAfterSeconds)],
    [word('다음', 'Next'), nextText(schedule, language)],
    [
      word('마지막', 'Last'),
      last === null ? '-' : `${formatSeoulTime(last.nominalAt)} ${slotStateText(last, language)}`,
    ],
    [word('버전', 'Version'), `${schedule.version}`],
    [word('변경', 'Changed'), `${formatSeoulTime(schedule.changedAt)} ${schedule.changedBy}: ${schedule.reason}`],
  ];
}

export const slotColumns = (language: Language) =>
  columns(language, [
    { ko: '시각', en: 'Time' },
    { ko: '스케줄', en: 'Schedule' },
    { ko: '상태', en: 'State' },
    { ko: '수', en: 'Slots' },
    { ko: '지연', en: 'Late' },
    { ko: '실행', en: 'Run' },
    { ko: '실행자', en: 'Who' },
  ]);

export function slotRow(slot: ListedSlot, language: Language): string[] {
  const at = formatSeoulTime(slot.nominalAt.toTemporalInstant());
  const late = slot.lateMs === null ? '' : `${Math.round(slot.lateMs)} ms`;
  return [
    at,
    slot.schedule,
    slotStateText(slot, language),
    `${slot.slots}`,
    late,
    slot.runId ?? slot.error ?? '',
    slot.who,
  ];
}

export const nodeColumns = (language: Language) =>
  columns(language, [
    { ko: '노드', en: 'Node' },
    { ko: '상태', en: 'State' },
    { ko: '버전', en: 'Version' },
    { ko: '시작', en: 'Since' },
    { ko: '마지막 신호', en: 'Seen' },
    { ko: '시계 차이', en: 'Clock' },
    { ko: '디스크 여유', en: 'Disk left' },
    { ko: '루프 지연', en: 'Loop delay' },
    { ko: '실행', en: 'Runs' },
  ]);

const stateWords: Readonly<Record<Node['state'], Words>> = {
  running: { ko: '실행 중', en: 'running' },
  stopped: { ko: '종료', en: 'stopped' },
  lost: { ko: '응답 없음', en: 'lost' },
};

export function nodeRow(node: Node, language: Language): string[] {
  const gib = (bytes: bigint) => `${(Number(bytes / 2n ** 20n) / 1024).toFixed(1)} GiB`;
  const runs = node.runsInAll > node.runs.length ? `${node.runs.join(' ')} … (${node.runsInAll})` : node.runs.join(' ');
  return [
    `${node.host}:${node.pid}`,
    stateWords[node.state][language],
    node.version,
    formatSeoulTime(node.startedAt.toTemporalInstant()),
    formatSeoulTime(node.seenAt.toTemporalInstant()),
    `${node.clockAheadMs} ms`,
    gib(node.diskFreeBytes),
    `${node.loopDelayMs.toFixed(1)} ms`,
    runs,
  ];
}
