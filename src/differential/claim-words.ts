import type { Language } from '../kernel/problem.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import { type Words, wordOf } from '../reconciliation/words.ts';

export const claimStatuses = ['paid', 'clawed_back', 'rejected', 'held', 'waiting'] as const;
/** 신청 건의 현황. Exactly one of these is true of a claim: the view `claim_status` says which. */
export type ClaimStatus = (typeof claimStatuses)[number];

export const statusWords: Readonly<Record<ClaimStatus, Words>> = {
  paid: { ko: '환급', en: 'paid' },
  clawed_back: { ko: '환수', en: 'clawed back' },
  rejected: { ko: '반려 확정', en: 'rejected' },
  held: { ko: '보류', en: 'held' },
  waiting: { ko: '회신 대기', en: 'waiting' },
};

/** 보류 사유. Why a claim is held back, besides the code that it was rejected with. */
const reasonWords: Readonly<Record<string, Words>> = {
  card_type_unknown: { ko: '카드 구분 모름', en: 'card type unknown' },
  not_registered: { ko: '카드사 미등록', en: 'not registered with the card company' },
  too_old: { ko: '신청 기한 지남', en: 'too old to be taken' },
  original_held: { ko: '원거래 보류', en: 'its original is held' },
  original_rejected: { ko: '원거래 반려', en: 'its original was rejected' },
  original_not_paid: { ko: '원거래 미환급', en: 'its original was not paid' },
  not_encodable: { ko: '전문에 쓸 수 없는 문자', en: 'a character that the file cannot hold' },
  difference_impossible: { ko: '있을 수 없는 차액', en: 'an impossible difference' },
  amount_changed: { ko: '회신 금액이 다름', en: 'the amount came back changed' },
  unknown_code: { ko: '모르는 결과 코드', en: 'a code that nobody listed' },
  answered_twice: { ko: '서로 다른 회신', en: 'answered twice, differently' },
  booking_failed: { ko: '기장 실패', en: 'could not be booked' },
  unanswered: { ko: '회신 기한 지남', en: 'not answered by the deadline' },
  not_overcharged: { ko: '초과 부과 없음', en: 'not overcharged after all' },
  payment_missing: { ko: '승인 내역이 아직 없음', en: 'its payment has not come in' },
  original_missing: { ko: '원거래 매입이 아직 없음', en: 'the capture of its original has not come in' },
  not_sent: { ko: '전송 실패', en: 'its file could not be sent' },
};

/** 사유. Of held claims by its name; of rejected ones the provider's code with its meaning: `welcome:09 가맹점번호 …`. */
export function reasonText(reason: string, language: Language): string {
  const meaning = codeMeaning(reason);
  if (meaning !== undefined) return `${reason} ${meaning[language]}`;
  return wordOf(reasonWords, reason, language);
}

/** What a namespaced code (`welcome:09`) means; undefined for what is no code, or one that nobody listed. */
export function codeMeaning(code: string): Words | undefined {
  const [id, ...rest] = code.split(':');
  return differentialProviders.find((provider) => provider.id === id)?.differential.codes[rest.join(':')];
}

/** 신청 건의 종류와 거래 구분, by the letters that tables hold. */
export const kindWords: Readonly<Record<string, Words>> = {
  D: { ko: '일별', en: 'daily' },
  R: { ko: '소급', en: 'retroactive' },
};
export const typeWords: Readonly<Record<string, Words>> = {
  A: { ko: '승인', en: 'approval' },
  C: { ko: '취소', en: 'cancel' },
  P: { ko: '부분취소', en: 'partial cancel' },
};
/** 차액 산출 방법 */
export const ruleWords: Readonly<Record<string, Words>> = {
  R: { ko: '요율', en: 'by the rate' },
  M: { ko: '원거래의 남은 차액', en: "what remained of the original's" },
};

/** 신청 건에 일어난 일. What a claim's way is made of. */
const wayWords: Readonly<Record<string, Words>> = {
  selected: { ko: '선별', en: 'selected' },
  written: { ko: '파일 작성', en: 'written to a file' },
  sent: { ko: '전송', en: 'sent' },
  found_there: { ko: '이미 전송됨 확인', en: 'found to have arrived' },
  accepted: { ko: '승인', en: 'accepted' },
  rejected: { ko: '반려', en: 'rejected' },
  revised: { ko: '정정', en: 'revised' },
  held: { ko: '보류', en: 'held back' },
  released: { ko: '보류 해제', en: 'released' },
  queued: { ko: '재청구 대기', en: 'queued to be sent again' },
  sent_again: { ko: '재청구', en: 'sent again' },
  posted: { ko: '소급환급 기장', en: 'refunded retroactively' },
  break_opened: { ko: '불일치', en: 'break' },
  break_closed: { ko: '불일치 종결', en: 'break closed' },
};

/** 차액정산 불일치의 종류 */
const breakWords: Readonly<Record<string, Words>> = {
  difference_differs: { ko: '차액이 다름', en: 'the difference differs' },
  split_differs: { ko: '공급가액·부가세 구분이 다름', en: 'supply and VAT are split otherwise' },
  tier_differs: { ko: '등급이 다름', en: 'the tier differs' },
  card_type_differs: { ko: '카드 구분이 다름', en: 'the card type differs' },
  difference_impossible: { ko: '있을 수 없는 차액', en: 'an impossible difference' },
  amount_changed: { ko: '회신 금액이 다름', en: 'the amount came back changed' },
  unknown_code: { ko: '모르는 결과 코드', en: 'a code that nobody listed' },
  unknown_claim: { ko: '신청하지 않은 건', en: 'nobody claimed this' },
  answered_twice: { ko: '서로 다른 회신', en: 'answered twice, differently' },
  booking_failed: { ko: '기장 실패', en: 'could not be booked' },
  unreadable: { ko: '해독 불가', en: 'unreadable' },
  clawback_without_refund: { ko: '환급 없는 환수', en: 'a clawback of what was not refunded' },
};

/** What happened, for people; what nobody named keeps its own name. */
export function wayText(what: string, language: Language): string {
  return wordOf(wayWords, what, language);
}

/** The kind of a break, for people. */
export function breakText(kind: string, language: Language): string {
  return wordOf(breakWords, kind, language);
}

/** 끝수 처리 */
export const roundingWords: Readonly<Record<string, Words>> = {
  floor: { ko: '절사', en: 'floor' },
  half_up: { ko: '반올림', en: 'half up' },
  half_even: { ko: '오사오입', en: 'half even' },
};

/** 작업과 파일의 상태 */
export const fileStateWords: Readonly<Record<string, Words>> = {
  selecting: { ko: '선별 중', en: 'selecting' },
  selected: { ko: '선별됨', en: 'selected' },
  waiting: { ko: '회신 대기', en: 'waiting' },
  done: { ko: '완료', en: 'done' },
  failed: { ko: '실패', en: 'failed' },
  written: { ko: '작성됨', en: 'written' },
  sent: { ko: '전송됨', en: 'sent' },
  answered: { ko: '회신 완료', en: 'answered' },
  expired: { ko: '기한 지남', en: 'expired' },
  received: { ko: '수신됨', en: 'received' },
  applied: { ko: '반영됨', en: 'applied' },
  refused: { ko: '거절됨', en: 'refused' },
};
