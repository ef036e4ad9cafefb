import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatTable } from '../platform/terminal.ts';
import { fieldWord, valueWord } from './field-words.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * An answer for people: a table of a list's rows, of `columns` where it says them; of anything else its fields that say
 * something, and its lists below them.
 */
export function answerText(answer: unknown, language: Language, columns?: string): string {
  if (Array.isArray(answer)) return rowsText(answer as readonly unknown[], language, columns?.split(' '));
  if (!isFields(answer)) return answer === undefined || answer === null ? '' : `${String(answer)}\n`;
  const lists = Object.entries(answer).filter(([, value]) => Array.isArray(value) && value.some(isFields));
  const plain = flat(
    Object.fromEntries(Object.entries(answer).filter(([name]) => !lists.some(([list]) => list === name))),
  );
  const facts = Object.entries(plain)
    .filter(([, value]) => saysSomething(value))
    .map(([name, value]) => [fieldWord(name, language), cellText(value, name, language)]);
  const tables = lists.map(
    ([name, value]) => `${fieldWord(name, language)}\n${rowsText(value as readonly unknown[], language)}`,
  );
  return [
    ...(facts.length === 0
      ? []
      : [formatTable([{ title: language === 'ko' ? '항목' : 'Field' }, { title: '' }], facts)]),
    ...tables,
  ].join('\n');
}

/** A line of what happens while it is followed. */
export function eventText(happened: Fields, language: Language): string {
  const words = Object.values(flat(happened)).filter((value) => saysSomething(value) && !isFields(value));
  return `${words.map((value) => cellText(value, '', language)).join('  ')}\n`;
}

function rowsText(rows: readonly unknown[], language: Language, columns?: readonly string[]): string {
  if (rows.length === 0) return language === 'ko' ? '없음\n' : 'none\n';
  const flatRows = rows.map((row) => (isFields(row) ? flat(row) : { value: row }));
  const names = columns ?? [...new Set(flatRows.flatMap((row) => Object.keys(row)))];
  const shown = names.filter((name) => flatRows.some((row) => saysSomething(row[name])));
  const titles: Column[] = shown.map((name) => ({
    title: fieldWord(name, language),
    ...(flatRows.every((row) => typeof row[name] === 'number' || !saysSomething(row[name]))
      ? { align: 'right' as const }
      : {}),
  }));
  return formatTable(
    titles,
    flatRows.map((row) => shown.map((name) => cellText(row[name], name, language))),
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

function saysSomething(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}

const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
/** Numbers that name something are no amounts. */
const naming = /(^|\.)(id|number|line|pid|version|head|\w+(Id|No|Seq))$/;

function cellText(value: unknown, name: string, language: Language): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return language === 'ko' ? (value ? '예' : '아니요') : value ? 'yes' : 'no';
  if (typeof value === 'number' && Number.isSafeInteger(value) && !naming.test(name)) {
    return value.toLocaleString('en-US');
  }
  if (typeof value === 'string' && instant.test(value)) return formatSeoulTime(value);
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : valueWord(name, String(value), language);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
