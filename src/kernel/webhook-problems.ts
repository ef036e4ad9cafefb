/** Refusals of telling other systems. */
export const webhookProblems = {
  engine_table_busy: {
    status: 503,
    ko: '다른 프로세스가 {seconds}초가 넘도록 실행 기록의 테이블을 바꾸고 있습니다. 끝난 뒤에 다시 시작하세요',
    en: 'Another process has been changing the table of runs for more than {seconds} s; start again when it is done',
  },
  webhook_name_taken: {
    status: 409,
    ko: '{name}이라는 웹훅이 이미 있습니다',
    en: 'There is a webhook named {name} already',
  },
  webhook_replay_too_wide: {
    status: 422,
    ko: '한 번에 {most}건까지만 다시 전달합니다: 조건을 좁히십시오',
    en: 'At most {most} deliveries are told again at once: narrow the filter',
  },
  webhook_event_unknown: {
    status: 422,
    ko: '{type}이라는 사건은 없습니다. 있는 사건: {known}',
    en: 'There is no event {type}; there are {known}',
  },
  webhook_address_refused: {
    status: 422,
    ko: '웹훅 주소로 쓸 수 없습니다: {reason}',
    en: 'This is no address for a webhook: {reason}',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
