import { drawBelow } from './draw.ts';

/** A card product of the sandbox: who issued it and who acquires (buys) its slips. Check cards cost merchants less. */
export type Card = {
  readonly issuer: string;
  readonly acquirer: string;
  /** Which acquirer it is, from 0: merchants have a number with each. */
  readonly acquirerNo: number;
  readonly bin: string;
  readonly type: 'credit' | 'check';
};

/** 매입사: the eight that buy slips themselves, and BC for its member banks. */
export const acquirers = [
  '신한카드',
  'KB국민카드',
  '삼성카드',
  '현대카드',
  '롯데카드',
  '하나카드',
  '비씨카드',
  'NH농협카드',
  '우리카드',
] as const;

/** Issuer, acquirer, weight in 1/1000 of the payments. Banks without a network of their own issue through another's. */
const issuers: readonly (readonly [string, (typeof acquirers)[number], number])[] = [
  ['신한카드', '신한카드', 195],
  ['KB국민카드', 'KB국민카드', 150],
  ['삼성카드', '삼성카드', 160],
  ['현대카드', '현대카드', 150],
  ['롯데카드', '롯데카드', 85],
  ['하나카드', '하나카드', 60],
  ['우리카드', '우리카드', 60],
  ['NH농협카드', 'NH농협카드', 40],
  ['IBK기업은행', '비씨카드', 25],
  ['케이뱅크', '비씨카드', 15],
  ['부산은행', '비씨카드', 10],
  ['카카오뱅크', 'KB국민카드', 25],
  ['토스뱅크', '하나카드', 15],
  ['제주은행', '신한카드', 10],
];

/** A thousand cards to draw from, made once: a draw costs one look. BINs are made up in the real form. */
const thousand: readonly Card[] = issuers.flatMap(([issuer, acquirer, weight], issuerNo) =>
  Array.from({ length: weight }, (_, n) => ({
    issuer,
    acquirer,
    acquirerNo: acquirers.indexOf(acquirer),
    bin: String([4, 5, 9][n % 3]) + String(10_000 + issuerNo * 1_717 + (n % 12) * 131).padStart(5, '0'),
    type: n % 10 < 3 ? 'check' : 'credit',
  })),
);

/** By its BIN, as the card companies list them: every third is one of check cards. */
const checkBins = new Set(thousand.filter((_, n) => n % 3 === 2).map(({ bin }) => bin));
const typeOfBin = (bin: string): Card['type'] => (checkBins.has(bin) ? 'check' : 'credit');

/** All BINs of the sandbox with the type of their cards, in their order. */
export const cardBins: readonly Pick<Card, 'bin' | 'type'>[] = [...new Set(thousand.map(({ bin }) => bin))]
  .sort()
  .map((bin) => ({ bin, type: typeOfBin(bin) }));

const thousandByBin = thousand.map((card) => ({ ...card, type: typeOfBin(card.bin) }));

/** `byBin`: the type is that of the card's BIN; else it is drawn, and what was charged need not fit the BIN. */
export function drawCard(base: number, index: number, salt: number, byBin = false): Card {
  return (byBin ? thousandByBin : thousand)[drawBelow(base, index, salt, thousand.length)] as Card;
}
