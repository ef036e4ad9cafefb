/**
 * Welcome Payments, by what public integrations show of its records: widths, offsets and codes of claims, validation and
 * answers, the names of the files, SFTP with a key. OURS, to be agreed with the provider:
 * - the first 3 bytes of the reserved field carry the cancel sequence, which with the TID is a claim's identity; an
 *   approval (000) is its own original;
 * - END counts all records of the file with itself, since TOTAL counts the data of a MID already: a whole MID that is
 *   missing shows;
 * - line breaks and folders, how a preferential fee is rounded, and what a code means to us;
 * - REGISTRATION IS A SAMPLE OF OUR OWN DESIGN in the provider's style: a row for each card company.
 */
import type { DifferentialProvider } from '../differential.ts';
import { fixedExchange, fromHead, nowhere, optional } from '../layout/exchange-define.ts';
import { always, anything, blank, code, day, number, text, won } from '../layout/field.ts';
import { cardStandardCodes } from './card-standard.ts';
import { usualCalendar, usualResend } from './usual-terms.ts';

const signed = won({ sign: 'minus' });
const day8 = day('YYYYMMDD');
const required = text({ required: true });

const file = { encoding: 'cp949', recordBytes: 350, lineBreak: 'lf', type: 'recordType' } as const;
const frame = {
  start: {
    recordType: [2, always('01')],
    on: [8, day8],
    biz: [10, required],
    tag: [10, always('WELCOMEPAY')],
    unused: [320, anything],
  },
  header: { recordType: [2, always('10')], mid: [10, required], unused: [338, anything] },
  total: {
    fields: { recordType: [2, always('12')], lines: [7, number()], amountWon: [18, signed], unused: [323, anything] },
    totals: { lines: 'lines', amountWon: 'amountWon' },
  },
  end: {
    fields: { recordType: [2, always('02')], records: [7, number()], unused: [341, anything] },
    totals: { records: 'records' },
  },
  columns: { mid: fromHead('mid') },
  same: { originalTid: 'providerTid' },
} as const;

const transaction = {
  recordType: [2, always('11')],
  type: [1, code({ '0': 'A', '1': 'C' }, { P: '1' })],
  tradedOn: [8, day8],
  intermediaryNo: [10, optional(text())],
  finalNo: [10, required],
  providerTid: [40, required],
  originalTid: [40, text()],
  orderNo: [64, text()],
  amountWon: [15, signed],
  originalWon: [15, signed],
  approvedOn: [8, day8],
  cancelSeq: [3, number()],
  reserved: [37, anything],
} as const;
/** What comes back with every line; what we do not ask of it may be blank. */
const echoed = {
  ...transaction,
  type: [1, optional(transaction.type[1])],
  finalNo: [10, text()],
  approvedOn: [8, optional(day8)],
} as const;

const registered = {
  recordType: [2, always('11')],
  action: [1, code({ '1': 'N', '2': 'C', '3': 'T' })],
  acquirer: [20, required],
  merchantId: [40, required],
  finalNo: [10, required],
  intermediaryNo: [10, optional(text())],
  shopName: [60, text()],
} as const;
const registrationFile = {
  ...file,
  recordBytes: 200,
  start: { ...frame.start, tag: [10, always('WELCOMEREG')], unused: [170, blank] },
  end: { ...frame.end, fields: { ...frame.end.fields, unused: [191, blank] } },
} as const;

export const welcome = {
  id: 'welcome',
  name: { ko: '웰컴페이먼츠', en: 'Welcome Payments' },
  channels: ['welcome-online', 'welcome-offline'],
  differential: {
    claims: {
      fileName: 'daff_welcome_{biz}_{day}_req',
      perMid: false,
      layout: fixedExchange({ ...file, ...frame, record: 'claim', data: { ...transaction, unused: [97, anything] } }),
    },
    validation: {
      fileName: 'daff_welcome_{biz}_{day}_valid',
      perMid: false,
      layout: fixedExchange({
        ...file,
        ...frame,
        record: 'validation',
        data: { ...echoed, originalWon: [15, optional(signed)], code: [2, required], unused: [95, anything] },
      }),
    },
    answers: {
      fileName: 'daff_welcome_{biz}_{day}_res',
      perMid: false,
      layout: fixedExchange({
        ...file,
        ...frame,
        record: 'answer',
        data: {
          ...echoed,
          tier: [1, optional(text())],
          captureType: [1, text()],
          cardType: [1, optional(text())],
          supplyWon: [15, optional(signed)],
          vatWon: [15, optional(signed)],
          payOn: [8, optional(day8)],
          code: [2, required],
          unused: [54, anything],
        },
        columns: { ...frame.columns, differenceWon: nowhere },
        total: {
          fields: {
            recordType: [2, always('12')],
            lines: [7, number()],
            amountWon: [18, signed],
            differenceWon: [15, signed],
            unused: [308, anything],
          },
          totals: { ...frame.total.totals, differenceWon: 'differenceWon' },
        },
      }),
    },
    registration: {
      request: {
        fileName: 'reg_welcome_{biz}_{day}_req',
        perMid: false,
        layout: fixedExchange({
          ...registrationFile,
          record: 'registration',
          data: { ...registered, unused: [57, blank] },
        }),
      },
      answers: {
        fileName: 'reg_welcome_{biz}_{day}_res',
        perMid: false,
        layout: fixedExchange({
          ...registrationFile,
          record: 'registrationAnswer',
          data: { ...registered, code: [2, required], unused: [55, blank] },
        }),
      },
    },
    transport: { kind: 'sftp', outbox: 'req', inbox: 'res', temporarySuffix: '.part', takesAway: false },
    codes: {
      ...cardStandardCodes,
      '15': { ko: '전체취소 후 양수 차액', en: 'positive difference after a full cancel', means: 'final' },
      '99': { ko: '기타 오류', en: 'other', means: 'correct' },
    },
    rounding: { fee: 'floor', vat: 'added', supply: 'floor', lastCancel: 'remainder' },
    calendar: usualCalendar,
    resend: usualResend,
  },
} as const satisfies DifferentialProvider;
