import { crc32, createDeflateRaw } from 'node:zlib';
import { Zip, type ZipInputFile } from 'fflate';
import { seoul } from '../kernel/business-day.ts';

/** A cell of a sheet: its type decides how it is written. Amounts are exact; a day is `YYYY-MM-DD`. */
export type Cell =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'number'; readonly value: bigint }
  | { readonly type: 'won'; readonly value: bigint }
  | { readonly type: 'day'; readonly value: string }
  | { readonly type: 'instant'; readonly value: string }
  | null;

/** `width` in characters. */
export type SheetHead = { readonly title: string; readonly width: number };

/** What was written, known once the last byte was taken. */
export type XlsxFacts = { rows: number; sheets: number };

/** Excel's own limit on rows, less the header. */
const sheetRowsMost = 1_048_575;
/** Rows that are turned into XML at a time. */
const batchRows = 500;

/**
 * An XLSX file as a stream of bytes, in constant memory whatever the number of rows: amounts as numbers, days as
 * dates, the header frozen, with a filter. What does not fit on one sheet goes on to the next. Texts are marked as
 * texts, so that none is ever taken for a formula.
 */
export async function* writeXlsx(
  sheetName: string,
  heads: readonly SheetHead[],
  rows: AsyncIterable<readonly Cell[]>,
  { facts, rowsMost = sheetRowsMost }: { readonly facts: XlsxFacts; readonly rowsMost?: number },
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    ready.push(chunk);
  });
  const source = rows[Symbol.asyncIterator]();
  let next = await source.next();
  try {
    do {
      facts.sheets += 1;
      const sheet = async function* (): AsyncGenerator<string> {
        yield sheetStart(heads, facts.sheets === 1);
        let count = 1;
        let xml = '';
        for (; !next.done && count <= rowsMost; next = await source.next()) {
          count += 1;
          xml += rowXml(next.value, count);
          if (count % batchRows === 0) {
            yield xml;
            xml = '';
          }
        }
        facts.rows += count - 1;
        yield `${xml}</sheetData><autoFilter ref="A1:${columnName(heads.length - 1)}${count}"/></worksheet>`;
      };
      yield* zipped(zip, ready, `xl/worksheets/sheet${facts.sheets}.xml`, sheet());
    } while (!next.done);
  } finally {
    await source.return?.();
  }
  for (const [name, xml] of bookParts(sheetName, facts.sheets)) yield* zipped(zip, ready, name, [xml]);
  zip.end();
  yield* ready.splice(0);
}

/** One file of the archive, compressed natively while it is made. */
async function* zipped(
  zip: Zip,
  ready: Uint8Array[],
  filename: string,
  texts: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Uint8Array> {
  const file: ZipInputFile = { filename, size: 0, crc: 0, compression: 8, mtime: epoch };
  zip.add(file);
  const deflate = createDeflateRaw({ level: 3 });
  const fed = (async () => {
    for await (const text of texts) {
      const bytes = Buffer.from(text);
      file.size += bytes.length;
      file.crc = crc32(bytes, file.crc);
      if (!deflate.write(bytes)) await new Promise((resolve) => deflate.once('drain', resolve));
    }
    deflate.end();
  })();
  fed.catch((error: Error) => deflate.destroy(error));
  for await (const chunk of deflate as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    file.ondata?.(null, chunk, false);
    yield* ready.splice(0);
  }
  await fed;
  file.ondata?.(null, new Uint8Array(0), true);
  yield* ready.splice(0);
}

/** The same breaks give the same bytes. */
const epoch = new Date(1980, 0, 1);

const xmlHead = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packageSpace = 'http://schemas.openxmlformats.org/package/2006';

function sheetStart(heads: readonly SheetHead[], selected: boolean): string {
  const cols = heads.map(({ width }, i) => `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`);
  const titles = heads.map(({ title }, i) => textCell(`${columnName(i)}1`, title, style.head));
  return (
    `${xmlHead}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"${selected ? ' tabSelected="1"' : ''}>` +
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>' +
    `<cols>${cols.join('')}</cols><sheetData><row r="1">${titles.join('')}</row>`
  );
}

function rowXml(cells: readonly Cell[], row: number): string {
  return `<row r="${row}">${cells.map((cell, i) => cellXml(cell, `${columnName(i)}${row}`)).join('')}</row>`;
}

/** The places of `styleSheet`'s cell formats. */
const style = { head: 1, number: 2, won: 3, day: 4, instant: 5 } as const;

/** Excel keeps fifteen digits of a number; a longer one is written as text rather than changed. */
const exactMost = 999_999_999_999_999n;

function cellXml(cell: Cell, place: string): string {
  if (cell === null) return '';
  switch (cell.type) {
    case 'text':
      return textCell(place, cell.value);
    case 'number':
    case 'won':
      return cell.value > exactMost || cell.value < -exactMost
        ? textCell(place, String(cell.value))
        : `<c r="${place}" s="${style[cell.type]}"><v>${cell.value}</v></c>`;
    case 'day':
      return `<c r="${place}" s="${style.day}"><v>${daySerial(Temporal.PlainDate.from(cell.value))}</v></c>`;
    case 'instant':
      return `<c r="${place}" s="${style.instant}"><v>${instantSerial(cell.value)}</v></c>`;
  }
}

function textCell(place: string, text: string, format: number = 0): string {
  return `<c r="${place}" s="${format}" t="inlineStr"><is><t xml:space="preserve">${xmlText(text)}</t></is></c>`;
}

/** Days since 1899-12-30: what Excel's dates come to after 1900-02-28. */
function daySerial(day: Temporal.PlainDate): number {
  return day.since('1899-12-30', { largestUnit: 'days' }).days;
}

/** A sheet's times have no zone: they are those of Seoul. */
function instantSerial(instant: string): string {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(seoul);
  const seconds = local.hour * 3600 + local.minute * 60 + local.second;
  return (daySerial(local.toPlainDate()) + seconds / 86_400).toFixed(8);
}

/** Excel's limit on a cell; the CSV has the whole. */
const textMost = 32_767;

/** Characters that XML has no place for are written as Excel writes them: `_x0001_`. */
function xmlText(text: string): string {
  const kept = text.length > textMost ? `${text.slice(0, textMost - 1)}…` : text;
  return kept
    .toWellFormed()
    .replace(/_x[0-9a-fA-F]{4}_/g, '_x005F$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[^\t\n\u0020-\ufffd\u{10000}-\u{10ffff}]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `_x${code.toString(16).toUpperCase().padStart(4, '0')}_`;
    });
}

