import { describe, expect, test } from 'vitest';
import { encodeAll, expectedFile, readHot, readPlain } from '../../test/support/statement-reading.ts';
import { encodeStatement } from './layout/encode.ts';
import type { StatementLayout, StatementRow } from './layout/layout.ts';
import type { StatementSpec } from './provider.ts';
import { providerNamed, providerOf, providers, reconciledProviders } from './registry.ts';
import type { Stage } from './stage.ts';

/** Everything every provider must fulfil, whatever its layouts. */
type Case = { readonly name: string; readonly provider: string; readonly stage: Stage; readonly spec: StatementSpec };

const cases: readonly Case[] = providers.flatMap(({ id, statements }) =>
  Object.entries(statements).map(([stage, spec]) => ({
    name: `${id} ${stage}`,
    provider: id,
    stage: stage as Stage,
    spec: spec as StatementSpec,
  })),
);
const mid = 'MID0000001';

/** An approval, its cancels and an acquirer whose name needs CP949, as rows of the stage without what it cannot hold. */
function rowsFor(stage: Stage, layout: StatementLayout): readonly StatementRow[] {
  const lines = [
    { kind: 'A', cancelSeq: 0, amountWon: 1_234_500n, feeWon: 12_345n, vatWon: 1_234n, netWon: 1_220_921n },
    { kind: 'C', cancelSeq: 1, amountWon: -1n, feeWon: 0n, vatWon: 0n, netWon: -1n },
    {
      kind: stage === 'transaction' ? 'P' : 'C',
      cancelSeq: 12,
      amountWon: -99_000n,
      feeWon: -990n,
      vatWon: -99n,
      netWon: -97_911n,
    },
  ];
  const isLoaded = (column: string) =>
    layout.data[0]?.columns.some(({ name, source }) => name === column && source.from !== 'constant');
  return lines.map((line) => {
    const key = { ...line, mid, tradedOn: '2026-02-28', providerTid: `TID${line.cancelSeq}`, approvalNo: '00012345' };
    const card = { acquirer: '펲카드', cardMerchantNo: '700000001', orderNo: isLoaded('orderNo') ? 'ORD-7' : '' };
    const days = { capturedOn: '2026-11-20', payInOn: '2026-11-24' };
    const { feeWon: _fee, vatWon: _vat, netWon: _net, ...plain } = key;
    const extras = layout.data[0]?.fields.some(({ name }) => name === 'shopName')
      ? { extras: { shopName: '뷁, "똠"' } }
      : {};
    const terminal = layout.data[0]?.fields.some(({ name }) => name === 'terminalNo')
      ? { extras: { terminalNo: 'T7' } }
      : {};
    if (stage === 'capture') return { ...plain, ...card, capturedOn: days.capturedOn, result: 'A', resultCode: '60' };
    if (stage === 'settlement') return { ...key, ...card, ...days };
    return {
      ...plain,
      ...card,
      ...extras,
      ...terminal,
      instalments: 12,
      tradedTime: '23:59:59',
      cardNo: '411111******0001',
    };
  });
}

describe.each(cases)('$name', ({ provider, stage, spec }) => {
  const { layout } = spec;
  const expected = expectedFile(stage, { provider, mid });

  test('its layout is of its stage, and its files are named by day, and by MID where there is one for each', () => {
    expect(layout.stage).toBe(stage);
    expect(spec.fileName).toContain('{day}');
    expect(spec.fileName.includes('{mid}')).toBe(spec.perMid);
    expect(layout.header.fields.some(({ name }) => name === 'mid')).toBe(spec.perMid);
  });

  test('what it writes is what both readings read', async () => {
    const rows = rowsFor(stage, layout);
    const bytes = await encodeAll(layout, rows, mid);
    const lines = rows.map((row, at) => ({ lineNo: at + 2, ...row }));
    expect(readPlain(layout, [bytes], expected).rows).toEqual(lines);
    const { rows: tuples, facts } = readHot(layout, [bytes], expected);
    expect(tuples).toEqual(lines.map(({ extras: _, ...columns }) => ({ loadId: 7, ...columns })));
    expect(facts).toMatchObject({
      lines: 3,
      declaredWon: 1_135_499n,
      amountWon: 1_135_499n,
      mids: [mid],
      unreadable: [],
      suspects: [],
    });
    const payIn = [
      { payInOn: '2026-11-24', lines: 3, amountWon: 1_135_499n, feeWon: 11_355n, vatWon: 1_135n, netWon: 1_123_009n },
    ];
    expect(facts.payIn).toEqual(stage === 'settlement' ? payIn : []);
  });

  test('a day without business is a file too', async () => {
    expect(readHot(layout, [await encodeAll(layout, [], mid)], expected).facts).toMatchObject({
      lines: 0,
      declaredWon: 0n,
    });
  });

  test('a line that comes twice is a suspect', async () => {
    const rows = rowsFor(stage, layout);
    const bytes = await encodeAll(layout, [...rows, ...rows.slice(1, 2)], mid);
    expect(readHot(layout, [bytes], expected).facts.suspects).toEqual([
      { lineNo: 5, providerTid: 'TID1', cancelSeq: 1 },
    ]);
  });

  test('a line the simulator spoils is set aside, with its key', async () => {
    const spoiled = (line: number) => (line === 3 ? 'amountWon' : undefined);
    const blocks: Buffer[] = [];
    for await (const block of encodeStatement(layout, stage, {
      on: expected.on,
      mid,
      rows: rowsFor(stage, layout),
      spoiled,
    })) {
      blocks.push(block);
    }
    const [line] = readHot(layout, blocks, expected).facts.unreadable;
    expect(line).toMatchObject({
      lineNo: 3,
      field: 'amountWon',
      problem: 'not_a_number',
      providerTid: 'TID1',
      cancelSeq: 1,
    });
  });

  test.each(cases.filter((other) => other.spec.layout !== layout))('is not taken for $name', async (other) => {
    const bytes = await encodeAll(layout, rowsFor(stage, layout), mid);
    expect(() =>
      readHot(other.spec.layout, [bytes], expectedFile(other.stage, { provider: other.provider, mid })),
    ).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^statement_(other_file|width|record_type|header_missing|malformed)$/),
      }),
    );
  });
});

test('an unknown provider is not found', () => {
  expect(providerOf('ksnet').id).toBe('ksnet');
  expect(() => providerOf('nobody')).toThrow(expect.objectContaining({ code: 'not_found' }));
});

test('a provider that sends no statements is one of them, but nobody waits for its files', () => {
  expect(providers.map(({ id }) => id)).toEqual(['ksnet', 'welcome-online', 'welcome-offline', 'nice']);
  expect(reconciledProviders.map(({ id }) => id)).toEqual(['ksnet', 'welcome-online', 'welcome-offline']);
  expect(providerNamed('nice').method).toBe('card_online');
  expect(() => providerNamed('nice', reconciledProviders)).toThrow(
    expect.objectContaining({
      code: 'usage',
      details: { reason: '--provider nice (ksnet, welcome-online, welcome-offline)' },
    }),
  );
});
