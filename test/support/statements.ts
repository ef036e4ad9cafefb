import { encodeStatement } from '../../src/providers/layout/encode.ts';
import type { StatementRow } from '../../src/providers/layout/layout.ts';
import { welcomeOnline } from '../../src/providers/welcome-online.ts';

export const statementDay = Temporal.PlainDate.from('2026-11-20');

/** The `n`-th line of a made-up transaction statement; every tenth is a cancel of the one before it. */
export function transactionRow(n: number): StatementRow<'transaction'> {
  const isCancel = n % 10 === 9;
  const of = isCancel ? n - 1 : n;
  const amountWon = BigInt(1_000 + ((of * 7_919) % 900_000));
  const second = n % 86_400;
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    kind: isCancel ? 'C' : 'A',
    cancelSeq: isCancel ? 1 : 0,
    instalments: n % 4,
    tradedOn: statementDay.toString(),
    amountWon: isCancel ? -amountWon : amountWon,
    tradedTime: `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`,
    providerTid: `WPON${String(of).padStart(16, '0')}`,
    mid: `WEL${String(n % 500).padStart(7, '0')}`,
    approvalNo: String(30_000_000 + of),
    orderNo: `ORD-20261120-${String(of).padStart(10, '0')}`,
    acquirer: ['BC카드', '신한카드', '국민카드', '뷁카드'][n % 4] ?? '',
    cardMerchantNo: String(700_000_000 + (n % 500)),
    cardNo: `${400_000 + (n % 1000)}******${String(n % 10_000).padStart(4, '0')}`,
    extras: { shopName: '한빛상점 똠방각하' },
  };
}

/** `from`, …, `to` − 1. */
export function* numbers(from: number, to: number): Generator<number> {
  for (let n = from; n < to; n += 1) yield n;
}

/** The bytes of welcome-online's transaction statement with these lines of `transactionRow`; `spoiled` as when writing. */
export function transactionStatement(
  lines: Iterable<number>,
  spoiled: (lineNo: number) => string | undefined = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const rows = Iterator.from(lines).map(transactionRow);
  const { layout } = welcomeOnline.statements.transaction;
  return encodeStatement(layout, 'transaction', { on: statementDay, rows, spoiled });
}

/** The bytes of welcome-online's settlement statement: lines of 1000 won, fee 20, VAT 2, paid in so many days later. */
export function settlementStatement(payInAfterDays: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  const day = statementDay.toString();
  const rows = payInAfterDays.map((days, n) => ({
    kind: 'A',
    cancelSeq: 0,
    tradedOn: day,
    capturedOn: day,
    payInOn: statementDay.add({ days }).toString(),
    amountWon: 1000n,
    feeWon: 20n,
    vatWon: 2n,
    netWon: 978n,
    providerTid: `WPON${n}`,
    mid: 'WEL0000001',
    approvalNo: String(n),
    orderNo: '',
    acquirer: 'BC카드',
    cardMerchantNo: '700000001',
  }));
  const { layout } = welcomeOnline.statements.settlement;
  return encodeStatement(layout, 'settlement', { on: statementDay, rows });
}
