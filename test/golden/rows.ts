import type { StatementRow } from '../../src/providers/layout/layout.ts';
import type { Stage } from '../../src/providers/stage.ts';

/** What the files beside this one say, read off their bytes by eye with the layouts at hand. */
export type Golden<S extends Stage = Stage> = S extends Stage
  ? {
      readonly provider: string;
      readonly stage: S;
      readonly file: string;
      readonly mid?: string;
      readonly rows: readonly StatementRow<S>[];
    }
  : never;

const tteok = { approvalNo: '12345678', acquirer: '신한카드', cardMerchantNo: '700000001' } as const;
const best = {
  approvalNo: '00000042',
  acquirer: 'KB국민카드',
  cardMerchantNo: '700000002',
} as const;

const first = {
  ...tteok,
  kind: 'A',
  cancelSeq: 0,
  instalments: 3,
  tradedOn: '2026-11-20',
  tradedTime: '09:30:15',
  amountWon: 12_900n,
  orderNo: 'ORD20261120000000001',
  cardNo: '411111******1234',
} as const;
const partial = {
  ...best,
  kind: 'P',
  cancelSeq: 2,
  instalments: 0,
  tradedOn: '2026-11-20',
  tradedTime: '23:59:59',
  amountWon: -5_000n,
  orderNo: 'ORD20261119000000777',
  cardNo: '523333******0007',
} as const;
const cancel = {
  kind: 'C',
  cancelSeq: 1,
  instalments: 12,
  tradedOn: '2026-11-20',
  tradedTime: '00:00:00',
  amountWon: -1_234_567n,
  approvalNo: '87654321',
  orderNo: '',
  acquirer: '비씨카드',
  cardMerchantNo: '700000003',
  cardNo: '944444******9999',
} as const;

const firstSettled = {
  ...tteok,
  kind: 'A',
  cancelSeq: 0,
  tradedOn: '2026-11-20',
  capturedOn: '2026-11-20',
  amountWon: 12_900n,
  feeWon: 258n,
  vatWon: 25n,
  netWon: 12_617n,
  orderNo: '',
} as const;
const cancelSettled = {
  ...best,
  kind: 'C',
  cancelSeq: 2,
  tradedOn: '2026-11-19',
  capturedOn: '2026-11-20',
  amountWon: -5_000n,
  feeWon: -100n,
  vatWon: -10n,
  netWon: -4_890n,
  orderNo: '',
} as const;

const welcomeOnline: readonly Golden[] = [
  {
    provider: 'welcome-online',
    stage: 'transaction',
    file: 'WP_ON_TRX_20261120.dat',
    rows: [
      {
        ...first,
        providerTid: 'WP2026112009301500000001',
        mid: 'WPON000001',
        extras: { shopName: '해운대떡집 뷁스퀘어점' },
      },
      {
        ...partial,
        providerTid: 'WP2026111909301500000777',
        mid: 'WPON000002',
        extras: { shopName: '펲시티 "최고집", 1' },
      },
      { ...cancel, providerTid: 'WP2026112000000000000002', mid: 'WPON000001', extras: { shopName: '' } },
    ],
  },
  {
    provider: 'welcome-online',
    stage: 'settlement',
    file: 'WP_ON_STL_20261120.dat',
    rows: [
      { ...firstSettled, payInOn: '2026-11-24', providerTid: 'WP2026112009301500000001', mid: 'WPON000001' },
      { ...cancelSettled, payInOn: '2026-11-24', providerTid: 'WP2026111909301500000777', mid: 'WPON000002' },
    ],
  },
];

const shop = {
  kind: 'A',
  cancelSeq: 0,
  instalments: 0,
  tradedOn: '2026-11-20',
  tradedTime: '12:15:00',
  amountWon: 12_000n,
  providerTid: '8000000126112000000001',
  mid: 'WPOFF0000001',
  approvalNo: '10000123',
  orderNo: 'POS20261120000000001',
  acquirer: 'NH농협카드',
  cardMerchantNo: '700000009',
  cardNo: '433333******0001',
} as const;
const returned = {
  kind: 'P',
  cancelSeq: 2,
  instalments: 6,
  tradedOn: '2026-11-20',
  tradedTime: '23:59:00',
  amountWon: -9_870n,
  providerTid: '8000000226111900000055',
  mid: 'WPOFF0000002',
  approvalNo: '7777',
  orderNo: '',
  acquirer: '하나카드',
  cardMerchantNo: '700000008',
  cardNo: '911111******4321',
} as const;

