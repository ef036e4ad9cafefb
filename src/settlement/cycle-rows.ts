import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import type { ListedCycle } from './cycle-list-store.ts';
import type { SettledCounts } from './cycle-store.ts';
import { formatSlot } from './slot.ts';
import type { UnsettledTotal } from './unsettled-store.ts';
import { cycleReasonWord, cycleStateWords, unsettledWord } from './words.ts';

/** `12.3 s`; empty where there is none. */
function secondsText(from: Date, to: Date | null): string {
  return to === null ? '' : `${((to.getTime() - from.getTime()) / 1000).toFixed(1)} s`;
}

export function cycleColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  const right = (ko: string, en: string): Column => ({ ...title(ko, en), align: 'right' });
  return [
    title('회차', 'Slot'),
    title('상태', 'State'),
    right('정산', 'Items'),
    right('가맹점', 'Merchants'),
    right('보류', 'Set aside'),
    right('기한 전', 'Not due'),
    right('매입액', 'Gross'),
    right('수수료', 'Fee'),
    right('부가세', 'VAT'),
    right('정산액', 'Net'),
    right('지갑 반영', 'To wallets'),
    right('반영까지', 'Credited after'),
    title('비고', 'Note'),
  ];
}

export function cycleRow(cycle: ListedCycle, language: Language): readonly string[] {
  const makesUp =
    cycle.makesUp === null
      ? []
      : [`${language === 'ko' ? '누락 보충' : 'makes up from'} ${slotText(cycle.makesUp).slice(11, 16)}`];
  return [
    slotText(cycle.slot),
    cycleStateWords[cycle.state][language],
    ...[cycle.items, cycle.merchants, cycle.setAside, cycle.waiting].map(formatCount),
    ...[cycle.grossWon, cycle.feeWon, cycle.vatWon, cycle.netWon, cycle.creditedWon].map(formatWon),
    secondsText(cycle.slot, cycle.creditedAt),
    [...makesUp, cycleReasonWord(cycle.reason, language)].filter((text) => text !== '').join('; '),
  ];
}

export function cycleToJson(cycle: ListedCycle): object {
  const time = (at: Date | null) => at?.toISOString() ?? null;
  return {
    slot: slotText(cycle.slot),
    run: cycle.runId,
    state: cycle.state,
    startedBy: cycle.startedBy,
    startedAt: time(cycle.startedAt),
    creditedAt: time(cycle.creditedAt),
    finishedAt: time(cycle.finishedAt),
    creditedAfterMs: cycle.creditedAt === null ? null : cycle.creditedAt.getTime() - cycle.slot.getTime(),
    makesUp: cycle.makesUp === null ? null : slotText(cycle.makesUp),
    parts: cycle.parts,
    partsDone: cycle.partsDone,
    reason: cycle.reason,
    ...countsToJson(cycle),
  };
}

function countsToJson(counts: SettledCounts): object {
  return {
    captures: Number(counts.captures),
    items: Number(counts.items),
    merchants: Number(counts.merchants),
    setAside: Number(counts.setAside),
    waiting: Number(counts.waiting),
    grossWon: wonToJson(counts.grossWon),
    feeWon: wonToJson(counts.feeWon),
    vatWon: wonToJson(counts.vatWon),
    netWon: wonToJson(counts.netWon),
    creditedWon: wonToJson(counts.creditedWon),
  };
}

/** What a slot came to, in a few lines for people: wallets, time, and what waits for which reason. */
export function cycleText(cycle: ListedCycle, totals: readonly UnsettledTotal[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const state = cycleStateWords[cycle.state][language];
  const after = secondsText(cycle.startedAt, cycle.creditedAt);
  const lines = [
    say(
      `정산 ${slotText(cycle.slot)}  ${state}${after === '' ? '' : `  시작 후 ${after}`}`,
      `settlement ${slotText(cycle.slot)}  ${state}${after === '' ? '' : `  ${after} from its start`}`,
    ),
    say(
      `  ${formatCount(cycle.items)}건, 가맹점 ${formatCount(cycle.merchants)}곳: 매입 ${formatWon(cycle.grossWon)} − 수수료 ${formatWon(cycle.feeWon)} − 부가세 ${formatWon(cycle.vatWon)} = ${formatWon(cycle.netWon)}원, 지갑 반영 ${formatWon(cycle.creditedWon)}원`,
      `  ${formatCount(cycle.items)} items of ${formatCount(cycle.merchants)} merchants: captured ${formatWon(cycle.grossWon)} − fee ${formatWon(cycle.feeWon)} − VAT ${formatWon(cycle.vatWon)} = ${formatWon(cycle.netWon)} won, to wallets ${formatWon(cycle.creditedWon)} won`,
    ),
    ...(cycle.reason === null ? [] : [`  ${cycleReasonWord(cycle.reason, language)}`]),
    ...totals.map(({ reason, captures, amountWon, nextDueAt }) => {
      const next = reason === null ? say(`, 다음 ${when(nextDueAt)}`, `, next ${when(nextDueAt)}`) : '';
      const why = unsettledWord(reason, language);
      return say(
        `  미정산 ${formatCount(captures)}건 ${formatWon(amountWon)}원: ${why}${next}`,
        `  waiting ${formatCount(captures)} of ${formatWon(amountWon)} won: ${why}${next}`,
      );
    }),
  ];
  return `${lines.join('\n')}\n`;
}

export function slotText(slot: Date): string {
  return formatSlot(slot.toTemporalInstant());
}

export function when(at: Date): string {
  return formatSeoulTime(at.toTemporalInstant());
}
