import type { Language } from '../kernel/problem.ts';
import { type Column, formatTable } from '../platform/terminal.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An answer for people: a table of a list's rows; of anything else its fields, and its lists below them. */
export function answerText(answer: unknown, language: Language): string {
  if (Array.isArray(answer)) return rowsText(answer as readonly unknown[], language);
  if (!isFields(answer)) return answer === undefined || answer === null ? '' : `${String(answer)}\n`;
  const lists = Object.entries(answer).filter(([, value]) => Array.isArray(value) && value.some(isFields));
  const plain = flat(
    Object.fromEntries(Object.entries(answer).filter(([name]) => !lists.some(([list]) => list === name))),
  );
  const facts = Object.entries(plain).map(([name, value]) => [name, cellText(value)]);
  const tables = lists.map(([name, value]) => `${name}\n${rowsText(value as readonly unknown[], language)}`);
  return [
    ...(facts.length === 0
      ? []
      : [formatTable([{ title: language === 'ko' ? '항목' : 'Field' }, { title: '' }], facts)]),
    ...tables,
  ].join('\n');
}

function rowsText(rows: readonly unknown[], language: Language): string {
  if (rows.length === 0) return language === 'ko' ? '없음\n' : 'none\n';
  const flatRows = rows.map((row) => (isFields(row) ? flat(row) : { value: row }));
  const names = [...new Set(flatRows.flatMap((row) => Object.keys(row)))];
  const shown = names.filter((name) => flatRows.some((row) => row[name] !== null && row[name] !== undefined));
  const columns: Column[] = shown.map((name) => ({
    title: name,
    ...(flatRows.every((row) => typeof row[name] === 'number' || row[name] === null)
      ? { align: 'right' as const }
      : {}),
  }));
  return formatTable(
    columns,
    flatRows.map((row) => shown.map((name) => cellText(row[name]))),
  );
}

/** `{ file: { name } }` → `{ 'file.name' }`, one level deep. */
function flat(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      isFields(value) ? Object.entries(value).map(([inner, each]) => [`${name}.${inner}`, each]) : [[name, value]],
    ),
  );
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value.toLocaleString('en-US');
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
