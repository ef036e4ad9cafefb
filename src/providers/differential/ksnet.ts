/**
 * KSNET, by what public integrations show of its files: comma-separated CP949, a file for each MID, the columns of claims
 * and answers, the codes. OURS, to be agreed with the provider:
 * - HTTPS, where the provider's own way is a module of its own over TCP; the names of the files and folders;
 * - the user field carries the day of the original approval, for who looks at a line;
 * - quotes around what holds a comma, line breaks, how a preferential fee is rounded, the deadline a business day earlier
 *   than usual, and what a code means to us;
 * - REGISTRATION IS A SAMPLE OF OUR OWN DESIGN in the provider's style: a row for each card company.
 * Nothing in these files counts their lines: a file that ends early at a line's end shows by what it leaves unanswered.
 */
import type { DifferentialProvider } from '../differential.ts';
import { delimitedExchange, nowhere, optional } from '../layout/exchange-define.ts';
import { always, code, day, number, text, won } from '../layout/field.ts';
import { cardStandardCodes } from './card-standard.ts';
import { usualCalendar, usualResend } from './usual-terms.ts';

const signed = won({ sign: 'minus' });
const day8 = day('YYYYMMDD');
const required = text({ required: true });
const csv = { encoding: 'cp949', separator: ',', quote: '"', lineBreak: 'crlf', type: 'recordType' } as const;

const transaction = {
  provider: always('KSNET'),
  mid: required,
  type: code({ '0': 'A', '1': 'C', '3': 'P' }),
  tradedOn: day8,
  intermediaryNo: optional(text()),
  finalNo: required,
  providerTid: required,
  cancelSeq: number(),
  amountWon: signed,
  originalWon: signed,
  orderNo: text(),
  approvedOn: day8,
} as const;

const registered = {
  provider: always('KSNET'),
  action: code({ N: 'N', U: 'C', D: 'T' }),
  acquirer: required,
  merchantId: required,
  finalNo: required,
  intermediaryNo: optional(text()),
  shopName: text(),
} as const;

export const ksnet = {
  id: 'ksnet',
  name: { ko: 'KSNET', en: 'KSNET' },
  channels: ['ksnet'],
  differential: {
    claims: {
      fileName: 'daff_ksnet_{biz}_{mid}_{day}_req.csv',
      perMid: true,
      layout: delimitedExchange({ ...csv, record: 'claim', data: { recordType: always('D'), ...transaction } }),
    },
    answers: {
      fileName: 'daff_ksnet_{biz}_{mid}_{day}_res.csv',
      perMid: true,
      layout: delimitedExchange({
        ...csv,
        record: 'answer',
        data: {
          recordType: always('R'),
          ...transaction,
          type: optional(transaction.type),
          finalNo: text(),
          approvedOn: optional(day8),
          code: required,
          tier: optional(text()),
          cardType: optional(text()),
          differenceWon: optional(signed),
          payOn: optional(day8),
        },
        columns: { supplyWon: nowhere, vatWon: nowhere },
      }),
    },
    registration: {
      request: {
        fileName: 'reg_ksnet_{biz}_{day}_req.csv',
        perMid: false,
        layout: delimitedExchange({ ...csv, record: 'registration', data: { recordType: always('M'), ...registered } }),
      },
      answers: {
        fileName: 'reg_ksnet_{biz}_{day}_res.csv',
        perMid: false,
        layout: delimitedExchange({
          ...csv,
          record: 'registrationAnswer',
          data: { recordType: always('S'), ...registered, code: required },
        }),
      },
    },
    transport: { kind: 'https', outbox: 'req', inbox: 'res', temporarySuffix: '.part', takesAway: false },
    codes: {
      ...cardStandardCodes,
      '15': { ko: '차액정산 대상 아님', en: 'not eligible', means: 'final' },
      '16': { ko: '거래구분 오류', en: 'type', means: 'correct' },
      '17': { ko: '차액정산 대상 일자 아님', en: 'date not eligible', means: 'final' },
      '19': { ko: '원거래 매출 비정상', en: 'original sale abnormal', means: 'correct' },
      '20': { ko: '최종하위사업자 영중소 아님', en: 'final business is not small', means: 'final' },
      '21': { ko: '사업자번호 불일치', en: 'business number mismatch', means: 'correct' },
      XX: { ko: '등록 실패', en: 'registration failed', means: 'correct' },
      CC: { ko: '승인 취소된 거래', en: 'cancelled approval', means: 'final' },
    },
    rounding: { fee: 'half_up', vat: 'added', supply: 'half_up', lastCancel: 'remainder' },
    calendar: { ...usualCalendar, deadline: { businessDays: 2, at: '18:00' } },
    resend: usualResend,
  },
} as const satisfies DifferentialProvider;
