// A stranger's provider, as somebody who has only its documents would write it: one file of data, and nothing else.
import { usualCalendar, usualResend } from './differential/usual-terms.ts';
import type { DifferentialProvider } from './differential.ts';
import { delimitedExchange, nowhere, optional } from './layout/exchange-define.ts';
import { always, code, day, number, text, won } from './layout/field.ts';

const [signed, iso, required] = [won({ sign: 'leading' }), day('YYYY-MM-DD'), text({ required: true })];

const plain = { encoding: 'utf8', separator: '|', quote: 'none', lineBreak: 'lf', type: 'mark' } as const;
const psv = {
  ...plain,
  start: { mark: always('S'), biz: required, on: iso },
  end: { fields: { mark: always('E'), rows: number(), won: signed }, totals: { rows: 'lines', won: 'amountWon' } },
} as const;
const deal = { mark: always('D'), mid: required, providerTid: required, cancelSeq: number(), tradedOn: iso } as const;
const amounts = { amountWon: signed, originalWon: signed } as const;
const sale = { type: code({ S: 'A', V: 'C', P: 'P' }), approvedOn: iso, finalNo: required, orderNo: text() } as const;
const result = { differenceWon: optional(signed), payOn: optional(iso), code: required } as const;

export const hanbit = {
  id: 'hanbit',
  name: { ko: '한빛페이', en: 'Hanbit Pay' },
  channels: ['hanbit'],
  differential: {
    claims: {
      fileName: 'claims-{day}.psv',
      perMid: false,
      layout: delimitedExchange({
        ...psv,
        record: 'claim',
        data: { ...deal, ...amounts, ...sale },
        columns: { intermediaryNo: nowhere },
      }),
    },
    answers: {
      fileName: 'claims-{day}.answer.psv',
      perMid: false,
      layout: delimitedExchange({
        ...psv,
        record: 'answer',
        data: { ...deal, ...amounts, ...result },
        columns: { tier: nowhere, cardType: nowhere, supplyWon: nowhere, vatWon: nowhere },
      }),
    },
    transport: { kind: 'https', outbox: 'in', inbox: 'out', temporarySuffix: '.tmp', takesAway: true },
    codes: {
      OK: { ko: '정상', en: 'accepted', means: 'accepted' },
      NO: { ko: '거절', en: 'rejected', means: 'final' },
    },
    rounding: { fee: 'half_even', vat: 'included', supply: 'half_up', lastCancel: 'rate' },
    calendar: { ...usualCalendar, tooOldDays: 30 },
    resend: usualResend,
  },
} as const satisfies DifferentialProvider;
