import type { Language } from '../kernel/problem.ts';

/** 긴급도. `notice` is for the digest, `warning` for today, `urgent` for now. */
export const severities = ['notice', 'warning', 'urgent'] as const;
export type Severity = (typeof severities)[number];

type KindWords = {
  readonly severity: Severity;
  readonly ko: string;
  readonly en: string;
  /** The command that shows more, or sets it right. */
  readonly see: string;
};

/** What a kind of finding is called, how urgent it is unless a rule says otherwise, and where to look. */
const kinds: Readonly<Record<string, KindWords>> = {
  // 대사
  statement_missing: row('warning', '대사 파일 미수신', 'Statement file missing', 'statement list'),
  day_incomplete: row('warning', '대사 미완료 (INCOMPLETE)', 'Day INCOMPLETE', 'reconcile'),
  breaks_over_limit: row('urgent', '불일치 한도 초과', 'Breaks above the limit', 'breaks list'),
  breaks_old: row('warning', '오래된 미종결 불일치', 'Breaks unresolved for long', 'breaks list'),
  // 정산
  settlement_late: row('urgent', '정산 지연', 'Settlement late', 'settlement cycles'),
  settlement_forecast: row('warning', '정산 지연 예상', 'Settlement will be late', 'settlement cycles'),
  settlement_skipped: row('warning', '정산 회차 건너뜀', 'Settlement cycle skipped', 'settlement cycles'),
  settlement_failed: row('urgent', '정산 회차 실패', 'Settlement cycle failed', 'settlement cycles'),
  settlement_payouts: row('urgent', '바로지급 생성 실패', 'Direct payouts not created', 'payout list'),
  capture_unsettled: row('warning', '정산되지 않은 매입', 'Captures stay unsettled', 'settlement unsettled'),
  captures_unsettled: row(
    'warning',
    '여러 가맹점의 미정산 매입',
    'Captures of many merchants unsettled',
    'settlement unsettled',
  ),
  clock_ahead: row('urgent', '시계가 빠름', 'Clock ahead', 'nodes list'),
  clock_behind: row('urgent', '시계가 느림', 'Clock behind', 'nodes list'),
  // 지급
  bank_circuit_open: row('urgent', '은행 연결 차단', 'Bank not reachable: payouts stopped', 'bank show'),
  payouts_unknown: row('urgent', '결과를 모르는 지급', 'Payouts of unknown outcome', 'payout list --state unknown'),
  payouts_neglected: row('urgent', '지급이 나가지 않음', 'Payouts that are due are not taken', 'payout list'),
  payout_unknown: row('notice', '지급 결과 미확인', 'Payout outcome unknown', 'payout list --state unknown'),
  payout_contradicted: row('urgent', '은행 답변 모순', 'The bank contradicts itself', 'payout show'),
  payout_rejected: row('warning', '지급 거절', 'Payout rejected', 'payout list --state rejected'),
  payout_list_differs: row('urgent', '은행 이체 내역 불일치', "The bank's transfer list differs", 'payout reconcile'),
  payout_account_missing: row('warning', '지급 계좌 없음', 'No account to pay out to', 'merchants show'),
  callback_refused: row('warning', '은행 통지 거부', 'A callback was refused', 'bank show'),
  callback_unknown: row('warning', '알 수 없는 은행 통지', 'A callback about no payout of ours', 'bank show'),
  callback_amount_differs: row('urgent', '은행 통지 금액 불일치', 'A callback states another amount', 'payout show'),
  // 차액정산
  differential_failed: row('urgent', '차액정산 실패', 'Differential settlement failed', 'runs list'),
  differential_unreachable: row(
    'warning',
    '차액정산 접속 불가',
    'Differential exchange unreachable',
    'differential list',
  ),
  differential_not_sent: row('urgent', '차액정산 파일 미전송', 'Claim file not sent', 'differential list'),
  differential_unanswered: row('urgent', '차액정산 미회신', 'Claims unanswered', 'differential list'),
  answer_refused: row('urgent', '차액정산 회신 거부', 'Answer file refused', 'differential show'),
  differential_validation_missing: row('warning', '검증 회신 없음', 'No validation answer', 'differential show'),
  differential_not_encodable: row(
    'warning',
    '파일에 쓸 수 없는 값',
    'Claims that cannot be written',
    'differential show',
  ),
  differential_too_old: row('warning', '신청 기한 경과', 'Claims too old', 'differential list'),
  differential_waiting: row('warning', '신청을 기다리는 매입', 'Captures wait to be claimed', 'differential list'),
  differential_refunded_cancel: row(
    'warning',
    '소급 환급된 원거래의 취소',
    'Cancel of a sale refunded before',
    'differential list',
  ),
  registration_failed: row('urgent', '하위가맹점 등록 실패', 'Registration failed', 'differential register'),
  registration_rejected: row('warning', '하위가맹점 등록 거절', 'Registration rejected', 'differential register'),
  registration_not_encodable: row(
    'warning',
    '등록 파일에 쓸 수 없는 값',
    'Registrations that cannot be written',
    'differential register',
  ),
  registration_facts_missing: row(
    'warning',
    '등록 정보 부족',
    'Facts for registration missing',
    'differential register',
  ),
  registration_set_aside: row(
    'urgent',
    '등록 회신 일부 보류',
    'Registration answers set aside',
    'differential register',
  ),
  // 운영
  run_failed: row('urgent', '실행 실패', 'Run failed', 'runs list'),
  run_stuck: row('urgent', '실행 멈춤', 'Run stuck', 'runs list'),
  run_unusual: row('notice', '평소와 다른 실행', 'Run unlike the usual', 'runs list'),
  checkpoint_large: row('warning', '체크포인트가 큼', 'Checkpoint large', 'runs list'),
  checkpoint_too_large: row('urgent', '체크포인트가 너무 큼', 'Checkpoint too large', 'runs list'),
  run_exhausted: row('urgent', '실행이 되풀이하여 중단됨', 'Run given up after too many deaths', 'runs list'),
  schedule_missed: row('warning', '스케줄 회차 누락', 'Scheduled slot missed', 'schedule slots'),
  schedule_skipped: row('warning', '스케줄 회차 건너뜀', 'Scheduled slot skipped', 'schedule slots'),
  schedule_failed: row('urgent', '스케줄 작업 실패', 'Scheduled job failed', 'schedule slots'),
  schedule_late: row('warning', '스케줄 시작 지연', 'Scheduled start late', 'schedule slots'),
  schedule_long: row('warning', '스케줄 작업이 오래 걸림', 'Scheduled job takes long', 'schedule slots'),
  node_lost: row('urgent', '노드 응답 없음', 'Node lost', 'nodes list'),
  disk_nearly_full: row('urgent', '디스크 공간 부족', 'Disk nearly full', 'nodes list'),
  ledger_deviates: row('urgent', '원장 불일치', 'The ledger deviates', 'ledger verify'),
  webhook_failing: row('warning', '웹훅 전달 실패', 'A webhook is not answered', 'webhooks deliveries'),
  webhook_given_up: row('urgent', '웹훅 전달 포기', 'A webhook was given up', 'webhooks deliveries'),
  approval_waits: row('warning', '승인 대기', 'Approval waits', 'approvals list'),
  // 알림
  alert_channel_failing: row('urgent', '알림 채널 장애', 'Alert channel reaches nobody', 'alerts channels list'),
  alert_recipient_refused: row(
    'warning',
    '알림 수신자 거부됨',
    'A recipient of alerts is refused',
    'alerts channels list',
  ),
  alert_delivery_waits: row('urgent', '알림이 발송되지 않음', 'Alerts are not being sent', 'alerts deliveries list'),
  alerts_unaddressed: row('urgent', '알림 받을 사람 없음', 'Nobody is told of alerts', 'alerts status'),
};

function row(severity: Severity, ko: string, en: string, see: string): KindWords {
  return { severity, ko, en, see };
}

/** What a kind is called; a kind that is not known here by its own name. */
export function kindTitle(kind: string, language: Language): string {
  return kinds[kind]?.[language] ?? kind.replaceAll('_', ' ');
}

/** The kinds that have words. */
export const findingKinds: readonly string[] = Object.keys(kinds);

/** The command that shows more of such a finding. */
export function kindCommand(kind: string): string {
  return `jeongsan ${kinds[kind]?.see ?? 'findings list'}`;
}

/** Kind → severity, for the database. Others are urgent where operations have to know too, else warnings. */
export function severityOfKinds(): Readonly<Record<string, Severity>> {
  return Object.fromEntries(Object.entries(kinds).map(([kind, { severity }]) => [kind, severity]));
}

export const severityWords: Readonly<Record<Severity, Readonly<Record<Language, string>>>> = {
  notice: { ko: '참고', en: 'Notice' },
  warning: { ko: '주의', en: 'Warning' },
  urgent: { ko: '긴급', en: 'Urgent' },
};
