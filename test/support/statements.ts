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

function* transactionRows(from: number, to: number): Generator<StatementRow<'transaction'>> {
  for (let n = from; n < to; n += 1) yield transactionRow(n);
}

/** The bytes of welcome-online's transaction statement with the lines `from` to before `to`; `spoiled` as when writing. */
export function transactionStatement(
  from: number,
  to: number,
  spoiled?: (lineNo: number) => string | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const content = { on: statementDay, rows: transactionRows(from, to), ...(spoiled ? { spoiled } : {}) };
  return encodeStatement(welcomeOnline.statements.transaction.layout, 'transaction', content);
}
