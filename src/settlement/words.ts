import type { Language } from '../kernel/problem.ts';
import type { CycleState, SkippedBecause } from './cycle-store.ts';

export type Words = Readonly<Record<Language, string>>;

/** Why a capture waits, in a few words; the Problem of the same code says it in full. */
const reasonWords: Readonly<Record<string, Words>> = {
  capture_without_approval: { ko: '승인 없음', en: 'no approval' },
  capture_over_approval: { ko: '승인 금액 초과', en: 'more than approved' },
  merchant_unknown: { ko: '미등록 가맹점', en: 'unknown merchant' },
  terms_missing: { ko: '정산 조건 없음', en: 'no settlement terms' },
  contract_missing: { ko: '수수료 계약 없음', en: 'no fee contract' },
  contract_closed: { ko: '수수료 계약 종료', en: 'fee contract ended' },
  capture_amount_refused: { ko: '정산 불가 금액', en: 'amount refused' },
  capture_repeated: { ko: '중복 매입', en: 'captured before' },
  fee_failed: { ko: '수수료 계산 불가', en: 'fee not computable' },
  original_set_aside: { ko: '원거래 보류', en: 'original set aside' },
  original_dismissed: { ko: '원거래 정산 제외', en: 'original dismissed' },
  original_unsettled: { ko: '원거래 미정산', en: 'original not settled' },
  booking_failed: { ko: '기장 거부', en: 'booking refused' },
};

const notDue: Words = { ko: '정산일 전', en: 'not due yet' };

/** A reason as people read it; null: the capture is merely not due. */
export function unsettledWord(reason: string | null, language: Language): string {
  if (reason === null) return notDue[language];
  return reasonWords[reason]?.[language] ?? reason;
}

/** The reasons that captures are set aside for. */
export const unsettledReasons: readonly string[] = Object.keys(reasonWords);

/** 회차 상태 */
export const cycleStateWords: Readonly<Record<CycleState, Words>> = {
  running: { ko: '진행 중', en: 'running' },
  settled: { ko: '정산 완료', en: 'settled' },
  failed: { ko: '실패', en: 'failed' },
  skipped: { ko: '건너뜀', en: 'skipped' },
};

const cycleReasonWords: Readonly<Record<SkippedBecause | 'run_ended' | 'payouts_failed', Words>> = {
  another_running: { ko: '앞 회차가 진행 중', en: 'another one was running' },
  slot_passed: { ko: '이후 회차가 이미 정산됨', en: 'a later one was settled before' },
  run_ended: { ko: '회차를 닫지 못하고 실행이 끝남', en: 'its run ended without closing it' },
  payouts_failed: { ko: '즉시 송금 생성 실패', en: 'direct payouts were not created' },
};

/** Why a cycle was skipped, or what else it has to say: a code, with the words of what failed behind it if there are any. */
export function cycleReasonWord(reason: string | null, language: Language): string {
  if (reason === null) return '';
  const [code = '', ...cause] = reason.split(': ');
  if (!Object.hasOwn(cycleReasonWords, code)) return reason;
  return [cycleReasonWords[code as keyof typeof cycleReasonWords][language], ...cause].join(': ');
}
