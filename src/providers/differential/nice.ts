/**
 * NICE, by what public integrations show of its style: widths, offsets and what the answer fills in. OURS, to be agreed
 * with the provider:
 * - the first 3 bytes of the reserved field carry the cancel sequence, which with the TID is a claim's identity; an
 *   approval (000) is its own original;
 * - END counts all records of the file with itself, since TOTAL counts the data of a MID already;
 * - the tag of START, the names of the files, line breaks and folders, how a preferential fee and a supply are rounded,
 *   that its codes are the card companies' and what each means to us.
 * How it registers merchants is not known: nothing is held back for it.
 */
import type { DifferentialProvider } from '../differential.ts';
import { fixedExchange, fromHead, optional } from '../layout/exchange-define.ts';
import { always, anything, blank, code, day, number, text, won } from '../layout/field.ts';
import { cardStandardCodes } from './card-standard.ts';
import { usualCalendar, usualResend } from './usual-terms.ts';

const signed = won({ sign: 'minus' });
const day8 = day('YYYYMMDD');
const required = text({ required: true });

const file = {
  encoding: 'cp949',
  recordBytes: 400,
  lineBreak: 'lf',
  type: 'recordType',
  start: {
    recordType: [2, always('01')],
    on: [8, day8],
    biz: [10, required],
    tag: [4, always('NICE')],
    tagRest: [6, blank],
    unused: [370, anything],
  },
  header: { recordType: [2, always('10')], mid: [10, required], unused: [388, anything] },
  total: {
    fields: { recordType: [2, always('12')], lines: [7, number()], amountWon: [18, signed], unused: [373, anything] },
    totals: { lines: 'lines', amountWon: 'amountWon' },
  },
  end: {
    fields: { recordType: [2, always('02')], records: [7, number()], unused: [391, anything] },
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
  providerTid: [30, required],
  originalTid: [30, text()],
  orderNo: [70, text()],
  amountWon: [15, signed],
  originalWon: [15, signed],
  approvedOn: [8, day8],
  cancelSeq: [3, number()],
  reserved: [37, anything],
} as const;

export const nice = {
  id: 'nice',
  name: { ko: '나이스', en: 'NICE' },
  channels: ['nice'],
  differential: {
    claims: {
      fileName: 'daff_nice_{biz}_{day}_req',
      perMid: false,
      layout: fixedExchange({ ...file, record: 'claim', data: { ...transaction, unused: [161, anything] } }),
    },
    answers: {
      fileName: 'daff_nice_{biz}_{day}_res',
      perMid: false,
      layout: fixedExchange({
        ...file,
        record: 'answer',
        data: {
          ...transaction,
          type: [1, optional(transaction.type[1])],
          finalNo: [10, text()],
          approvedOn: [8, optional(day8)],
          tier: [1, optional(text())],
          transactionType: [1, text()],
          cardType: [1, optional(text())],
          supplyWon: [15, optional(signed)],
          vatWon: [15, optional(signed)],
          differenceWon: [15, optional(signed)],
          payOn: [8, optional(day8)],
          code: [2, required],
          unused: [103, anything],
        },
      }),
    },
    transport: { kind: 'sftp', outbox: 'req', inbox: 'res', temporarySuffix: '.part', takesAway: false },
    codes: { ...cardStandardCodes, '99': { ko: '기타 오류', en: 'other', means: 'correct' } },
    rounding: { fee: 'floor', vat: 'added', supply: 'half_up', lastCancel: 'remainder' },
    calendar: usualCalendar,
    resend: usualResend,
  },
} as const satisfies DifferentialProvider;
