import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { cardTypeText, tierText } from '../merchants/tier-text.ts';
import { formatTable } from '../platform/terminal.ts';
import type { DifferenceRounding } from '../providers/differential.ts';
import { wordOf } from '../reconciliation/words.ts';
import { breakText, kindWords, reasonText, ruleWords, statusWords, typeWords, wayText } from './claim-words.ts';
import { claimToJson, tidText } from './list-rows.ts';
import type { ShownClaim, ShownRefund, WayPoint } from './show-store.ts';
import { differenceText, preferentialText } from './working.ts';

/** A claim for a person: its working, its way, and what it did for the merchant. */
export function claimText(claim: ShownClaim, rounding: DifferenceRounding, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const parts = [
    formatTable([{ title: tidText(claim) }, { title: statusText(claim, language) }], facts(claim, rounding, language)),
    formatTable(
      [
        { title: say('시각', 'When') },
        { title: say('일', 'What') },
        { title: say('누가', 'By') },
        { title: say('내용', 'Detail') },
      ],
      claim.way.map((point) => [
        formatSeoulTime(point.at.toTemporalInstant()),
        wayText(point.what, language),
        point.by ?? '',
        wayDetail(point, language),
      ]),
    ),
  ];
  if (claim.refunds.length > 0) parts.push(refundsTable(claim.refunds, language));
  return parts.join('\n');
}

function statusText({ status, reason }: ShownClaim, language: Language): string {
  const word = statusWords[status][language];
  return reason === null ? word : `${word}: ${reasonText(reason, language)}`;
}

function facts(claim: ShownClaim, rounding: DifferenceRounding, language: Language): string[][] {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { charged, rate, graded, file, acceptedWon } = claim;
  const since = (at: Date): string => formatSeoulTime(at.toTemporalInstant());
  const vat = say('부가세', 'VAT');
  const tier = tierText(claim.tier, language);
  const gradedNow =
    graded === null
      ? say('지금은 등급을 알 수 없음', 'no tier is known now')
      : `${graded.half}, ${graded.tier === claim.tier ? '' : `${say('지금은', 'now')} ${tierText(graded.tier, language)}, `}${say('알게 된 때', 'known since')} ${since(graded.knownSince)} (${graded.recordedBy})`;
  const card = claim.cardType === null ? say('모름', 'not known') : cardTypeText(claim.cardType, language);
  const now =
    rate === null || claim.ratePpm === null || rate.ratePpm === claim.ratePpm
      ? ''
      : `, ${say('지금은', 'now')} ${formatRate(rate.ratePpm)}`;
  const rateText =
    claim.ratePpm === null
      ? '—'
      : `${formatRate(claim.ratePpm)}${rate === null ? '' : `${now} · ${rate.validFrom}~ · ${rate.source}`}`;
  const chargedText =
    charged === null || charged.feeWon + charged.vatWon !== claim.chargedWon
      ? formatWon(claim.chargedWon)
      : `${formatWon(charged.feeWon)} + ${vat} ${formatWon(charged.vatWon)} = ${formatWon(claim.chargedWon)}`;
  const rule = claim.rule === null ? '' : ` · ${wordOf(ruleWords, claim.rule, language)}`;
  return [
    [
      say('신청', 'Claim'),
      `${claim.provider} · ${wordOf(kindWords, claim.kind, language)} · ${wordOf(typeWords, claim.type, language)} · ${say(`${claim.attempt}차`, `try ${claim.attempt}`)}`,
    ],
    [
      say('거래', 'Trade'),
      `${claim.channel} · ${claim.tradedOn} · ${say('매입', 'captured')} ${claim.capturedOn}${claim.originalOn === claim.tradedOn ? '' : ` · ${say('원거래', 'original')} ${claim.originalOn}`}`,
    ],
    [say('가맹점', 'Merchant'), `${claim.merchantId} · ${claim.mid} · ${claim.acquirer} · ${claim.orderNo}`],
    [say('최종·중간 사업자', 'Businesses'), `${claim.finalNo} · ${claim.intermediaryNo ?? '—'}`],
    [say('등급', 'Tier'), `${tier} · ${gradedNow}`],
    [say('카드', 'Card'), `${card}${claim.cardNo === null ? '' : ` · ${claim.cardNo}`}`],
    [say('우대 요율', 'Rate'), rateText],
    [say('금액', 'Amount'), formatWon(claim.amountWon)],
    [say('부과 수수료', 'Charged'), chargedText],
    [say('우대 수수료', 'Preferential'), preferentialText(claim, rounding, language)],
    [say('차액(당사)', 'Difference, ours'), `${differenceText(claim)}${rule}`],
    ...(acceptedWon === null
      ? []
      : [[say('차액(원천사)', 'Accepted, theirs'), acceptedText(claim, acceptedWon, language)]]),
    ...(file === null ? [] : [[say('파일', 'File'), `${file.fileName} · ${file.state} · sha256 ${file.sha256}`]]),
  ];
}

