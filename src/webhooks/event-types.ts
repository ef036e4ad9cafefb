/** What other systems may be told of, and when that happens. */
export const eventTypes = [
  { type: 'payout.awaiting_approval', ko: '지급이 승인을 기다림', en: 'a payout waits for a second person' },
  { type: 'payout.created', ko: '지급 요청됨', en: 'a payout was requested, or agreed to' },
  { type: 'payout.holder_checked', ko: '예금주 확인됨', en: "the account's holder is right" },
  { type: 'payout.sent', ko: '은행으로 송신됨', en: 'sent to the bank' },
  { type: 'payout.unknown', ko: '은행 결과 불명', en: 'the bank did not say what became of it' },
  { type: 'payout.succeeded', ko: '지급 완료', en: 'paid' },
  { type: 'payout.rejected', ko: '지급 거절, 잔액 복원', en: 'not paid; the money is back in the wallet' },
  { type: 'payout.cancelled', ko: '지급 취소', en: 'cancelled before it was sent' },
  { type: 'settlement.credited', ko: '가맹점 정산 입금', en: 'a merchant was settled in a slot' },
  { type: 'settlement.settled', ko: '정산 회차 완료', en: 'a slot was settled' },
  { type: 'settlement.failed', ko: '정산 회차 실패', en: 'a slot failed' },
  { type: 'settlement.skipped', ko: '정산 회차 생략', en: 'a slot was skipped' },
  { type: 'break.opened', ko: '불일치 발생', en: 'a difference was found' },
  { type: 'break.changed', ko: '불일치 변경', en: 'a difference is another one now' },
  { type: 'break.assigned', ko: '불일치 담당 지정', en: 'a difference was given to a person' },
  { type: 'break.commented', ko: '불일치 의견', en: 'something was said of a difference' },
  { type: 'break.investigating', ko: '불일치 조사 시작', en: 'somebody looks into a difference' },
  { type: 'break.escalated', ko: '불일치 상향 보고', en: 'a difference has been open for long' },
  { type: 'break.resolved', ko: '불일치 종결', en: 'a difference was brought to its end' },
  { type: 'break.gone', ko: '불일치 해소', en: 'a difference ended by itself' },
  { type: 'run.done', ko: '실행 완료', en: 'a run ended well' },
  { type: 'run.failed', ko: '실행 실패', en: 'a run failed' },
  { type: 'run.cancelled', ko: '실행 취소', en: 'a run was cancelled' },
  { type: 'run.exhausted', ko: '실행 포기', en: 'a run was given up' },
] as const;

/** `payout.succeeded`, `payout.*` or `*`. */
export function isEventPattern(text: string): boolean {
  return text === '*' || eventTypes.some(({ type }) => type === text || `${type.split('.')[0]}.*` === text);
}
