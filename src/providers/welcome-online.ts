/**
 * Welcome Payments, online. THE LAYOUTS ARE SAMPLES OF OUR OWN DESIGN: the provider's true reconciliation layouts are
 * under NDA and not public. They are written in its style (fixed width, CP949, header, data, trailer with control
 * totals), so that an integrator replaces the layouts below and nothing else.
 */
import { absent, fixedStatement, rowCount, sumOf } from './layout/define.ts';
import { always, blank, code, day, number, text, time, won } from './layout/field.ts';
import { captureMatching, transactionMatching } from './matching.ts';
import type { Provider } from './provider.ts';

const signed = won({ sign: 'leading', plus: '0' });

/** 거래 대사: 200-byte records. The first byte of an amount is "-" where it is negative, else "0". */
const transaction = fixedStatement({
  stage: 'transaction',
  encoding: 'cp949',
  recordBytes: 200,
  lineBreak: 'lf',
  type: 'recordType',
  header: {
    recordType: [1, always('H')],
    sender: [10, always('WELCOMEPAY')],
    statement: [5, always('ONTRX')],
    on: [8, day('YYYYMMDD')],
    unused: [176, blank],
  },
  data: [
    {
      fields: {
        recordType: [1, always('D')],
        kind: [1, code({ '0': 'A', '1': 'C', '2': 'P' })],
        cancelSeq: [3, number()],
        tradedOn: [8, day('YYYYMMDD')],
        tradedTime: [6, time()],
        amountWon: [13, signed],
        providerTid: [30, text({ required: true })],
        mid: [10, text({ required: true })],
        shopName: [24, text()],
        approvalNo: [10, text()],
        orderNo: [32, text()],
        acquirer: [14, text()],
        cardMerchantNo: [15, text()],
        cardNo: [16, text()],
        instalments: [2, number()],
        unused: [15, blank],
      },
    },
  ],
  trailer: {
    recordType: [1, always('T')],
    rows: [9, number()],
    approvedRows: [9, number()],
    approvedWon: [16, won()],
    cancelledRows: [9, number()],
    cancelledWon: [16, won()],
    unused: [140, blank],
  },
  totals: {
    rows: rowCount(),
    approvedRows: rowCount({ kind: ['A'] }),
    approvedWon: sumOf('amountWon', { kind: ['A'] }),
    cancelledRows: rowCount({ kind: ['C', 'P'] }),
    cancelledWon: sumOf('amountWon', { kind: ['C', 'P'] }, 'negated'),
  },
});

/** 정산 대사: 180-byte records, one signed total for each amount. */
const settlement = fixedStatement({
  stage: 'settlement',
  encoding: 'cp949',
  recordBytes: 180,
  lineBreak: 'lf',
  type: 'recordType',
  header: {
    recordType: [1, always('H')],
    sender: [10, always('WELCOMEPAY')],
    statement: [5, always('ONSTL')],
    on: [8, day('YYYYMMDD')],
    unused: [156, blank],
  },
  data: [
    {
      fields: {
        recordType: [1, always('D')],
        kind: [1, code({ '0': 'A', '1': 'C' })],
        cancelSeq: [3, number()],
        tradedOn: [8, day('YYYYMMDD')],
        capturedOn: [8, day('YYYYMMDD')],
        payInOn: [8, day('YYYYMMDD')],
        amountWon: [13, signed],
        feeWon: [11, signed],
        vatWon: [11, signed],
        netWon: [13, signed],
        providerTid: [30, text({ required: true })],
        mid: [10, text({ required: true })],
        approvalNo: [10, text()],
        acquirer: [14, text()],
        cardMerchantNo: [15, text()],
        unused: [24, blank],
      },
    },
  ],
  trailer: {
    recordType: [1, always('T')],
    rows: [9, number()],
    amountWon: [16, signed],
    feeWon: [16, signed],
    vatWon: [16, signed],
    netWon: [16, signed],
    unused: [106, blank],
  },
  columns: { orderNo: absent },
  totals: {
    rows: rowCount(),
    amountWon: sumOf('amountWon'),
    feeWon: sumOf('feeWon'),
    vatWon: sumOf('vatWon'),
    netWon: sumOf('netWon'),
  },
});

export const welcomeOnline = {
  id: 'welcome-online',
  name: { ko: '웰컴페이먼츠 온라인', en: 'Welcome Payments online' },
  remote: { kind: 'sftp', folder: '/out' },
  statements: {
    transaction: {
      fileName: 'WP_ON_TRX_{day}.dat',
      perMid: false,
      complete: { kind: 'stable', seconds: 2 },
      layout: transaction,
      matching: transactionMatching,
    },
    settlement: {
      fileName: 'WP_ON_STL_{day}.dat',
      perMid: false,
      complete: { kind: 'stable', seconds: 2 },
      layout: settlement,
      matching: captureMatching,
    },
  },
  payIn: { businessDays: 2 },
  method: 'card_online',
} as const satisfies Provider;