/** `0` → `A`, `26` → `AA`. */
function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

function bookParts(sheetName: string, sheets: number): readonly (readonly [string, string])[] {
  const numbers = Array.from({ length: sheets }, (_, i) => i + 1);
  const title = (n: number): string =>
    xmlText(sheets === 1 ? sheetName : `${sheetName} ${n}`).replaceAll('"', '&quot;');
  const type = (part: string, kind: string): string =>
    `<Override PartName="/xl/${part}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml"/>`;
  const relation = (id: string, kind: string, target: string): string =>
    `<Relationship Id="${id}" Type="${relations}/${kind}" Target="${target}"/>`;
  const relationList = (list: readonly string[]): string =>
    `${xmlHead}<Relationships xmlns="${packageSpace}/relationships">${list.join('')}</Relationships>`;
  return [
    [
      '[Content_Types].xml',
      `${xmlHead}<Types xmlns="${packageSpace}/content-types"><Default Extension="rels" ` +
        `ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ` +
        `ContentType="application/xml"/>${type('workbook', 'sheet.main')}${type('styles', 'styles')}` +
        `${numbers.map((n) => type(`worksheets/sheet${n}`, 'worksheet')).join('')}</Types>`,
    ],
    ['_rels/.rels', relationList([relation('book', 'officeDocument', 'xl/workbook.xml')])],
    [
      'xl/workbook.xml',
      `${xmlHead}<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${numbers
        .map((n) => `<sheet name="${title(n)}" sheetId="${n}" r:id="sheet${n}"/>`)
        .join('')}</sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      relationList([
        ...numbers.map((n) => relation(`sheet${n}`, 'worksheet', `worksheets/sheet${n}.xml`)),
        relation('styles', 'styles', 'styles.xml'),
      ]),
    ],
    ['xl/styles.xml', styleSheet],
  ];
}

/** Cell formats in the order of `style`: usual, header, whole number, won, day, day with time. */
const styleSheet =
  `${xmlHead}<styleSheet xmlns="${main}"><numFmts count="3"><numFmt numFmtId="164" formatCode="#,##0;[Red]\\-#,##0"/>` +
  '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="166" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>' +
  '<fonts count="2"><font><sz val="10"/><name val="Malgun Gothic"/></font><font><b/><sz val="10"/><name val="Malgun Gothic"/></font></fonts>' +
  '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>' +
  '<fill><patternFill patternType="solid"><fgColor rgb="FFE9EDF3"/></patternFill></fill></fills>' +
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6"><xf xfId="0"/>' +
  '<xf xfId="0" fontId="1" fillId="2" applyFont="1" applyFill="1"/><xf xfId="0" numFmtId="1" applyNumberFormat="1"/>' +
  '<xf xfId="0" numFmtId="164" applyNumberFormat="1"/><xf xfId="0" numFmtId="165" applyNumberFormat="1"/>' +
  '<xf xfId="0" numFmtId="166" applyNumberFormat="1"/></cellXfs>' +
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';
