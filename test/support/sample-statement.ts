import { expect } from 'vitest';
import { Problem } from '../../src/kernel/problem.ts';
import { ksnet } from '../../src/providers/ksnet.ts';
import type { StatementLayout, StatementRow } from '../../src/providers/layout/layout.ts';
import { welcomeOnline } from '../../src/providers/welcome-online.ts';
import { encodeAll, expectedFile, readHot, readPlain } from './statement-reading.ts';

/** Both ways of reading must say the same; what they say. */
export function read(
  layout: StatementLayout,
  bytes: Buffer,
  mid?: string,
): { unreadable: unknown } | { code: string; details: unknown } {
  const expected = expectedFile(layout.stage, mid === undefined ? {} : { mid });
  const says = (reads: () => { facts: { unreadable: unknown } }) => {
    try {
      return { unreadable: reads().facts.unreadable };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { code: error.code, details: error.details };
    }
  };
  const hot = says(() => readHot(layout, [bytes], expected));
  expect(says(() => readPlain(layout, [bytes], expected))).toEqual(hot);
  return hot;
}

export const row = (more: Partial<StatementRow<'transaction'>> = {}): StatementRow<'transaction'> => ({
  kind: 'A',
  cancelSeq: 0,
  instalments: 0,
  tradedOn: '2026-11-20',
  amountWon: 10_000n,
  tradedTime: '10:20:30',
  providerTid: 'WP0000000000000000000001',
  mid: 'M1',
  approvalNo: '12345678',
  orderNo: 'ORD1',
  acquirer: '신한카드',
  cardMerchantNo: '700000001',
  cardNo: '411111******1234',
  extras: { shopName: '뷁스퀘어' },
  ...more,
});

export const fixed = welcomeOnline.statements.transaction.layout;
/** Header, two lines and a trailer of 201 bytes each: line n begins at (n − 1) × 201. */
export const fixedFile = await encodeAll(fixed, [
  row(),
  row({ providerTid: 'WP0000000000000000000002', kind: 'C', cancelSeq: 1, amountWon: -500n }),
]);
export const record = 201;
export const csv = ksnet.statements.transaction.layout;
export const csvFile = await encodeAll(
  csv,
  [row(), row({ providerTid: 'K2', kind: 'C', cancelSeq: 1, amountWon: -500n })],
  'M1',
);
export const csvLines = csvFile.toString('latin1').split('\r\n').slice(0, -1);

export type Edit = (bytes: Buffer) => Buffer;
export const put =
  (at: number, written: string | Buffer): Edit =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    Buffer.from(written as string, 'latin1').copy(copy, at);
    return copy;
  };
export const offset = (line: number, name: string) => {
  const records = [fixed.header, fixed.data[0], fixed.trailer];
  const at = records[line === 1 ? 0 : line === 4 ? 2 : 1]?.fields.find((field) => field.name === name)?.offset ?? 0;
  return (line - 1) * record + at;
};
