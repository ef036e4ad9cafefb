// What a provider answers to a request: every claim accepted, at a difference of 143 won for 10,000.
import type { DifferentialProvider } from '../providers/differential.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';

/** 143 won with VAT: 130 of supply (143 · 10/11) and 13 of VAT. Only so many lines, where that is said. */
export function answerOf(
  provider: DifferentialProvider,
  request: Buffer,
  day: string,
  { mid, lines }: { readonly mid?: string; readonly lines?: number } = {},
): Buffer {
  const head = { on: Temporal.PlainDate.from(day), biz: '1234567891', ...(mid === undefined ? {} : { mids: [mid] }) };
  const { claims, answers } = provider.differential;
  const states = (column: string) =>
    answers.layout.data.columns.some(({ name, source }) => name === column && source.from !== 'nowhere');
  const won = (column: string, amount: bigint) => (states(column) ? amount : null);
  const { rows } = decodeExchange(claims.layout, { ...head, provider: provider.id, fileName: 'request' }, request);
  return encodeExchange(
    answers.layout,
    head,
    rows.slice(0, lines).map(({ mid: of, tradedOn, providerTid, cancelSeq, amountWon, originalWon, extras }) => {
      const times = amountWon / 10_000n;
      return {
        ...{ mid: of, tradedOn, providerTid, cancelSeq, amountWon, originalWon },
        ...{ tier: '1', cardType: '2', payOn: day, code: '00' },
        differenceWon: won('differenceWon', 143n * times),
        supplyWon: won('supplyWon', 130n * times),
        vatWon: won('vatWon', 13n * times),
        ...(extras === undefined ? {} : { extras }),
      };
    }),
  );
}
