import { chargeFee } from '../kernel/fee.ts';
import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { divideRounded, type Rounding } from '../kernel/rounding.ts';
import type { SettledItem } from './settled-store.ts';

const roundingWords: Readonly<Record<Rounding, Readonly<Record<Language, string>>>> = {
  floor: { ko: '절사', en: 'floor' },
  half_up: { ko: '반올림', en: 'half up' },
  half_even: { ko: '오사오입', en: 'half even' },
};

/**
 * 금액의 근거. Why the fee and VAT of an item are what they are:
 * `1.85% of 12,300 = 227.55 → 227 (floor), VAT 22; contract 17 valid from 2026-01-01`.
 */
export function workingText(item: SettledItem, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const tier = item.ratePpm === item.contractRatePpm ? '' : say(', 구간 요율', ', rate of its tier');
  const contract = say(
    `계약 ${item.contractId} (${item.validFrom}부터${tier})`,
    `contract ${item.contractId} valid from ${item.validFrom}${tier}`,
  );
  return `${feeText(item, say, language)}; ${contract}`;
}

type Say = (ko: string, en: string) => string;

function feeText(item: SettledItem, say: Say, language: Language): string {
  const { rule, feeWon, vatWon } = item;
  const amounts = say(
    `수수료 ${formatWon(feeWon)}, 부가세 ${formatWon(vatWon)}`,
    `fee ${formatWon(feeWon)}, VAT ${formatWon(vatWon)}`,
  );
  if (rule === 'kept') return say('취소해도 수수료는 돌려주지 않음', 'the fee is kept on cancels');
  if (rule === 'remainder') {
    return say(`원거래에 남은 수수료 전부: ${amounts}`, `all that was left of the original's fee: ${amounts}`);
  }
  const limits = { minFeeWon: item.minFeeWon ?? undefined, maxFeeWon: item.maxFeeWon ?? undefined };
  const charged = chargeFee({ ...item, ...limits });
  if (charged.feeWon !== feeWon || charged.vatWon !== vatWon) {
    return say(`원거래 수수료 가운데 이 취소의 몫: ${amounts}`, `its part of the original's fee: ${amounts}`);
  }
  return `${rateText(item, say, language)}${vatText(item, say, language)}`;
}

/** The rate's part, exact and rounded, what is fixed, and the limit that was met. */
function rateText(item: SettledItem, say: Say, language: Language): string {
  const { amountWon, ratePpm, rounding, fixedWon } = item;
  const product = amountWon * BigInt(ratePpm);
  const part = divideRounded(product, 1_000_000n, rounding);
  const exact = product % 1_000_000n === 0n ? '' : ` = ${exactText(product)}`;
  const rounded =
    product % 1_000_000n === 0n
      ? ` = ${formatWon(part)}`
      : `${exact} → ${formatWon(part)} (${roundingWords[rounding][language]})`;
  const base = say(
    `${formatWon(amountWon)}의 ${formatRate(ratePpm)}${rounded}`,
    `${formatRate(ratePpm)} of ${formatWon(amountWon)}${rounded}`,
  );
  const sign = amountWon < 0n ? -1n : 1n;
  const fixed =
    fixedWon === 0n ? '' : ` ${sign < 0n ? '−' : '+'} ${formatWon(fixedWon)} = ${formatWon(part + sign * fixedWon)}`;
  const limitOf = { rate: undefined, minimum: item.minFeeWon, maximum: item.maxFeeWon } as const;
  const limit = item.rule === 'minimum' || item.rule === 'maximum' ? limitOf[item.rule] : undefined;
  const name = item.rule === 'minimum' ? say('최소', 'minimum') : say('최대', 'maximum');
  const limited = limit === undefined || limit === null ? '' : ` → ${name} ${formatWon(sign * limit)}`;
  return `${base}${fixed}${limited}`;
}

/** What follows the fee: its VAT, how the two were split, or that there is none. */
function vatText({ vat, feeWon, vatWon, rounding }: SettledItem, say: Say, language: Language): string {
  if (vat === 'none') return say(', 면세', ', no VAT');
  if (vat === 'added') return say(`, 부가세 ${formatWon(vatWon)}`, `, VAT ${formatWon(vatWon)}`);
  const how = roundingWords[rounding][language];
  return say(
    `, 부가세 포함: 수수료 ${formatWon(feeWon)} + 부가세 ${formatWon(vatWon)} (10/11 ${how})`,
    `, VAT included: fee ${formatWon(feeWon)} + VAT ${formatWon(vatWon)} (10/11 ${how})`,
  );
}

/** Millionths of won as exact decimals: `227.55`. */
function exactText(millionths: bigint): string {
  const size = millionths < 0n ? -millionths : millionths;
  const decimals = String(size % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${millionths < 0n ? '-' : ''}${formatWon(size / 1_000_000n)}.${decimals}`;
}
