/** Refusals of operating the product: who may do what, and how runs, schedules and the interface are used. */
export const operationsProblems = {
  version_differs: {
    status: 412,
    ko: '그사이 다른 사람이 바꾸었습니다: 본 것은 버전 {given}, 지금은 {current}입니다. 다시 보고 바꾸십시오',
    en: 'It was changed meanwhile: you saw version {given}, now it is {current}. Look again, then change it',
  },
  card_number_given: {
    status: 422,
    ko: '{field}에 카드번호 전체가 있어 받지 않습니다. 앞 6자리와 뒤 4자리만 남기고 *로 가리십시오',
    en: 'There is a full card number in {field}: mask all but its first six and last four digits with *',
  },
  reason_missing: {
    status: 400,
    ko: '사유를 적어야 합니다. 감사 추적에 남습니다',
    en: 'It takes a reason, which stands in the audit trail',
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
  schedule_refused: {
    status: 422,
    ko: '이렇게 스케줄할 수 없습니다: {reason}',
    en: 'This cannot be scheduled so: {reason}',
  },
  schedule_exists: {
    status: 409,
    ko: '스케줄 {name}: 이미 있습니다',
    en: 'There is a schedule {name} already',
  },
  schedule_busy: {
    status: 409,
    ko: '스케줄 {name}: 실행 {run}이(가) 아직 끝나지 않았습니다',
    en: 'Schedule {name}: its run {run} is not over',
  },
  not_paused: {
    status: 409,
    ko: '중지되어 있지 않습니다: {what}',
    en: 'It is not paused: {what}',
  },
  node_not_lost: {
    status: 409,
    ko: '노드 {node}은(는) 응답하고 있습니다: 응답 없는 노드만 잊을 수 있습니다',
    en: 'Node {node} answers: only one that is lost is forgotten',
  },
  maintenance_on: {
    status: 409,
    ko: '점검 중이라 새로 시작하지 않습니다 ({who}: {reason}, 종료 예정 {until})',
    en: 'Maintenance is on and nothing new starts ({who}: {reason}, until {until})',
  },
  run_over: {
    status: 409,
    ko: '실행 {id}은(는) 이미 끝났습니다 (상태: {state})',
    en: 'Run {id} is over (state: {state})',
  },
  run_is_part: {
    status: 409,
    ko: '{id}은(는) 실행 {run}의 일부입니다. 전체 실행에 대해 처리하십시오',
    en: '{id} is a part of run {run}: act on the whole run',
  },
  run_not_ours_to_stop: {
    status: 409,
    ko: '{id}은(는) 이체를 나르는 실행입니다. 지급(payout) 명령으로 처리하십시오',
    en: '{id} carries a transfer: use the commands of payouts',
  },
  bulk_unfiltered: {
    status: 400,
    ko: '어느 실행인지 정해지지 않았습니다 ({act}). 작업, 업무일, 원천사 등으로 좁히거나 전체를 명시하십시오',
    en: 'Nothing says which runs to {act}: narrow it by job, day, provider or the like, or ask for all of them',
  },
  bulk_too_many: {
    status: 409,
    ko: '해당하는 실행이 {most}건을 넘어 아무것도 하지 않았습니다. 조건을 좁히거나 한도를 높이십시오',
    en: 'More than {most} runs are meant, so nothing was done: narrow the filter or raise the limit',
  },
  backfill_refused: {
    status: 400,
    ko: '{from}부터 {to}까지는 소급 실행할 수 없습니다: 오늘까지의 1일 이상 {most}일 이하여야 합니다',
    en: 'No backfill from {from} to {to}: it takes 1 to {most} days, none of them to come',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
