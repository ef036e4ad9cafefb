import { type Language, type ProblemCode, problems } from '../kernel/problem.ts';
import type { BackfillDay, BackfillRequest } from './backfill-store.ts';
import type { BulkOutcome } from './run-acts.ts';
import { errorText, thrownToJson } from './run-json.ts';

export function outcomesToJson(outcomes: readonly BulkOutcome[], language: Language) {
  return outcomes.map(({ error, ...outcome }) => ({
    ...outcome,
    error: error === undefined ? null : thrownToJson(error, language),
  }));
}

export function backfillToJson(
  { request, days }: { readonly request: BackfillRequest; readonly days: readonly BackfillDay[] },
  language: Language,
) {
  const count = (state: BackfillDay['state']) => days.filter((day) => day.state === state).length;
  return {
    ...request,
    done: count('done'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    left: count('waiting') + count('running'),
    days: days.map(({ problem, startedAt, endedAt, ...day }) => ({
      ...day,
      startedAt: startedAt?.toISOString() ?? null,
      endedAt: endedAt?.toISOString() ?? null,
      error: problem === null ? null : { code: problem.code ?? null, message: problemWords(problem, language) },
    })),
  };
}

/** Texts that take no details can be said in the reader's language; others stand as they were said. */
function problemWords({ code, message }: NonNullable<BackfillDay['problem']>, language: Language): string {
  const known = code !== undefined && code in problems;
  if (!known || problems[code as ProblemCode].en.includes('{')) return message;
  return errorText({ name: 'Problem', message, code }, language);
}
