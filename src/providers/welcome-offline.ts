/**
 * Welcome Payments, offline (terminals in shops). THE LAYOUTS ARE SAMPLES OF OUR OWN DESIGN: the provider's true
 * reconciliation layouts are under NDA and not public. They are written in the style of a host system behind
 * terminals (fixed width, CP949, overpunched signs, short dates), so that an integrator replaces the layouts below and
 * nothing else.
 */
import { absent, fixedStatement, rowCount, sumOf } from './layout/define.ts';
import { always, anything, blank, code, day, number, text, time, won } from './layout/field.ts';
import { captureMatching, transactionMatching } from './matching.ts';
import type { Provider } from './provider.ts';

const signed = won({ sign: 'overpunch' });
/** Cards came to shops after 1970, and this file will not see 2070. */
const shortDay = day('YYMMDD', { pivotYear: 70 });
const rightBlank = { at: 'left', with: ' ' } as const;

/** 거래 대사: 160-byte records with the terminal's number; amounts with two implied decimals, always "00". */
const transaction = fixedStatement({
  stage: 'transaction',
  encoding: 'cp949',
  recordBytes: 160,
  lineBreak: 'crlf',
  type: 'recordType',
  header: {
    recordType: [2, always('01')],
    sender: [8, always('WPAY-OFF')],
    statement: [3, always('TRX')],
    on: [8, day('YYYYMMDD')],
    unused: [139, blank],
  },
  data: [
    {
      fields: {
        recordType: [2, always('11')],
        terminalNo: [10, text()],
        mid: [12, text({ required: true })],
        tradedOn: [6, shortDay],
        tradedTime: [6, time()],
        kind: [2, code({ AP: 'A', CN: 'C', PC: 'P' })],
        providerTid: [24, text({ required: true })],
        cancelSeq: [2, number()],
        approvalNo: [10, text({ pad: rightBlank })],
        amountWon: [14, won({ sign: 'overpunch', decimals: 2 })],
        instalments: [2, number()],
        acquirer: [12, text()],
        cardMerchantNo: [12, text()],
        cardNo: [16, text()],
        orderNo: [24, text()],
        internal: [6, anything],
      },
    },
  ],
  trailer: {
    recordType: [2, always('99')],
    rows: [8, number({ at: 'left', with: ' ' })],
    amountWon: [18, won({ sign: 'overpunch', decimals: 2 })],
    unused: [132, blank],
  },
  totals: { rows: rowCount(), amountWon: sumOf('amountWon') },
});

/** 정산 대사: 150-byte records without times, order numbers or terminals. */
const settlement = fixedStatement({
  stage: 'settlement',
  encoding: 'cp949',
  recordBytes: 150,
  lineBreak: 'crlf',
  type: 'recordType',
  header: {
    recordType: [2, always('01')],
    sender: [8, always('WPAY-OFF')],
    statement: [3, always('STL')],
    on: [8, day('YYYYMMDD')],
    unused: [129, blank],
  },
  data: [
    {
      fields: {
        recordType: [2, always('11')],
        mid: [12, text({ required: true })],
        kind: [2, code({ AP: 'A', CN: 'C' })],
        providerTid: [24, text({ required: true })],
        cancelSeq: [2, number()],
        tradedOn: [6, shortDay],
        capturedOn: [6, shortDay],
        payInOn: [6, shortDay],
        approvalNo: [10, text({ pad: rightBlank })],
        amountWon: [12, signed],
        feeWon: [10, signed],
        vatWon: [10, signed],
        netWon: [12, signed],
        acquirer: [12, text()],
        cardMerchantNo: [12, text()],
        internal: [12, anything],
      },
    },
  ],
  trailer: {
    recordType: [2, always('99')],
    rows: [8, number({ at: 'left', with: ' ' })],
    approvedWon: [16, won()],
    cancelledWon: [16, won()],
    feeWon: [16, signed],
    vatWon: [16, signed],
    netWon: [16, signed],
    unused: [60, blank],
  },
  columns: { orderNo: absent },
  totals: {
    rows: rowCount(),
    approvedWon: sumOf('amountWon', { kind: ['A'] }),
    cancelledWon: sumOf('amountWon', { kind: ['C'] }, 'negated'),
    feeWon: sumOf('feeWon'),
    vatWon: sumOf('vatWon'),
    netWon: sumOf('netWon'),
  },
});

export const welcomeOffline = {
  id: 'welcome-offline',
  name: { ko: '웰컴페이먼츠 오프라인', en: 'Welcome Payments offline' },
  remote: { kind: 'sftp', folder: '/out' },
  statements: {
    transaction: {
      fileName: 'WP_OFF_TRX_{day}.dat',
      perMid: false,
      complete: { kind: 'stable', seconds: 2 },
      layout: transaction,
      matching: transactionMatching,
    },
    settlement: {
      fileName: 'WP_OFF_STL_{day}.dat',
      perMid: false,
      complete: { kind: 'stable', seconds: 2 },
      layout: settlement,
      matching: captureMatching,
    },
  },
  payIn: { businessDays: 1 },
  method: 'card_offline',
} as const satisfies Provider;