function acceptedText(claim: ShownClaim, acceptedWon: bigint, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { supplyWon, vatWon, payOn, differenceWon } = claim;
  const split =
    supplyWon === null || vatWon === null || supplyWon + vatWon !== acceptedWon
      ? ''
      : ` = ${say('공급가', 'supply')} ${formatWon(supplyWon)} + ${say('부가세', 'VAT')} ${formatWon(vatWon)}`;
  const apart = differenceWon === null ? 0n : acceptedWon - differenceWon;
  const compared =
    apart === 0n
      ? say('당사와 같음', 'as ours')
      : say(`당사와 ${signed(apart)}원 차이`, `${signed(apart)} won from ours`);
  return `${formatWon(acceptedWon)}${split} · ${compared}${payOn === null ? '' : ` · ${say('지급일', 'paid on')} ${payOn}`}`;
}

function signed(won: bigint): string {
  return won > 0n ? `+${formatWon(won)}` : formatWon(won);
}

/** What is said of a point of the way besides when, what and by whom. */
function wayDetail(point: WayPoint, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { what, file, line, code, beforeWon, afterWon, sha256, detail } = point;
  const ofBreak = what.startsWith('break_');
  const won = (value: bigint | null): string => (value === null ? '?' : formatWon(value));
  const amounts =
    beforeWon === null && afterWon === null
      ? null
      : beforeWon === null
        ? `${won(afterWon)}${say('원', ' won')}`
        : ofBreak
          ? say(`당사 ${won(beforeWon)} ≠ 원천사 ${won(afterWon)}`, `ours ${won(beforeWon)} ≠ theirs ${won(afterWon)}`)
          : `${won(beforeWon)} → ${won(afterWon)}`;
  const said = code === null ? null : ofBreak ? breakText(code, language) : reasonText(code, language);
  const place = file === null ? null : `${file}${line === null ? '' : say(` ${line}행`, `, line ${line}`)}`;
  const kept = detail === null || Object.keys(detail).length === 0 ? null : detailText(detail);
  return [said, amounts, place, kept, sha256 === null ? null : `sha256 ${sha256.slice(0, 12)}…`]
    .filter((part) => part !== null)
    .join(' · ');
}

function detailText(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
}

/** What answers did for the merchant, and the ledger's event of each. */
function refundsTable(refunds: readonly ShownRefund[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const right = (ko: string, en: string) => ({ title: say(ko, en), align: 'right' as const });
  return formatTable(
    [
      { title: say('원장 기장', 'Ledger event') },
      { title: say('기장일', 'Booked on') },
      right('신청 건', 'Claims'),
      right('환급', 'Refund'),
      right('환수', 'Clawback'),
      right('상계', 'Offset'),
      right('이월', 'Carried'),
      right('보류', 'Held'),
      right('지갑', 'Wallet'),
    ],
    refunds.map((each) => [
      each.event,
      each.bookedOn,
      String(each.claims),
      formatWon(each.refundWon),
      formatWon(each.clawbackWon),
      formatWon(each.offsetWon),
      formatWon(each.carriedWon),
      formatWon(each.heldWon),
      formatWon(each.walletWon),
    ]),
  );
}

/** A claim with all of it, as `--json` gives it. */
export function shownClaimToJson(claim: ShownClaim): Record<string, unknown> {
  const { supplyWon, vatWon, originalWon, answerId, charged, file, way, refunds, ...listed } = claim;
  const amount = (value: bigint | null): number | null => (value === null ? null : wonToJson(value));
  return {
    ...claimToJson(listed),
    originalWon: wonToJson(originalWon),
    supplyWon: amount(supplyWon),
    vatWon: amount(vatWon),
    answerId: amount(answerId),
    charged: charged === null ? null : { feeWon: wonToJson(charged.feeWon), vatWon: wonToJson(charged.vatWon) },
    file: file === null ? null : withoutBigints(file),
    way: way.map(withoutBigints),
    refunds: refunds.map(withoutBigints),
  };
}

/** The record with its amounts and numbers as JSON has them. */
export function withoutBigints(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, typeof value === 'bigint' ? wonToJson(value) : value]),
  );
}
