import type { Pool, PoolClient } from 'pg';
import { formatWon } from '../kernel/money.ts';
import { type Language, type ProblemCode, problems, problemText } from '../kernel/problem.ts';
import type { Stage } from '../providers/stage.ts';
import { dayEquations } from './equation-store.ts';
import type { DayEquation, DaySummary, StageSummary } from './outcome.ts';
import { type ExpectedProvider, stageSummaries } from './summary-store.ts';
import { stageWords } from './words.ts';

/**
 * How a business day stands for these providers and stages: `complete` only when every expected file is in, read and
 * reconciled, and every residual is 0. Reads no hot table.
 */
export async function daySummary(
  db: Pool | PoolClient,
  on: Temporal.PlainDate,
  expected: readonly ExpectedProvider[],
  language: Language,
): Promise<DaySummary> {
  const stages = await stageSummaries(db, on, expected);
  const equations = await dayEquations(
    db,
    on,
    expected.map((provider) => provider.id),
  );
  const reasons = [...stages.flatMap((stage) => stageReasons(stage, language)), ...residuals(equations, language)];
  return { on: on.toString(), outcome: reasons.length === 0 ? 'complete' : 'incomplete', reasons, stages, equations };
}

function stageReasons(summary: StageSummary, language: Language): string[] {
  if (summary.stage === 'deposit') return [];
  const name = nameOf(summary.provider, summary.stage, language);
  const reasons = [
    ...summary.missing.map((file) => say(language, `${name}: 파일이 없습니다: ${file}`, `${name}: no file ${file}`)),
    ...summary.waiting.map((file) =>
      say(language, `${name}: 아직 전송 중인 파일입니다: ${file}`, `${name}: ${file} is still being written`),
    ),
    ...summary.refused.map(({ file, code, details }) => {
      const text = code in problems ? problemText(code as ProblemCode, details as never, language) : code;
      return say(language, `${name}: ${file} 파일을 거부했습니다: ${text}`, `${name}: ${file} was refused: ${text}`);
    }),
  ];
  if (summary.state === 'failed') {
    const { error = '' } = summary;
    reasons.push(say(language, `${name}: 처리 중 오류가 발생했습니다: ${error}`, `${name}: failed: ${error}`));
  } else if (reasons.length === 0 && summary.reconciledAt === null) {
    reasons.push(say(language, `${name}: 아직 대사하지 않았습니다`, `${name}: not reconciled yet`));
  } else if (reasons.length === 0 && summary.due) {
    const [ko, en] = ['대사한 뒤에 들어온 자료가 있습니다', 'records or lines have come in since it was reconciled'];
    reasons.push(say(language, `${name}: ${ko}`, `${name}: ${en}`));
  }
  return reasons;
}

function residuals(equations: readonly DayEquation[], language: Language): string[] {
  return equations.flatMap(({ provider, transactions, settlement }) => [
    ...residual(nameOf(provider, 'transaction', language), transactions?.residualWon, language),
    ...residual(nameOf(provider, 'settlement', language), settlement?.residualWon, language),
  ]);
}

function residual(name: string, won: bigint | undefined, language: Language): string[] {
  if (won === undefined || won === 0n) return [];
  const amount = formatWon(won);
  return [say(language, `${name}: 등식이 맞지 않습니다. 잔차 ${amount}원`, `${name}: ${amount} won are unexplained`)];
}

function nameOf(provider: string, stage: Stage, language: Language): string {
  return `${provider} ${say(language, stageWords[stage].ko, stage)}`;
}

function say(language: Language, ko: string, en: string): string {
  return language === 'ko' ? ko : en;
}
