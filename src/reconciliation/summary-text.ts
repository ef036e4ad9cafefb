import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { type Column, formatCount, formatTable } from '../platform/terminal.ts';
import { breakKinds, type DayEquation, type DaySummary, type StageSummary } from './outcome.ts';
import { kindWords, outcomeWords, stageStateWords, stageWords } from './words.ts';

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
  transactionTerms: {
    ko: ['거래 등식', '승인−취소', '= 매입', '+ 미매입', '+ 불일치', '+ 시차', '잔차'],
    en: ['transactions', 'approved − cancelled', '= captured', '+ not captured', '+ breaks', '+ timing', 'residual'],
  },
  settlementTerms: {
    ko: [
      '정산 등식',
      '매입',
      '= 입금',
      '+ 입금 예정',
      '+ 입금 불일치',
      '+ 수수료',
      '+ 부가세',
      '+ 보류',
      '+ 불일치',
      '잔차',
    ],
    en: [
      'settlement',
      'captured',
      '= deposited',
      '+ not due',
      '+ deposit differs',
      '+ fees',
      '+ VAT',
      '+ held',
      '+ breaks',
      'residual',
    ],
  },
} as const;

/** A day summary for people: the outcome, a row for each stage, what differs by kind, and the day's equation. */
export function summaryToText(day: DaySummary, language: Language): string {
  const blocks = [
    stageTable(day.stages, language),
    kindLines(day.stages, language),
    transactionTable(day.equations, language),
    settlementTable(day.equations, language),
  ];
  return [
    `${day.on}  ${outcomeWords[day.outcome][language]}`,
    ...day.reasons.map((reason) => `  - ${reason}`),
    ...blocks.filter((block) => block !== '').map((block) => `\n${block.trimEnd()}`),
    '',
  ].join('\n');
}

function stageTable(stages: readonly StageSummary[], language: Language): string {
  const titles = [words.theirs, words.ours, words.matched, words.timing, words.awaiting, words.breaks, words.won];
  const columns: Column[] = [
    { title: words.provider[language] },
    { title: words.stage[language] },
    ...titles.map((pair): Column => ({ title: pair[language], align: 'right' })),
  ];
  const states = stages.map((stage) => stateWord(stage, language));
  const rows = stages.map((stage) => stageRow(stage, language));
  if (states.every((state) => state === '')) return formatTable(columns, rows);
  return formatTable(
    [...columns, { title: '' }],
    rows.map((row, i) => [...row, states[i] ?? '']),
  );
}

function stageRow(stage: StageSummary, language: Language): string[] {
  const sums = Object.values(stage.breaks);
  const count = sums.reduce((sum, each) => sum + each.count, 0);
  const won = sums.reduce((sum, each) => sum + each.differenceWon, 0n);
  // What was never looked at is unknown, not nothing.
  const compared = [stage.lines, stage.ours, stage.matched, stage.timing];
  return [
    stage.provider,
    stageWords[stage.stage][language],
    ...compared.map((each) => (stage.reconciledAt === null ? '–' : formatCount(each))),
    ...[stage.awaiting, count].map(formatCount),
    formatWon(won),
  ];
}

/** Only what is out of the ordinary. Of deposits that cannot be judged yet the equation says "not due". */
function stateWord({ stage, state }: StageSummary, language: Language): string {
  const ordinary = state === 'reconciled' || (stage === 'deposit' && state === 'waiting');
  return ordinary ? '' : stageStateWords[state][language];
}

/** In lines of their own: as a column they would be wider than a terminal. */
function kindLines(stages: readonly StageSummary[], language: Language): string {
  return stages
    .flatMap((stage) => {
      const kinds = breakKinds.flatMap((kind) => {
        const sum = stage.breaks[kind];
        return sum === undefined ? [] : [`${kindWords[kind][language]} ${formatCount(sum.count)}`];
      });
      const name = `${stage.provider} ${stageWords[stage.stage][language]}`;
      return kinds.length === 0 ? [] : [`${name}: ${kinds.join(', ')}`];
    })
    .join('\n');
}

function transactionTable(equations: readonly DayEquation[], language: Language): string {
  const rows = equations.flatMap(({ provider, transactions: t }) =>
    t === null
      ? []
      : [[provider, t.statedWon, t.capturedWon, t.notCapturedWon, t.breaksWon, t.timingWon, t.residualWon] as const],
  );
  return equationTable(words.transactionTerms[language], rows);
}

function settlementTable(equations: readonly DayEquation[], language: Language): string {
  const rows = equations.flatMap(({ provider, settlement: s }) => {
    if (s === null) return [];
    const sides = [s.capturedWon, s.depositedWon, s.notDueWon, s.depositBreaksWon] as const;
    return [[provider, ...sides, s.feeWon, s.vatWon, s.heldWon, -s.breaksWon - s.timingWon, s.residualWon] as const];
  });
  return equationTable(words.settlementTerms[language], rows);
}

function equationTable(titles: readonly string[], rows: readonly (readonly [string, ...bigint[]])[]): string {
  if (rows.length === 0) return '';
  return formatTable(
    titles.map((title, i): Column => ({ title, align: i === 0 ? 'left' : 'right' })),
    rows.map(([provider, ...terms]) => [provider, ...terms.map(formatWon)]),
  );
}
