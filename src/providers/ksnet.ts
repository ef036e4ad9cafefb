/**
 * KSNET. THE LAYOUTS ARE SAMPLES OF OUR OWN DESIGN: the provider's true reconciliation layouts are under NDA and not
 * public. They are written in its style (comma-separated CP949 with a leading record type, one file per MID), so that
 * an integrator replaces the layouts below and nothing else. The capture result codes 60, 67 (bought), 61 and 64
 * (rejected) are those of Korean VANs; 65 (held) and 66 (released) are ours.
 */
import { absent, delimitedStatement, fromHeader, meaningOf, rowCount, sumOf } from './layout/define.ts';
import { always, code, day, number, text, time, won } from './layout/field.ts';
import { captureMatching, transactionMatching } from './matching.ts';
import type { Provider, StatementSpec } from './provider.ts';

const csv = { encoding: 'cp949', separator: ',', quote: '"', lineBreak: 'crlf', type: 'recordType' } as const;
const signed = won({ sign: 'minus' });
const day8 = day('YYYYMMDD');
const header = { recordType: always('H'), sender: always('KSNET') };
const trailer = { recordType: always('T'), rows: number() };

/** 거래 대사. Amounts without a sign: the kind says it. */
const transaction = delimitedStatement({
  ...csv,
  stage: 'transaction',
  header: { ...header, statement: always('TRX'), mid: text({ required: true }), on: day8 },
  data: [
    {
      fields: {
        recordType: always('D'),
        kind: code({ '0': 'A', '1': 'C', '3': 'P' }),
        tradedOn: day8,
        tradedTime: time(),
        providerTid: text({ required: true }),
        cancelSeq: number(),
        amountWon: won({ negativeWhen: ['C', 'P'] }),
        approvalNo: text(),
        orderNo: text(),
        shopName: text(),
        acquirer: text(),
        cardMerchantNo: text(),
        cardNo: text(),
        instalments: number(),
      },
    },
  ],
  trailer: { ...trailer, approvedWon: won(), cancelledWon: won() },
  columns: { mid: fromHeader('mid') },
  totals: {
    rows: rowCount(),
    approvedWon: sumOf('amountWon', { kind: ['A'] }),
    cancelledWon: sumOf('amountWon', { kind: ['C', 'P'] }, 'negated'),
  },
});

/** 매입 대사. What became of each capture; the code itself is kept beside its meaning. */
const capture = delimitedStatement({
  ...csv,
  stage: 'capture',
  header: { ...header, statement: always('CAP'), mid: text({ required: true }), on: day8 },
  data: [
    {
      fields: {
        recordType: always('D'),
        kind: code({ '0': 'A', '1': 'C' }),
        tradedOn: day8,
        capturedOn: day8,
        providerTid: text({ required: true }),
        cancelSeq: number(),
        amountWon: won({ negativeWhen: ['C'] }),
        resultCode: text({ required: true }),
        approvalNo: text(),
        orderNo: text(),
        acquirer: text(),
        cardMerchantNo: text(),
      },
    },
  ],
  trailer: { ...trailer, acceptedRows: number(), amountWon: signed },
  columns: {
    mid: fromHeader('mid'),
    result: meaningOf('resultCode', { '60': 'A', '67': 'A', '61': 'R', '64': 'R', '65': 'H', '66': 'L' }),
  },
  totals: { rows: rowCount(), acceptedRows: rowCount({ result: ['A'] }), amountWon: sumOf('amountWon') },
});

/** 정산 대사. Amounts carry their own sign. */
const settlement = delimitedStatement({
  ...csv,
  stage: 'settlement',
  header: { ...header, statement: always('STL'), mid: text({ required: true }), on: day8 },
  data: [
    {
      fields: {
        recordType: always('D'),
        kind: code({ '0': 'A', '1': 'C' }),
        tradedOn: day8,
        capturedOn: day8,
        payInOn: day8,
        providerTid: text({ required: true }),
        cancelSeq: number(),
        amountWon: signed,
        feeWon: signed,
        vatWon: signed,
        netWon: signed,
        approvalNo: text(),
        cardMerchantNo: text(),
        acquirer: text(),
      },
    },
  ],
  trailer: { ...trailer, amountWon: signed, feeWon: signed, vatWon: signed, netWon: signed },
  columns: { mid: fromHeader('mid'), orderNo: absent },
  totals: {
    rows: rowCount(),
    amountWon: sumOf('amountWon'),
    feeWon: sumOf('feeWon'),
    vatWon: sumOf('vatWon'),
    netWon: sumOf('netWon'),
  },
});

const perMid = {
  perMid: true,
  complete: { kind: 'marker', suffix: '.done' },
} as const satisfies Partial<StatementSpec>;

export const ksnet = {
  id: 'ksnet',
  name: { ko: 'KSNET', en: 'KSNET' },
  remote: { kind: 'sftp', folder: '/out' },
  statements: {
    transaction: {
      ...perMid,
      fileName: 'KSNET_TRX_{mid}_{day}.csv',
      layout: transaction,
      matching: transactionMatching,
    },
    capture: { ...perMid, fileName: 'KSNET_CAP_{mid}_{day}.csv', layout: capture, matching: captureMatching },
    settlement: { ...perMid, fileName: 'KSNET_STL_{mid}_{day}.csv', layout: settlement, matching: captureMatching },
  },
  payIn: { businessDays: 1 },
  method: 'card_online',
} as const satisfies Provider;
