/** Refusals of operating the product: who may do what, and how runs, schedules and the interface are used. */
export const operationsProblems = {
  version_differs: {
    status: 412,
    ko: '그사이 다른 사람이 바꾸었습니다: 본 것은 버전 {given}, 지금은 {current}입니다. 다시 보고 바꾸십시오',
    en: 'It was changed meanwhile: you saw version {given}, now it is {current}. Look again, then change it',
  },
  cursor_invalid: {
    status: 400,
    ko: '이 목록에서 받은 쪽 위치(cursor)가 아닙니다. 처음부터 다시 조회하십시오',
    en: 'The cursor is none that this list gave. Begin at the first page',
  },
  break_not_so: {
    status: 409,
    ko: '불일치 {id}은(는) 이미 {state} 상태이거나 그대로입니다 (처리자: {by})',
    en: 'Break {id} is {state} already, or as this would leave it (by {by})',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
