import { anyWonToJson, formatWon } from '../kernel/money.ts';
import { type Language, type ProblemCode, problems, problemText } from '../kernel/problem.ts';
import type { Column } from '../platform/terminal.ts';
import { when } from './cycle-rows.ts';
import type { UnsettledCapture } from './unsettled-store.ts';
import { unsettledWord, type Words } from './words.ts';

export function unsettledColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  const right = (ko: string, en: string): Column => ({ ...title(ko, en), align: 'right' });
  return [
    title('매입', 'Capture'),
    title('가맹점', 'Merchant'),
    title('매입일', 'Captured on'),
    right('금액', 'Won'),
    title('사유', 'Reason'),
    right('시도', 'Tries'),
    title('다음', 'Next at'),
  ];
}

export function unsettledRow(capture: UnsettledCapture, language: Language): readonly string[] {
  return [
    `${capture.provider} ${capture.providerTid}/${capture.cancelSeq}`,
    capture.merchantId ?? capture.mid,
    capture.capturedOn,
    formatWon(capture.amountWon),
    unsettledWord(capture.reason, language),
    String(capture.attempts),
    isTriedByAll(capture) ? everySlot[language] : when(capture.dueAt),
  ];
}

/** What is set aside for a reason of its own keeps the time of its first try. */
const isTriedByAll = ({ reason }: UnsettledCapture) => reason !== null && reason !== 'original_unsettled';
const everySlot: Words = { ko: '매 회차', en: 'every slot' };

export function unsettledToJson(capture: UnsettledCapture, language: Language): object {
  return {
    ...capture,
    amountWon: anyWonToJson(capture.amountWon),
    dueAt: capture.dueAt.toISOString(),
    since: capture.since.toISOString(),
    text: unsettledText(capture, language),
  };
}

/** The Problem that the reason is the code of, with what is known of the capture. */
export function unsettledText(capture: UnsettledCapture, language: Language): string | null {
  const { reason, provider, providerTid, cancelSeq, merchantId, amountWon, tradedOn, detail } = capture;
  if (reason === null || !Object.hasOwn(problems, reason)) return null;
  const details = { provider, providerTid, cancelSeq, merchant: merchantId, amountWon, tradedOn, ...detail };
  return problemText(reason as ProblemCode, details, language);
}
