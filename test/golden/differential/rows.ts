import type { ExchangeRow } from '../../../src/providers/layout/exchange-layout.ts';
import type { Golden } from './golden.ts';
import { registrations } from './registration-rows.ts';

const [day, old] = ['2026-11-20', '2026-11-18'];
const [tteok, best, third, fourth, between] = ['1018112341', '1208100002', '3148600015', '6051500774', '2118700009'];

/** An approval, a partial cancel, a full cancel and an approval of 100 won with identifiers as long as there is room for. */
const sale = {
  type: 'A',
  tradedOn: day,
  approvedOn: day,
  cancelSeq: 0,
  amountWon: 12_900n,
  originalWon: 12_900n,
  intermediaryNo: null,
  finalNo: tteok,
} as const;
const part = {
  type: 'P',
  tradedOn: day,
  approvedOn: old,
  cancelSeq: 2,
  amountWon: -5_000n,
  originalWon: 50_000n,
  intermediaryNo: between,
  finalNo: best,
} as const;
const whole = {
  type: 'C',
  tradedOn: day,
  approvedOn: '2026-11-19',
  cancelSeq: 1,
  amountWon: -1_234_567n,
  originalWon: 1_234_567n,
  intermediaryNo: null,
  finalNo: third,
} as const;
const small = { ...sale, amountWon: 100n, originalWon: 100n, finalNo: fourth } as const;

type Claim = ExchangeRow<'claim'>;
type Answer = ExchangeRow<'answer'>;
const nothing = {
  tier: null,
  cardType: null,
  differenceWon: null,
  supplyWon: null,
  vatWon: null,
  payOn: null,
} as const;

/** A claim as an answer says it again: what is no column of the answer is echoed, without what is blank. */
function echoed<E extends string>(claim: Claim, type: string, more: Readonly<Record<E, string>>) {
  const { mid, tradedOn, providerTid, cancelSeq, amountWon, originalWon } = claim;
  const { approvedOn, finalNo, orderNo, intermediaryNo } = claim;
  const extras = {
    type,
    approvedOn,
    finalNo,
    orderNo,
    ...(intermediaryNo === null ? {} : { intermediaryNo }),
    ...more,
  };
  return { mid, tradedOn, providerTid, cancelSeq, amountWon, originalWon, extras };
}

const welcomeClaims: readonly Claim[] = [
  { ...sale, mid: 'WPON000001', providerTid: 'WP2026112009301500000001', orderNo: 'ORD20261120000000001' },
  { ...part, mid: 'WPON000001', providerTid: 'WP2026111809301500000777', orderNo: '주문 뷁-7' },
  { ...whole, mid: 'WPON000002', providerTid: 'WP2026111900000000000002', orderNo: '' },
  { ...small, mid: 'WPON000002', providerTid: 'WP20261120-789012345678901234567890123+A', orderNo: '7' },
];
const [w1, w2, w3, w4] = welcomeClaims as [Claim, Claim, Claim, Claim];

function validated(claim: Claim, type: string, code: string): ExchangeRow<'validation'> {
  const { mid, tradedOn, providerTid, cancelSeq, amountWon, originalWon, extras } = { ...echoed(claim, type, {}) };
  return { mid, tradedOn, providerTid, cancelSeq, amountWon, code, extras: { ...extras, originalWon } };
}

const welcome: readonly Golden[] = [
  {
    provider: 'welcome',
    record: 'claim',
    file: 'daff_welcome_1234567891_20261120_req',
    lines: [3, 4, 7, 8],
    rows: welcomeClaims,
  },
  {
    provider: 'welcome',
    record: 'validation',
    file: 'daff_welcome_1234567891_20261120_valid',
    lines: [3, 4, 7, 8],
    rows: [validated(w1, 'A', '00'), validated(w2, 'C', '00'), validated(w3, 'C', '00'), validated(w4, 'A', '09')],
  },
  {
    provider: 'welcome',
    record: 'answer',
    file: 'daff_welcome_1234567891_20261120_res',
    lines: [3, 4, 7, 8],
    rows: [
      {
        ...echoed(w1, 'A', { captureType: '1' }),
        tier: '0',
        cardType: '0',
        differenceWon: null,
        supplyWon: 206n,
        vatWon: 21n,
        payOn: '2026-11-24',
        code: '00',
      },
      {
        ...echoed(w2, 'C', { captureType: '2' }),
        tier: '3',
        cardType: '0',
        differenceWon: null,
        supplyWon: -28n,
        vatWon: -3n,
        payOn: '2026-11-24',
        code: '00',
      },
      {
        ...echoed(w3, 'C', { captureType: '2' }),
        ...nothing,
        tier: '1',
        cardType: '1',
        supplyWon: 0n,
        vatWon: 0n,
        code: '15',
      },
      { ...echoed(w4, 'A', { captureType: '' }), ...nothing, code: '09' },
    ],
  },
];

