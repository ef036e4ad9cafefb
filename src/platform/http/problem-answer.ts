import { type Language, type Problem, type ProblemDetails, problems, problemText } from '../../kernel/problem.ts';
import { jsonText } from './json-text.ts';

/** 오류 응답. A refusal as RFC 9457 says it: a stable code, its text in the caller's language, and its details as data. */
export type ProblemBody = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly details: ProblemDetails;
  /** The request, as the log names it. */
  readonly instance: string;
};

export const problemMediaType = 'application/problem+json';

export function problemBody(problem: Problem, language: Language, requestId: string): ProblemBody {
  const { code, details } = problem;
  const { status } = problems[code];
  return {
    type: `/v1/problems/${code}`,
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail: problemText(code, details, language),
    details: Object.fromEntries(Object.entries(details).map(([name, value]) => [name, exact(value)])),
    instance: `urn:uuid:${requestId}`,
  };
}

/** The answer that a refusal gets, with `headers` that go with it (`Retry-After`, `Allow`, `WWW-Authenticate`). */
export function problemAnswer(
  problem: Problem,
  { language, requestId }: { readonly language: Language; readonly requestId: string },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = problemBody(problem, language, requestId);
  return new Response(jsonText(body), {
    status: body.status,
    headers: {
      'content-type': problemMediaType,
      'content-language': language,
      ...(body.status === 401 ? { 'www-authenticate': 'Bearer realm="jeongsan"' } : {}),
      ...(typeof problem.details['seconds'] === 'number' && body.status === 429
        ? { 'retry-after': String(problem.details['seconds']) }
        : {}),
      ...headers,
    },
  });
}

/** Also a sum that no number of JSON holds is told, by its digits. */
function exact(value: ProblemDetails[string]): ProblemDetails[string] {
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value)) ? String(value) : value;
}
