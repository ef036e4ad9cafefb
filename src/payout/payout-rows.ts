import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import type { BankControl } from './control-store.ts';
import type { ListedPayout, PayoutEvent } from './list-store.ts';
import { isEnd, type PayoutState } from './states.ts';
import type { PayoutTotal } from './totals-store.ts';

type Words = { readonly ko: string; readonly en: string };

/** 지급 상태 */
export const payoutStateWords: Readonly<Record<PayoutState, Words>> = {
  awaiting_approval: { ko: '승인 대기', en: 'awaiting approval' },
  created: { ko: '접수', en: 'created' },
  holder_checked: { ko: '예금주 확인', en: 'holder checked' },
  sent: { ko: '이체 중', en: 'sent' },
  unknown: { ko: '결과 불명', en: 'unknown' },
  succeeded: { ko: '지급 완료', en: 'succeeded' },
  rejected: { ko: '불능', en: 'rejected' },
  cancelled: { ko: '취소', en: 'cancelled' },
};

/** Reasons of our own; any other is the bank's words. */
const reasonWords: Readonly<Record<string, Words>> = {
  bank_closed: { ko: '은행 마감 시간', en: 'the bank is closed' },
  account_changed: { ko: '지급 계좌가 바뀜', en: 'the bank account was changed' },
  holder_differs: { ko: '예금주가 다름', en: 'the holder is another' },
  cancelled: { ko: '취소함', en: 'cancelled' },
  refused: { ko: '승인 거절', en: 'refused by the second person' },
};

const time = (at: Date | null): string => (at === null ? '' : formatSeoulTime(at.toISOString()));

function reasonText(reason: string | null, language: Language): string {
  return reason === null ? '' : (reasonWords[reason]?.[language] ?? reason);
}

/** `지급 312건 5,120,300원: 접수`. */
export function payoutTotalText({ state, payouts, amountWon }: PayoutTotal, language: Language): string {
  const word = payoutStateWords[state][language];
  return language === 'ko'
    ? `지급 ${formatCount(payouts)}건 ${formatWon(amountWon)}원: ${word}`
    : `payouts ${formatCount(payouts)} of ${formatWon(amountWon)} won: ${word}`;
}

export function payoutColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    { ...title('번호', 'ID'), align: 'right' },
    title('가맹점', 'Merchant'),
    { ...title('금액', 'Won'), align: 'right' },
    title('상태', 'State'),
    title('계좌', 'Account'),
    title('요청', 'Requested'),
    title('다음 확인', 'Next look'),
    title('종료', 'Finished'),
    title('사유', 'Reason'),
  ];
}

export function payoutRow(payout: ListedPayout, language: Language): readonly string[] {
  return [
    String(payout.id),
    payout.merchantId,
    formatWon(payout.amountWon),
    payoutStateWords[payout.state][language],
    accountText(payout),
    time(payout.requestedAt),
    isEnd(payout.state) || payout.state === 'awaiting_approval' ? '' : time(payout.nextAt),
    time(payout.finishedAt),
    [payout.resultCode, reasonText(payout.resultReason, language)].filter(Boolean).join(' '),
  ];
}

function accountText({ bankCode, last4, holder }: ListedPayout): string {
  return `${bankCode} ****${last4} ${holder}`;
}

/** The facts of one payout, name and value. */
export function payoutFacts(payout: ListedPayout, language: Language): readonly (readonly string[])[] {
  const word = (ko: string, en: string) => (language === 'ko' ? ko : en);
  const facts = [
    [word('상태', 'state'), payoutStateWords[payout.state][language]],
    [word('사유', 'reason'), reasonText(payout.resultReason, language)],
    [word('은행 코드', 'code of the bank'), payout.resultCode === null ? '' : `${payout.bank} ${payout.resultCode}`],
    [word('가맹점', 'merchant'), payout.merchantId],
    [word('금액', 'won'), formatWon(payout.amountWon)],
    [word('계좌', 'account'), accountText(payout)],
    [word('종류', 'kind'), payout.kind],
    [word('요청 키', 'key'), payout.key],
    [word('요청', 'requested'), `${time(payout.requestedAt)} ${payout.requestedBy}`],
    [word('은행', 'bank'), payout.bank],
    [
      word('전문번호', 'message'),
      payout.messageNo === null ? '' : `${payout.messageNo} (${payout.messageOn ?? ''}) ×${payout.sends}`,
    ],
    [word('조회', 'asked'), payout.asks === 0 ? '' : `×${payout.asks}`],
    [word('처리 중', 'in hand'), payout.inHand ?? ''],
    [word('다음 확인', 'next look'), isEnd(payout.state) ? '' : time(payout.nextAt)],
    [word('종료', 'finished'), time(payout.finishedAt)],
  ];
  return facts.filter(([, value]) => value !== '');
}

export function eventColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    title('시각', 'At'),
    title('이전', 'From'),
    title('이후', 'To'),
    title('내용', 'What'),
    title('처리자', 'Who'),
    title('상세', 'Detail'),
  ];
}

export function eventRow(event: PayoutEvent, language: Language): readonly string[] {
  return [
    time(event.at),
    event.from === null ? '' : payoutStateWords[event.from][language],
    payoutStateWords[event.to][language],
    event.what,
    event.who,
    Object.values(event.detail).map(String).join(' '),
  ];
}

/** A payout as `--json` gives it. */
export function payoutToJson(payout: ListedPayout & { readonly events?: readonly PayoutEvent[] }) {
  return { ...payout, id: Number(payout.id), amountWon: wonToJson(payout.amountWon) };
}

export function controlColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  return [
    title('은행', 'Bank'),
    { ...title('동시 한도', 'Limit'), align: 'right' },
    { ...title('진행', 'In hand'), align: 'right' },
    { ...title('대기', 'Waiting'), align: 'right' },
    title('상태', 'State'),
    { ...title('승인 기준(원)', 'Approval over (won)'), align: 'right' },
    title('변경', 'Changed'),
    title('사유', 'Reason'),
  ];
}

export function controlRow(control: BankControl, language: Language): readonly string[] {
  return [
    control.bank,
    String(control.transferLimit),
    String(control.inHand),
    String(control.waiting),
    controlState(control, language),
    formatWon(control.approvalOverWon),
    `${formatSeoulTime(control.changedAt)} ${control.changedBy}`,
    control.reason,
  ];
}

function controlState({ paused, openUntil, failures }: BankControl, language: Language): string {
  const ko = language === 'ko';
  if (paused) return ko ? '중지' : 'paused';
  if (openUntil === undefined) return ko ? '정상' : 'running';
  const until = formatSeoulTime(openUntil);
  return ko
    ? `차단 ${until}까지 (연속 실패 ${failures})`
    : `circuit open until ${until} (${failures} failures in a row)`;
}

export function controlToJson(control: BankControl) {
  return {
    ...control,
    approvalOverWon: wonToJson(control.approvalOverWon),
    openUntil: control.openUntil?.toString() ?? null,
    changedAt: control.changedAt.toString(),
  };
}