const niceSale = {
  ...sale,
  mid: 'NICE000001',
  providerTid: 'NICE00000000000001202611200001',
  orderNo: 'NICE-ORDER-2026-11-20-0000001',
  amountWon: 100_000n,
  originalWon: 100_000n,
  intermediaryNo: between,
} as const;
const niceClaims: readonly Claim[] = [
  niceSale,
  { ...niceSale, type: 'C', cancelSeq: 1, amountWon: -100_000n },
  {
    type: 'P',
    mid: 'NICE000001',
    tradedOn: day,
    approvedOn: '2026-08-13',
    providerTid: 'NICE20260813',
    cancelSeq: 12,
    amountWon: -3_333n,
    originalWon: 9_999n,
    intermediaryNo: null,
    finalNo: best,
    orderNo: '펲 주문',
  },
];
const [n1, n2, n3] = niceClaims as [Claim, Claim, Claim];
const paidByNice = { tier: '1', cardType: '1', payOn: '2026-11-24', code: '00' } as const;

const nice: readonly Golden[] = [
  {
    provider: 'nice',
    record: 'claim',
    file: 'daff_nice_1234567891_20261120_req',
    lines: [3, 4, 5],
    rows: niceClaims,
  },
  {
    provider: 'nice',
    record: 'answer',
    file: 'daff_nice_1234567891_20261120_res',
    lines: [3, 4, 5],
    rows: [
      {
        ...echoed(n1, 'A', { transactionType: '1' }),
        ...paidByNice,
        supplyWon: 750n,
        vatWon: 75n,
        differenceWon: 825n,
      },
      {
        ...echoed(n2, 'C', { transactionType: '2' }),
        ...paidByNice,
        supplyWon: -750n,
        vatWon: -75n,
        differenceWon: -825n,
      },
      {
        ...echoed(n3, 'C', { transactionType: '2' }),
        ...nothing,
        supplyWon: 0n,
        vatWon: 0n,
        differenceWon: 0n,
        code: '13',
      },
    ],
  },
];

const mid = '2001105001';
const ksnetClaims: readonly Claim[] = [
  { ...sale, mid, providerTid: '726112000000001', orderNo: 'ORD,2026-1' },
  { ...part, mid, providerTid: '726111800000777', orderNo: '뷁 "똠" 주문' },
  { ...whole, mid, providerTid: '726111900000002', orderNo: '' },
  { ...small, mid, providerTid: '726112000000004', orderNo: 'ORD20261120000000004' },
];
const [k1, k2, k3, k4] = ksnetClaims as [Claim, Claim, Claim, Claim];
const paidByKsnet = { payOn: '2026-11-24', supplyWon: null, vatWon: null, code: '00' } as const;
const ksnetAnswers: readonly Answer[] = [
  { ...echoed(k1, 'A', {}), ...paidByKsnet, tier: '0', cardType: '0', differenceWon: 227n },
  { ...echoed(k2, 'P', {}), ...paidByKsnet, tier: '3', cardType: '1', differenceWon: -31n },
  { ...echoed(k3, 'C', {}), ...nothing, code: 'CC' },
  { ...echoed(k4, 'A', {}), ...nothing, tier: '4', cardType: '0', differenceWon: 0n, code: '20' },
];

const ksnet: readonly Golden[] = [
  {
    provider: 'ksnet',
    record: 'claim',
    file: `daff_ksnet_1234567891_${mid}_20261120_req.csv`,
    mid,
    lines: [1, 2, 3, 4],
    rows: ksnetClaims,
  },
  {
    provider: 'ksnet',
    record: 'answer',
    file: `daff_ksnet_1234567891_${mid}_20261120_res.csv`,
    mid,
    lines: [1, 2, 3, 4],
    rows: ksnetAnswers,
  },
];

export const goldens: readonly Golden[] = [...welcome, ...nice, ...ksnet, ...registrations];
