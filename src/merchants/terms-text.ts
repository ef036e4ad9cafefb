import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { SettlementDate } from './cycle.ts';
import type { BankAccount, FeeContract, SettlementTerms } from './terms-store.ts';

type Words = Readonly<Record<string, Readonly<Record<Language, string>>>>;

const words: Words = {
  card_online: { ko: '온라인 카드', en: 'card online' },
  card_offline: { ko: '오프라인 카드', en: 'card offline' },
  floor: { ko: '절사', en: 'floor' },
  half_up: { ko: '반올림', en: 'half up' },
  half_even: { ko: '오사오입', en: 'half even' },
  added: { ko: '부가세 별도', en: 'VAT added' },
  included: { ko: '부가세 포함', en: 'VAT included' },
  none: { ko: '면세', en: 'no VAT' },
  previous_month: { ko: '전월', en: 'previous month' },
  month_to_date: { ko: '당월 누계', en: 'month to date' },
  returned: { ko: '취소 시 환급', en: 'returned by cancels' },
  kept: { ko: '취소 시 미환급', en: 'kept on cancels' },
  forward: { ko: '다음 영업일', en: 'forward' },
  backward: { ko: '이전 영업일', en: 'backward' },
  unrolled: { ko: '그대로', en: 'none' },
  on_request: { ko: '출금 요청', en: 'on request' },
  scheduled: { ko: '정기 출금', en: 'scheduled' },
  direct: { ko: '즉시 송금', en: 'direct' },
};

function word(code: string, language: Language): string {
  return words[code]?.[language] ?? code;
}

/** How a contract charges, in a line: `1.15% + 100, 200–50,000, half up, VAT added; …`. */
export function contractText(contract: FeeContract, language: Language): string {
  const { fixedWon, minFeeWon, maxFeeWon, tiers, tierVolume } = contract;
  const limits =
    minFeeWon === null && maxFeeWon === null
      ? []
      : [`${minFeeWon === null ? '' : formatWon(minFeeWon)}–${maxFeeWon === null ? '' : formatWon(maxFeeWon)}`];
  const charged = [
    `${formatRate(contract.ratePpm)}${fixedWon === 0n ? '' : ` + ${formatWon(fixedWon)}`}`,
    ...limits,
    word(contract.rounding, language),
    word(contract.vat, language),
    word(contract.cancelFee, language),
  ].join(', ');
  if (tierVolume === null) return charged;
  const steps = tiers.map(({ fromWon, ratePpm }) => `${formatWon(fromWon)} → ${formatRate(ratePpm)}`).join(', ');
  return `${charged}; ${word(tierVolume, language)}: ${steps}`;
}

/** The method, as people call it. */
export function methodText(contract: FeeContract, language: Language): string {
  return word(contract.method, language);
}

/** Which of the rows that were ever recorded, the oldest first, are in force on a day: the last of each `of`. */
export function inForceOn<T extends { readonly validFrom: string }>(
  rows: readonly T[],
  on: string,
  of: (row: T) => string = () => '',
): ReadonlySet<T> {
  const last = new Map<string, T>();
  for (const row of rows) if (row.validFrom <= on) last.set(of(row), row);
  return new Set(last.values());
}

/** The last contract of each method, unless that one has ended. */
export function contractsInForce(contracts: readonly FeeContract[], on: string): ReadonlySet<FeeContract> {
  const last = inForceOn(contracts, on, ({ method }) => method);
  return new Set([...last].filter(({ validTo }) => validTo === null || validTo >= on));
}

/** `D+2, forward, 09:00; scheduled 14:00, at least 10,000`. */
export function termsText(terms: SettlementTerms, language: Language): string {
  const isMinutes = /^M\d/.test(terms.cycle);
  const roll = word(terms.roll === 'none' ? 'unrolled' : terms.roll, language);
  const when = isMinutes ? terms.cycle : `${terms.cycle}, ${roll}, ${terms.dueTime}`;
  const least = `${language === 'ko' ? '최소' : 'at least'} ${formatWon(terms.minPayoutWon)}`;
  return `${when}; ${[word(terms.payout, language), terms.payoutTime].filter((part) => part !== null).join(' ')}, ${least}`;
}

/** The account as people may see it. */
export function maskedAccount({ bankCode, last4 }: BankAccount): string {
  return `${bankCode} ****${last4}`;
}

export function dateToJson({ dueAt, captures }: SettlementDate): Record<string, string | null> {
  return {
    dueAt: dueAt.toString({ timeZone: 'Asia/Seoul', smallestUnit: 'second' }),
    capturedFrom: captures?.from.toString() ?? null,
    capturedTo: captures?.to.toString() ?? null,
  };
}

/** The cells of a date: when, and the capture days that it settles. */
export function dateCells({ dueAt, captures }: SettlementDate, language: Language): string[] {
  const arrived = language === 'ko' ? '그때까지 들어온 매입' : 'what has come in by then';
  const local = dueAt.toZonedDateTimeISO('Asia/Seoul').toPlainDate();
  const weekday = local.toLocaleString(language === 'ko' ? 'ko-KR' : 'en-GB', { weekday: 'short' });
  const days =
    captures === undefined
      ? arrived
      : captures.from.equals(captures.to)
        ? captures.from.toString()
        : `${captures.from} – ${captures.to}`;
  return [formatSeoulTime(dueAt), weekday, days];
}

export function contractToJson(contract: FeeContract, inForce: boolean): object {
  const won = (amount: bigint | null): number | null => (amount === null ? null : wonToJson(amount));
  return {
    ...contract,
    contractId: Number(contract.contractId),
    rate: formatRate(contract.ratePpm),
    fixedWon: wonToJson(contract.fixedWon),
    minFeeWon: won(contract.minFeeWon),
    maxFeeWon: won(contract.maxFeeWon),
    tiers: contract.tiers.map(({ fromWon, ratePpm }) => ({ fromWon: wonToJson(fromWon), ratePpm })),
    inForce,
  };
}

export function termsToJson(terms: SettlementTerms, inForce: boolean): object {
  return { ...terms, termsId: Number(terms.termsId), minPayoutWon: wonToJson(terms.minPayoutWon), inForce };
}

/** Nothing of what is sealed, nor what tells whether two are the same. */
export function accountToJson(account: BankAccount, inForce: boolean): object {
  const { accountId, validFrom, bankCode, last4, holder } = account;
  return { accountId: Number(accountId), validFrom, bankCode, last4, holder, inForce };
}
