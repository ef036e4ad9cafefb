import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatBytes, formatCount, padText } from '../platform/terminal.ts';
import { type Words, wordOf } from '../reconciliation/words.ts';
import type { DifferentialEvent, DifferentialStep } from './ports.ts';
import type { BatchResult } from './workflow.ts';

const stepWords: Readonly<Record<DifferentialStep, Words>> = {
  late: { ko: '늦은 결과', en: 'late answers' },
  select: { ko: '선별', en: 'select' },
  write: { ko: '작성', en: 'write' },
  send: { ko: '송신', en: 'send' },
  receive: { ko: '수신', en: 'receive' },
  apply: { ko: '반영', en: 'apply' },
};

const stateWords: Readonly<Record<DifferentialEvent['state'], Words>> = {
  begun: { ko: '진행', en: 'running' },
  waiting: { ko: '대기', en: 'waiting' },
  done: { ko: '완료', en: 'done' },
  failed: { ko: '실패', en: 'failed' },
};

const countWords: Readonly<Record<string, Words>> = {
  candidates: { ko: '후보', en: 'candidates' },
  claims: { ko: '신청', en: 'claims' },
  held: { ko: '보류', en: 'held' },
  differenceWon: { ko: '차액', en: 'won' },
  parts: { ko: '부분', en: 'parts' },
  file: { ko: '파일', en: 'file' },
  files: { ko: '파일', en: 'files' },
  lines: { ko: '건', en: 'lines' },
  bytes: { ko: '크기', en: 'size' },
  answers: { ko: '결과', en: 'answers' },
  accepted: { ko: '승인', en: 'accepted' },
  rejected: { ko: '반려', en: 'rejected' },
  repeated: { ko: '중복', en: 'repeated' },
  setAside: { ko: '불일치', en: 'set aside' },
};

export const outcomeWords: Readonly<Record<BatchResult['outcome'], Words>> = {
  answered: { ko: '회신 완료', en: 'answered' },
  expired: { ko: '기한 경과', en: 'expired' },
  empty: { ko: '보낼 것 없음', en: 'nothing to send' },
};

/** A line of progress: whose, which of the five steps, how far, and what it came to. */
export function eventText(event: DifferentialEvent, language: Language): string {
  const until = event.until === undefined ? '' : untilText(event.until, language);
  const columns = [
    padText(event.provider, 8),
    event.on,
    padText(stepWords[event.step][language], language === 'ko' ? 9 : 12),
    padText(stateWords[event.state][language], language === 'ko' ? 4 : 7),
    [event.file, countsText(event.counts ?? {}, language), until, event.reason].filter(Boolean).join('  '),
  ];
  return columns.join('  ').trimEnd();
}

function untilText(until: string, language: Language): string {
  const at = formatSeoulTime(until).slice(0, 16);
  return language === 'ko' ? `${at}까지` : `until ${at}`;
}

function countsText(counts: Readonly<Record<string, bigint | number | string>>, language: Language): string {
  return Object.entries(counts)
    .map(([name, count]) => `${wordOf(countWords, name, language)} ${countText(name, count)}`)
    .join(', ');
}

function countText(name: string, count: bigint | number | string): string {
  if (typeof count === 'string') return count;
  return name === 'bytes' ? formatBytes(Number(count)) : formatCount(count);
}

/** Columns of what providers' days came to. */
export function batchColumns(language: Language): Column[] {
  const say = (ko: string, en: string) => (language === 'ko' ? ko : en);
  return [
    { title: say('원천사', 'provider') },
    { title: say('거래일', 'day') },
    { title: say('결과', 'outcome') },
    { title: say('후보', 'candidates'), align: 'right' },
    { title: say('신청', 'claims'), align: 'right' },
    { title: say('보류', 'held'), align: 'right' },
    { title: say('우리 차액', 'our difference'), align: 'right' },
    { title: say('파일', 'files'), align: 'right' },
    { title: say('송신', 'sent'), align: 'right' },
    { title: say('승인', 'accepted'), align: 'right' },
    { title: say('반려', 'rejected'), align: 'right' },
    { title: say('불일치', 'set aside'), align: 'right' },
    { title: say('승인 차액', 'accepted'), align: 'right' },
  ];
}

export function batchRow(result: BatchResult, language: Language): string[] {
  return [
    result.provider,
    result.on,
    outcomeWords[result.outcome][language],
    formatCount(result.candidates),
    formatCount(result.claims),
    formatCount(result.held),
    formatWon(result.differenceWon),
    formatCount(result.files),
    formatCount(result.lines),
    formatCount(result.accepted),
    formatCount(result.rejected),
    formatCount(result.setAside),
    formatWon(result.acceptedWon),
  ];
}

export function batchToJson(result: BatchResult): Record<string, unknown> {
  const { runId, differenceWon, acceptedWon, ...counts } = result;
  const numbers = Object.entries(counts).map(([name, value]) => [
    name,
    typeof value === 'bigint' ? Number(value) : value,
  ]);
  return {
    run: runId,
    ...Object.fromEntries(numbers),
    differenceWon: wonToJson(differenceWon),
    acceptedWon: wonToJson(acceptedWon),
  };
}
