import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: requests for payouts and what becomes of them. */
export const payoutProblems = {
  payout_amount_refused: {
    status: 422,
    ko: '지급 금액 {amountWon}원은 받을 수 없습니다: 1원부터 {mostWon}원까지입니다',
    en: 'A payout of {amountWon} won is refused: it has to be from 1 to {mostWon} won',
  },
  payout_key_reused: {
    status: 409,
    ko: '키 {key}은(는) 이미 지급 {payout} (가맹점 {merchantId}, {amountWon}원)에 쓰였습니다',
    en: 'The key {key} already stands for payout {payout} ({amountWon} won to merchant {merchantId})',
  },
  payout_account_missing: {
    status: 422,
    ko: '가맹점 {merchantId}의 지급 계좌가 없습니다',
    en: 'Merchant {merchantId} has no bank account',
  },
  payout_below_minimum: {
    status: 422,
    ko: '가맹점 {merchantId}의 최소 지급 금액은 {minimumWon}원입니다: {amountWon}원은 지급하지 않습니다',
    en: 'Merchant {merchantId} is paid {minimumWon} won at least, and {amountWon} won is less',
  },
  payout_balance_short: {
    status: 422,
    ko: '가맹점 {merchantId}의 지갑 잔액이 부족합니다: 요청 {amountWon}원, 지급 가능(미수금 제외) {payableWon}원',
    en: 'The wallet of merchant {merchantId} is short: {amountWon} won requested, {payableWon} won may leave, less what it owes',
  },
  payout_not_cancellable: {
    status: 409,
    ko: '지급 {id}은(는) 취소할 수 없습니다 (상태: {state}): 이미 은행에 보냈을 수 있습니다',
    en: 'Payout {id} cannot be cancelled (state: {state}): it may have gone to the bank',
  },
  payout_not_retryable: {
    status: 409,
    ko: '지급 {id}은(는) 다시 시도할 것이 없습니다 (상태: {state})',
    en: 'There is nothing to retry in payout {id} (state: {state})',
  },
  payout_not_settleable: {
    status: 409,
    ko: '지급 {id}은(는) 수기로 확정할 수 없습니다 (상태: {state}): 이체 중이거나 결과 불명인 지급만 됩니다',
    en: 'Payout {id} cannot be settled by hand (state: {state}): only one that is sent or unknown can',
  },
  payout_in_hand: {
    status: 409,
    ko: '지급 {id}은(는) 지금 처리 중입니다 ({run}): 잠시 뒤 다시 시도하십시오',
    en: 'Payout {id} is being worked on right now ({run}): try again in a moment',
  },
} as const satisfies Record<string, ProblemText>;
