/**
 * The one catalogue of refusals: code → HTTP status → Korean and English text (RFC 9457).
 * A refusal is something a user, a file or a provider may cause; bugs use `check`.
 * Texts hold `{name}` placeholders that are filled from the problem's details.
 */
export const problems = {
  usage: { status: 400, ko: '사용법이 올바르지 않습니다: {reason}', en: 'Wrong usage: {reason}' },
  config_invalid: {
    status: 500,
    ko: '설정이 올바르지 않습니다:\n{faults}',
    en: 'The configuration is invalid:\n{faults}',
  },
  not_found: { status: 404, ko: '{what}을(를) 찾을 수 없습니다: {id}', en: '{what} not found: {id}' },
  database_unreachable: {
    status: 503,
    ko: '데이터베이스에 연결할 수 없습니다: {reason}',
    en: 'The database cannot be reached: {reason}',
  },
  checkpoint_too_large: {
    status: 500,
    ko: '단계 {step}의 결과가 너무 큽니다: {bytes}바이트 (한도 {limitBytes}바이트)',
    en: 'The result of step {step} is too large: {bytes} bytes (limit {limitBytes})',
  },
  run_not_restartable: {
    status: 409,
    ko: '실행 {id}은(는) 다시 시작할 수 없습니다 (상태: {state}): 실패한 단계가 없거나 아직 실행 중입니다',
    en: 'Run {id} cannot be restarted (state: {state}): nothing in it failed, or it is still running',
  },
} as const satisfies Record<string, ProblemText>;

export type ProblemText = { readonly status: number; readonly ko: string; readonly en: string };
export type ProblemCode = keyof typeof problems;
export type ProblemDetails = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;
export type Language = 'ko' | 'en';

/** An expected refusal. `details` fill the text and travel as data; they never hold secrets. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}, options?: ErrorOptions) {
    super(problemText(code, details, 'en'), options);
    this.name = 'Problem';
    this.code = code;
    this.details = details;
  }
}

/** The text of a problem for people, with its details filled in. */
export function problemText(code: ProblemCode, details: ProblemDetails, language: Language): string {
  return problems[code][language].replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?'));
}

/** True for a `Problem` of one of these codes, also after the durable engine replayed it without its class. */
export function isProblem(error: unknown, ...codes: readonly ProblemCode[]): error is Problem {
  if (!(error instanceof Error) || error.name !== 'Problem') return false;
  return codes.length === 0 || codes.includes((error as Problem).code);
}
