import type { ProblemCode } from '../../kernel/problem.ts';
import type { Route } from './route.ts';

/** Refusals that any route may give. */
const everywhere: readonly ProblemCode[] = [
  'sign_in_needed',
  'permission_missing',
  'request_invalid',
  'request_unreadable',
  'request_forged',
  'card_number_given',
  'rate_limited',
  'unavailable',
  'internal',
];
const ofActs: readonly ProblemCode[] = [
  'idempotency_key_missing',
  'idempotency_key_invalid',
  'idempotency_key_reused',
  'idempotency_in_progress',
  'idempotency_outcome_unknown',
  'request_too_slow',
  'request_too_large',
  'media_type_unsupported',
];

/** 오류 코드. All refusals that a route may give: its own, and those of what it is. */
export function problemCodesOf(route: Route): readonly ProblemCode[] {
  const isAct = 'method' in route && route.method !== 'get';
  const isPlain = route.kind === 'plain';
  const isSecret = isPlain && (route.secret === true || route.permission === 'reveal');
  const edits = isPlain && isAct && route.edits === true;
  const streams = route.kind !== 'plain';
  return [
    ...new Set<ProblemCode>([
      ...everywhere,
      ...(isAct ? ofActs : []),
      ...(isSecret ? (['idempotency_answer_secret'] as const) : []),
      ...(edits ? (['version_missing', 'version_differs'] as const) : []),
      ...(route.kind === 'list' ? (['cursor_invalid'] as const) : []),
      ...(streams ? (['streams_too_many'] as const) : []),
      ...(route.path.includes('{') ? (['not_found'] as const) : []),
      ...(route.problems ?? []),
    ]),
  ];
}
