import { strFromU8, unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { type Cell, writeXlsx, type XlsxFacts } from './xlsx.ts';

const heads = [
  { title: 'Text', width: 10 },
  { title: 'Won', width: 12 },
  { title: 'Day', width: 12 },
];

async function written(rows: readonly (readonly Cell[])[], rowsMost?: number) {
  const facts: XlsxFacts = { rows: 0, sheets: 0 };
  const source = async function* () {
    yield* rows;
  };
  const chunks: Uint8Array[] = [];
  const options = { facts, ...(rowsMost === undefined ? {} : { rowsMost }) };
  for await (const chunk of writeXlsx('A & "B"', heads, source(), options)) chunks.push(chunk);
  const parts = unzipSync(Buffer.concat(chunks));
  const part = (name: string): string => strFromU8(parts[name] ?? new Uint8Array());
  return { facts, names: Object.keys(parts).sort(), part };
}

/** The cells of a sheet as `place` → [type, format, value]. */
function cells(sheet: string): Record<string, readonly [string, number, string]> {
  const found = sheet.matchAll(
    /<c r="(\w+)" s="(\d)"(?: t="(\w+)")?>(?:<is><t xml:space="preserve">([^<]*)<\/t><\/is>|<v>([^<]*)<\/v>)<\/c>/g,
  );
  return Object.fromEntries(
    [...found].map(([, place, format, type, text, value]) => [
      place,
      [type ?? 'n', Number(format), text ?? value ?? ''] as const,
    ]),
  );
}

test('amounts are numbers, days are dates, texts are texts whatever they begin with', async () => {
  const { part, names, facts } = await written([
    [
      { type: 'text', value: '=1+1 <&> _x0041_ \u0001' },
      { type: 'won', value: -1_234_567n },
      { type: 'day', value: '2026-11-20' },
    ],
    [
      { type: 'number', value: 5n },
      { type: 'won', value: 9_007_199_254_740_993n },
      { type: 'instant', value: '2026-11-20T15:00:00Z' },
    ],
    [null, null, null],
  ]);
  expect(names).toEqual([
    '[Content_Types].xml',
    '_rels/.rels',
    'xl/_rels/workbook.xml.rels',
    'xl/styles.xml',
    'xl/workbook.xml',
    'xl/worksheets/sheet1.xml',
  ]);
  const sheet = part('xl/worksheets/sheet1.xml');
  expect(cells(sheet)).toEqual({
    A1: ['inlineStr', 1, 'Text'],
    B1: ['inlineStr', 1, 'Won'],
    C1: ['inlineStr', 1, 'Day'],
    A2: ['inlineStr', 0, '=1+1 &lt;&amp;&gt; _x005F_x0041_ _x0001_'],
    B2: ['n', 3, '-1234567'],
    C2: ['n', 4, '46346'], // as spreadsheets have it: 2026-11-20
    A3: ['n', 2, '5'],
    B3: ['inlineStr', 0, '9007199254740993'], // sixteen digits: exact as text only
    C3: ['n', 5, '46347.00000000'], // midnight in Seoul
  });
  expect(sheet).toContain('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>');
  expect(sheet).toContain('<autoFilter ref="A1:C4"/>');
  expect(part('xl/workbook.xml')).toContain('<sheet name="A &amp; &quot;B&quot;" sheetId="1" r:id="sheet1"/>');
  expect(facts).toEqual({ rows: 3, sheets: 1 });
});

test.each([
  // rows, most on a sheet, sheets
  [0, 10, 1],
  [10, 10, 1],
  [11, 10, 2],
  [1201, 600, 3],
])('%i rows with at most %i on a sheet take %i sheets, and none is lost', async (rows, most, sheets) => {
  const { facts, part, names } = await written(
    Array.from({ length: rows }, (_, i): Cell[] => [{ type: 'number', value: BigInt(i) }, null, null]),
    most,
  );
  expect(facts).toEqual({ rows, sheets });
  const values = Array.from({ length: sheets }, (_, n) =>
    Object.values(cells(part(`xl/worksheets/sheet${n + 1}.xml`)))
      .filter(([type]) => type === 'n')
      .map(([, , value]) => Number(value)),
  ).flat();
  expect(values).toEqual(Array.from({ length: rows }, (_, i) => i));
  expect(names.filter((name) => name.includes('worksheets'))).toHaveLength(sheets);
  if (sheets > 1) expect(part('xl/workbook.xml')).toContain(`name="A &amp; &quot;B&quot; ${sheets}"`);
});

test('a failing source fails the file', async () => {
  const source = async function* (): AsyncGenerator<Cell[]> {
    yield [];
    throw new Error('the database went away');
  };
  const take = async () => {
    for await (const _ of writeXlsx('x', heads, source(), { facts: { rows: 0, sheets: 0 } }));
  };
  await expect(take()).rejects.toThrow('the database went away');
});