const welcomeOffline: readonly Golden[] = [
  {
    provider: 'welcome-offline',
    stage: 'transaction',
    file: 'WP_OFF_TRX_20261120.dat',
    rows: [
      { ...shop, extras: { terminalNo: 'TERM000001' } },
      {
        ...shop,
        kind: 'C',
        cancelSeq: 1,
        tradedTime: '12:17:30',
        amountWon: -12_000n,
        extras: { terminalNo: '똠방점01' },
      },
      { ...returned, extras: { terminalNo: 'TERM000002' } },
    ],
  },
  {
    provider: 'welcome-offline',
    stage: 'settlement',
    file: 'WP_OFF_STL_20261120.dat',
    rows: [
      {
        kind: 'A',
        cancelSeq: 0,
        tradedOn: '2026-11-20',
        capturedOn: '2026-11-20',
        payInOn: '2026-11-23',
        amountWon: 12_000n,
        feeWon: 180n,
        vatWon: 18n,
        netWon: 11_802n,
        providerTid: '8000000126112000000001',
        mid: 'WPOFF0000001',
        approvalNo: '10000123',
        orderNo: '',
        acquirer: 'NH농협카드',
        cardMerchantNo: '700000009',
      },
      {
        kind: 'C',
        cancelSeq: 2,
        tradedOn: '2026-11-19',
        capturedOn: '2026-11-20',
        payInOn: '2026-11-23',
        amountWon: -987n,
        feeWon: -14n,
        vatWon: -1n,
        netWon: -972n,
        providerTid: '8000000226111900000055',
        mid: 'WPOFF0000002',
        approvalNo: '7777',
        orderNo: '',
        acquirer: '하나카드',
        cardMerchantNo: '700000008',
      },
    ],
  },
];

const mid = '2001105001';
const captured = {
  tradedOn: '2026-11-20',
  capturedOn: '2026-11-20',
  cancelSeq: 0,
  kind: 'A',
  mid,
  orderNo: '',
} as const;

const ksnet: readonly Golden[] = [
  {
    provider: 'ksnet',
    stage: 'transaction',
    file: `KSNET_TRX_${mid}_20261120.csv`,
    mid,
    rows: [
      { ...first, providerTid: '726112000000001', mid, extras: { shopName: '(주)해운대떡집, 7' } },
      { ...partial, providerTid: '726111900000777', mid, extras: { shopName: '뷁스퀘어점 "최고집"' } },
      { ...cancel, providerTid: '726112000000002', mid, extras: { shopName: '똠방점|펲' } },
    ],
  },
  {
    provider: 'ksnet',
    stage: 'capture',
    file: `KSNET_CAP_${mid}_20261120.csv`,
    mid,
    rows: [
      {
        ...captured,
        ...tteok,
        result: 'A',
        resultCode: '60',
        amountWon: 12_900n,
        providerTid: '726112000000001',
        orderNo: first.orderNo,
      },
      {
        ...captured,
        ...best,
        kind: 'C',
        cancelSeq: 2,
        tradedOn: '2026-11-19',
        result: 'A',
        resultCode: '67',
        amountWon: -5_000n,
        providerTid: '726111900000777',
        orderNo: partial.orderNo,
      },
      ...(
        [
          ['R', '61', 1_000n, '726112000000003', '11111111', '삼성카드', '700000003', {}],
          ['R', '64', 2_000n, '726112000000004', '22222222', '현대카드', '700000004', {}],
          ['H', '65', 3_000n, '726112000000005', '33333333', '롯데카드', '700000005', {}],
          [
            'L',
            '66',
            4_000n,
            '726111800000006',
            '44444444',
            '우리카드',
            '700000006',
            { tradedOn: '2026-11-18', capturedOn: '2026-11-18' },
          ],
        ] as const
      ).map(([result, resultCode, amountWon, providerTid, approvalNo, acquirer, cardMerchantNo, days]) => ({
        ...captured,
        ...days,
        result,
        resultCode,
        amountWon,
        providerTid,
        approvalNo,
        acquirer,
        cardMerchantNo,
      })),
    ],
  },
  {
    provider: 'ksnet',
    stage: 'settlement',
    file: `KSNET_STL_${mid}_20261120.csv`,
    mid,
    rows: [
      { ...firstSettled, payInOn: '2026-11-23', providerTid: '726112000000001', mid },
      { ...cancelSettled, payInOn: '2026-11-23', providerTid: '726111900000777', mid },
    ],
  },
];

export const goldens: readonly Golden[] = [...welcomeOnline, ...welcomeOffline, ...ksnet];
