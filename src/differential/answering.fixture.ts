// What NICE answers to a request: every claim accepted, at a difference of 143 won for 10,000.
import { nice } from '../providers/differential/nice.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';

/** 143 won with VAT: 130 of supply (143 · 10/11) and 13 of VAT. */
export function answerOf(request: Buffer, day: string, businessNo = '1234567891'): Buffer {
  const on = Temporal.PlainDate.from(day);
  const head = { on, biz: businessNo };
  const { claims, answers } = nice.differential;
  const { rows } = decodeExchange(claims.layout, { ...head, provider: 'nice', fileName: 'request' }, request);
  return encodeExchange(
    answers.layout,
    head,
    rows.map(({ mid, tradedOn, providerTid, cancelSeq, amountWon, originalWon, extras }) => {
      const times = amountWon / 10_000n;
      return {
        ...{ mid, tradedOn, providerTid, cancelSeq, amountWon, originalWon },
        ...{ tier: '1', cardType: '2', payOn: day, code: '00' },
        ...{ differenceWon: 143n * times, supplyWon: 130n * times, vatWon: 13n * times },
        ...(extras === undefined ? {} : { extras }),
      };
    }),
  );
}
