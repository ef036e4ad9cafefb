import { chargeFee } from '../kernel/fee.ts';
import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import type { DifferenceRounding } from '../providers/differential.ts';
import { roundingWords } from './claim-words.ts';

/** What a claim's difference is made of; won are signed. */
export type Priced = {
  readonly amountWon: bigint;
  readonly chargedWon: bigint;
  readonly preferentialWon: bigint | null;
  readonly differenceWon: bigint | null;
  readonly ratePpm: number | null;
};

/** `1,234 × 1.15% = 14.191 → 14 + VAT 1 = 15 (floor)`; the amount alone where it was rounded otherwise then. */
export function preferentialText(
  priced: Priced,
  { fee, vat }: Pick<DifferenceRounding, 'fee' | 'vat'>,
  language: Language,
): string {
  const { amountWon, ratePpm, preferentialWon } = priced;
  if (ratePpm === null || preferentialWon === null) return '—';
  const { feeWon, vatWon } = chargeFee({ amountWon, ratePpm, fixedWon: 0n, rounding: fee, vat });
  if (feeWon + vatWon !== preferentialWon) return formatWon(preferentialWon);
  const exact = decimalText(amountWon * BigInt(ratePpm), 1_000_000n);
  const product = `${formatWon(amountWon)} × ${formatRate(ratePpm)} = ${exact}`;
  const rounded = exact === formatWon(feeWon) ? '' : ` → ${formatWon(feeWon)}`;
  const vatText = vat === 'none' ? '' : ` + ${language === 'ko' ? '부가세' : 'VAT'} ${formatWon(vatWon)}`;
  return `${product}${rounded}${vatText} = ${formatWon(preferentialWon)} (${roundingWords[fee]?.[language] ?? fee})`;
}

/** `220 − 44 = 176`; where it did not come about so, what it would have been beside what it is. */
export function differenceText({ chargedWon, preferentialWon, differenceWon }: Priced): string {
  if (preferentialWon === null || differenceWon === null) return '—';
  const plain = chargedWon - preferentialWon;
  const working = `${formatWon(chargedWon)} − ${inBrackets(preferentialWon)} = ${formatWon(plain)}`;
  return plain === differenceWon ? working : `${formatWon(differenceWon)} (${working})`;
}

function inBrackets(won: bigint): string {
  return won < 0n ? `(${formatWon(won)})` : formatWon(won);
}

/** `n / d` with all its decimals, of which a power of ten has at most as many as zeros. */
function decimalText(n: bigint, d: bigint): string {
  const size = n < 0n ? -n : n;
  const places = String(d).length - 1;
  const decimals = String(size % d)
    .padStart(places, '0')
    .replace(/0+$/, '');
  return `${n < 0n ? '-' : ''}${formatWon(size / d)}${decimals === '' ? '' : `.${decimals}`}`;
}
