/** `node bench/parse/write.ts PROVIDER STAGE ROWS FILE`: writes a statement for the measurement of reading it. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeStatement } from '../../src/providers/layout/encode.ts';
import type { StatementRow } from '../../src/providers/layout/layout.ts';
import type { StatementSpec } from '../../src/providers/provider.ts';
import { providerOf } from '../../src/providers/registry.ts';
import type { Stage } from '../../src/providers/stage.ts';
import { mid, on } from './measure.ts';

const acquirers = ['신한카드', 'KB국민카드', '삼성카드', '비씨카드', 'NH농협카드'];

const [provider = '', stage = '', rows = '', file = ''] = process.argv.slice(2);
const spec = providerOf(provider).statements[stage as Stage] as StatementSpec;
const bytes = encodeStatement(spec.layout, stage as Stage, {
  on,
  mid,
  rows: rowsOf(stage as Stage, Number(rows), spec),
});
await pipeline(Readable.from(bytes), createWriteStream(file));

/** Payments of a day as they come: one in eight a cancel, a few MIDs, Hangul names. */
function* rowsOf(stage: Stage, rows: number, spec: StatementSpec): Generator<StatementRow> {
  for (let i = 0; i < rows; i += 1) {
    const sign = i % 8 === 7 ? -1n : 1n;
    const amountWon = sign * BigInt(1_000 + (i % 90_000) * 10);
    const key = {
      kind: sign < 0n ? 'C' : 'A',
      cancelSeq: sign < 0n ? 1 : 0,
      tradedOn: '2026-11-20',
      amountWon,
      providerTid: `WP20261120${String(i).padStart(12, '0')}`,
      mid: spec.perMid ? mid : `MID000${i % 7}`,
      approvalNo: String(10_000_000 + (i % 80_000_000)),
      orderNo: `ORD20261120${String(i).padStart(9, '0')}`,
      acquirer: acquirers[i % acquirers.length] as string,
      cardMerchantNo: '700000001',
    };
    const feeWon = amountWon / 50n;
    const vatWon = feeWon / 10n;
    const days = { capturedOn: '2026-11-20', payInOn: i % 3 === 0 ? '2026-11-24' : '2026-11-23' };
    if (stage === 'capture') yield { ...key, capturedOn: days.capturedOn, result: 'A', resultCode: '60' };
    else if (stage === 'settlement') yield { ...key, ...days, feeWon, vatWon, netWon: amountWon - feeWon - vatWon };
    else {
      const extras = { shopName: '해운대떡집 본점' };
      yield { ...key, instalments: 0, tradedTime: '12:34:56', cardNo: '411111******1234', extras };
    }
  }
}
