/** Refusals of the interface itself: what was asked could not be read, was asked too often, or was asked before. */
export const httpProblems = {
  sign_in_needed: {
    status: 401,
    ko: '로그인하거나 API 키를 주어야 합니다',
    en: 'Sign in first, or give an API key',
  },
  permission_missing: {
    status: 403,
    ko: '{permission} 권한이 없습니다',
    en: 'This needs the permission {permission}, which you do not have',
  },
  request_invalid: {
    status: 400,
    ko: '요청이 올바르지 않습니다:\n{faults}',
    en: 'The request is invalid:\n{faults}',
  },
  request_unreadable: {
    status: 400,
    ko: '요청을 읽을 수 없습니다: {reason}',
    en: 'The request cannot be read: {reason}',
  },
  request_too_slow: {
    status: 408,
    ko: '요청이 {seconds}초 안에 다 오지 않았습니다',
    en: 'The request did not come within {seconds} seconds',
  },
  request_too_large: {
    status: 413,
    ko: '요청이 너무 큽니다: 한도 {limitBytes}바이트',
    en: 'The request is too large: at most {limitBytes} bytes are taken',
  },
  headers_too_large: {
    status: 431,
    ko: '요청 헤더가 너무 큽니다: 한도 {limitBytes}바이트',
    en: 'The headers are too large: at most {limitBytes} bytes are taken',
  },
  media_type_unsupported: {
    status: 415,
    ko: '받지 않는 형식입니다: {given} (받는 형식: {taken})',
    en: 'The media type {given} is not taken here; {taken} is',
  },
  route_unknown: { status: 404, ko: '그런 경로가 없습니다: {path}', en: 'There is nothing at {path}' },
  method_unknown: {
    status: 405,
    ko: '{path}에는 {method}이(가) 없습니다: {allowed}',
    en: '{path} does not know {method}: {allowed}',
  },
  rate_limited: {
    status: 429,
    ko: '요청이 너무 잦습니다. {seconds}초 뒤에 다시 하십시오',
    en: 'Too many requests: come again in {seconds} seconds',
  },
  streams_too_many: {
    status: 429,
    ko: '열려 있는 스트림이 너무 많습니다: 한도 {limit}개',
    en: 'Too many streams are open: at most {limit}',
  },
  idempotency_key_missing: {
    status: 400,
    ko: 'Idempotency-Key 헤더가 없습니다: 행위마다 새로 정한 값을 주고, 다시 물을 때는 같은 값을 쓰십시오',
    en: 'There is no Idempotency-Key: give each act a value of its own, and the same value when you ask again',
  },
  idempotency_key_invalid: {
    status: 400,
    ko: 'Idempotency-Key는 공백 없는 ASCII 1–200자여야 합니다',
    en: 'An Idempotency-Key is 1 to 200 visible ASCII characters',
  },
  idempotency_key_reused: {
    status: 409,
    ko: '이 Idempotency-Key는 다른 요청에 이미 쓰였습니다: {request}',
    en: 'This Idempotency-Key was used for another request: {request}',
  },
  idempotency_in_progress: {
    status: 409,
    ko: '같은 Idempotency-Key의 요청이 아직 처리되고 있습니다. 잠시 뒤 같은 키로 다시 물으십시오',
    en: 'The request with this Idempotency-Key is still being worked on: ask again with the same key in a moment',
  },
  idempotency_outcome_unknown: {
    status: 409,
    ko: '{since}에 시작한 요청이 끝나기 전에 중단되어 결과를 알 수 없습니다. 반영되었는지 조회한 뒤에만 새 키로 다시 하십시오',
    en: 'The request begun at {since} was cut off, and may or may not have been done. Look it up before you try under a new key',
  },
  idempotency_answer_secret: {
    status: 409,
    ko: '{at}에 처리되었습니다. 비밀이 든 응답은 보관하지 않으므로 다시 보여 줄 수 없습니다',
    en: 'It was done at {at}; its answer held a secret, which is not kept and cannot be shown again',
  },
  version_missing: {
    status: 428,
    ko: 'If-Match 헤더가 없습니다: 보고 고치는 버전의 ETag를 주십시오',
    en: 'There is no If-Match: give the ETag of the version that you saw and change',
  },
  unavailable: {
    status: 503,
    ko: '지금은 처리할 수 없습니다. 잠시 뒤 다시 하십시오',
    en: 'Not available at this moment: come again shortly',
  },
  internal: {
    status: 500,
    ko: '내부 오류입니다. 요청 번호 {request}를 관리자에게 알려 주십시오',
    en: 'Something is wrong with the server. Tell your administrator the request {request}',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
