import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { type Column, formatCount, formatTable } from '../platform/terminal.ts';
import { breakKinds, type DayEquation, type DaySummary, type StageSummary } from './outcome.ts';
import { kindWords, stageWords, type Words } from './words.ts';

/** A day summary as one JSON object: won as integers, each kind of break as a count. */
export function summaryToJson(day: DaySummary): object {
  return {
    on: day.on,
    outcome: day.outcome,
    reasons: day.reasons,
    stages: day.stages.map((stage) => ({
      ...stage,
      linesWon: wonToJson(stage.linesWon),
      oursWon: wonToJson(stage.oursWon),
      breaks: Object.fromEntries(Object.entries(stage.breaks).map(([kind, sum]) => [kind, sum.count])),
      unresolved: Object.fromEntries(Object.entries(stage.breaks).map(([kind, sum]) => [kind, sum.unresolved])),
      differenceWon: Object.fromEntries(
        Object.entries(stage.breaks).map(([kind, sum]) => [kind, wonToJson(sum.differenceWon)]),
      ),
    })),
    equations: day.equations.map(({ provider, on, transactions, settlement }) => ({
      provider,
      on,
      transactions: transactions && wonFields(transactions),
      settlement: settlement && wonFields(settlement),
    })),
  };
}

function wonFields(side: Readonly<Record<string, bigint>>): Record<string, number> {
  return Object.fromEntries(Object.entries(side).map(([name, won]) => [name, wonToJson(won)]));
}

const words = {
  provider: { ko: '원천사', en: 'provider' },
  stage: { ko: '단계', en: 'stage' },
  theirs: { ko: '원천사 건수', en: 'theirs' },
  ours: { ko: '당사 건수', en: 'ours' },
  matched: { ko: '일치', en: 'matched' },
  timing: { ko: '시차', en: 'timing' },
  awaiting: { ko: '대기', en: 'awaiting' },
  breaks: { ko: '불일치', en: 'breaks' },
  won: { ko: '차액(원)', en: 'difference (won)' },
  complete: { ko: '완료', en: 'COMPLETE' },
  incomplete: { ko: '미완료', en: 'INCOMPLETE' },
  states: {
    reconciled: { ko: '', en: '' },
    missing: { ko: '파일 없음', en: 'file missing' },
    waiting: { ko: '대기', en: 'waiting' },
    refused: { ko: '파일 거부', en: 'file refused' },
    failed: { ko: '오류', en: 'failed' },
    not_run: { ko: '미실행', en: 'not run' },
  },
} as const;

/** A day summary for people: the outcome, a row for each stage, what differs by kind, and the day's equation. */
export function summaryToText(day: DaySummary, language: Language): string {
  const title = (pair: Words) => pair[language];
  const columns: Column[] = [
    { title: title(words.provider) },
    { title: title(words.stage) },
    ...[words.theirs, words.ours, words.matched, words.timing, words.awaiting, words.breaks, words.won].map((pair) => ({
      title: title(pair),
      align: 'right' as const,
    })),
    { title: '' },
  ];
  const table = formatTable(
    columns,
    day.stages.map((stage) => stageRow(stage, language)),
  );
  return [
    `${day.on}  ${title(words[day.outcome])}`,
    ...day.reasons.map((reason) => `  - ${reason}`),
    '',
    table,
    ...day.equations.flatMap((equation) => equationLines(equation, language)),
    '',
  ].join('\n');
}

function stageRow(stage: StageSummary, language: Language): string[] {
  const sums = Object.values(stage.breaks);
  const count = sums.reduce((sum, each) => sum + each.count, 0);
  const won = sums.reduce((sum, each) => sum + each.differenceWon, 0n);
  const kinds = breakKinds.flatMap((kind) => {
    const sum = stage.breaks[kind];
    return sum === undefined ? [] : [`${kindWords[kind][language]} ${sum.count}`];
  });
  const state = stage.stage === 'deposit' && stage.state === 'waiting' ? '' : words.states[stage.state][language];
  return [
    stage.provider,
    stageWords[stage.stage][language],
    ...[stage.lines, stage.ours, stage.matched, stage.timing, stage.awaiting, count].map(formatCount),
    formatWon(won),
    [state, ...kinds].filter((part) => part !== '').join(', '),
  ];
}

function equationLines({ provider, transactions, settlement }: DayEquation, language: Language): string[] {
  const ko = language === 'ko';
  const line = (stage: Words, sum: string, residual: bigint): string =>
    `${provider} ${stage[language]}: ${sum}  ${ko ? '잔차' : 'residual'} ${formatWon(residual)}`;
  const lines: string[] = [];
  if (transactions !== null) {
    const t = transactions;
    const sum = ko
      ? `승인−취소 ${formatWon(t.statedWon)} = 매입 ${formatWon(t.capturedWon)} + 미매입 ${formatWon(t.notCapturedWon)} + 불일치 ${formatWon(t.breaksWon)} + 시차 ${formatWon(t.timingWon)}`
      : `approved − cancelled ${formatWon(t.statedWon)} = captured ${formatWon(t.capturedWon)} + not captured ${formatWon(t.notCapturedWon)} + breaks ${formatWon(t.breaksWon)} + timing ${formatWon(t.timingWon)}`;
    lines.push(line(stageWords.transaction, sum, t.residualWon));
  }
  if (settlement !== null) {
    const s = settlement;
    const breaks = -s.breaksWon - s.timingWon;
    const sum = ko
      ? `매입 ${formatWon(s.capturedWon)} = 입금 ${formatWon(s.depositedWon)} + 입금 예정 ${formatWon(s.notDueWon)} + 입금 불일치 ${formatWon(s.depositBreaksWon)} + 수수료 ${formatWon(s.feeWon)} + 부가세 ${formatWon(s.vatWon)} + 보류 ${formatWon(s.heldWon)} + 불일치 ${formatWon(breaks)}`
      : `captured ${formatWon(s.capturedWon)} = deposited ${formatWon(s.depositedWon)} + not due ${formatWon(s.notDueWon)} + deposit differs ${formatWon(s.depositBreaksWon)} + fees ${formatWon(s.feeWon)} + VAT ${formatWon(s.vatWon)} + held ${formatWon(s.heldWon)} + breaks ${formatWon(breaks)}`;
    lines.push(line(stageWords.settlement, sum, s.residualWon));
  }
  return lines;
}
