import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: why a slot is not run, and why a capture is not settled. */
export const settlementProblems = {
  slot_refused: {
    status: 409,
    ko: '{slot}은(는) 정산할 수 있는 회차가 아닙니다: 5분 단위가 아니거나 아직 오지 않았습니다 (현재 {now})',
    en: '{slot} is no slot that can be settled: not on a five-minute mark, or not come yet (it is {now})',
  },
  settlement_cycle_over: {
    status: 409,
    ko: '회차 {slot}은(는) 이미 닫혔습니다',
    en: 'The cycle of {slot} has been closed',
  },
  hold_stands: {
    status: 409,
    ko: '가맹점 {merchant}은(는) 이미 전액 보류 중입니다 (보류 {hold})',
    en: 'All that merchant {merchant} is paid is held already (hold {hold})',
  },
  hold_released: { status: 409, ko: '보류 {hold}은(는) 이미 해제되었습니다', en: 'Hold {hold} was released before' },
  capture_without_approval: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 해당 승인(취소) 내역이 없습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: there is no approval or cancel of it',
  },
  capture_over_approval: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: {amountWon}원은 승인(취소) 금액보다 많습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: {amountWon} won is more than was approved or cancelled',
  },
  merchant_unknown: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 등록되지 않은 가맹점입니다: {merchant}',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: unknown merchant {merchant}',
  },
  terms_missing: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 가맹점 {merchant}의 정산 조건이 없습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: merchant {merchant} has no settlement terms',
  },
  contract_missing: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: {tradedOn}에 유효한 가맹점 {merchant}의 {method} 수수료 계약이 없습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: merchant {merchant} has no {method} contract on {tradedOn}',
  },
  contract_closed: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 가맹점 {merchant}의 {method} 수수료 계약이 {tradedOn} 전에 끝났습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: the {method} contract of merchant {merchant} ended before {tradedOn}',
  },
  capture_amount_refused: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 정산할 수 없는 금액입니다: {amountWon}원',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: {amountWon} won cannot be settled',
  },
  capture_repeated: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: {cause}에 이미 매입되었습니다. 두 번 정산하지 않습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: was captured before, on {cause}, and is not settled twice',
  },
  fee_failed: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: {amountWon}원의 수수료를 계산할 수 없습니다',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: the fee of {amountWon} won cannot be computed',
  },
  capture_not_set_aside: {
    status: 409,
    ko: '매입 {capture}은(는) 보류된 것이 아니라 정산일을 기다립니다. 제외할 수 없습니다',
    en: 'Capture {capture} is not set aside: it waits until it is due, and cannot be dismissed',
  },
  original_dismissed: {
    status: 409,
    ko: '취소 {provider} {providerTid}/{cancelSeq}의 원거래는 정산에서 제외되었습니다. 돌려받을 것이 없습니다',
    en: 'The original of cancel {provider} {providerTid}/{cancelSeq} was dismissed from settlement: there is nothing to take back',
  },
  original_set_aside: {
    status: 422,
    ko: '매입취소 {provider} {providerTid}/{cancelSeq}: 원거래의 정산이 보류되어 함께 기다립니다',
    en: 'Cancel {provider} {providerTid}/{cancelSeq}: what it cancels is set aside',
  },
  original_unsettled: {
    status: 422,
    ko: '매입취소 {provider} {providerTid}/{cancelSeq}: 원거래가 아직 정산되지 않아 함께 기다립니다',
    en: 'Cancel {provider} {providerTid}/{cancelSeq}: what it cancels is not settled yet',
  },
  booking_failed: {
    status: 422,
    ko: '매입 {provider} {providerTid}/{cancelSeq}: 가맹점 {merchant}의 기장을 데이터베이스가 거부했습니다: {cause}',
    en: 'Capture {provider} {providerTid}/{cancelSeq}: the database refused to book merchant {merchant}: {cause}',
  },
} as const satisfies Record<string, ProblemText>;
