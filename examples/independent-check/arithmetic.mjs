// Numbers, files and days as this check understands them: whole and broken numbers without floats, CSV, and the calendar.

/** A broken number as numerator and denominator (above 0). */
export const ratio = (n, d = 1n) => ({ n, d });
export const times = (a, b) => ratio(a.n * b.n, a.d * b.d);

/** `1.15%` as 115/10000. */
export function percent(text) {
  const [, whole, digits = ''] = /^(\d+)(?:\.(\d+))?%$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`not a rate: ${text}`);
  return ratio(BigInt(whole + digits), 100n * 10n ** BigInt(digits.length));
}

/** A number that is not negative to whole won: floor, half_up, half_even. */
export function rounded({ n, d }, mode) {
  const whole = n / d;
  const twice = 2n * (n - whole * d);
  if (mode === 'floor' || twice < d) return whole;
  if (twice > d || mode === 'half_up') return whole + 1n;
  return whole % 2n === 0n ? whole : whole + 1n;
}

/** The records of a CSV text by the names in its first line; quoted values may hold commas, quotes and line breaks. */
export function readCsv(text) {
  const rows = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy;
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (found === null) throw new Error(`CSV that cannot be read in record ${rows.length}`);
    const [, quoted, plain, end] = found;
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  const [names, ...records] = rows.filter((row) => row.length > 0);
  return records.map((record) => {
    if (record.length !== names.length)
      throw new Error(`${record.length} values instead of ${names.length}: ${record}`);
    return Object.fromEntries(names.map((name, n) => [name, record[n]]));
  });
}

/** Rows by a key of theirs, in their order. */
export function grouped(rows, keyOf) {
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

/** Closed weekdays of the months that a sandbox world lies in, as the gazette has them. */
const holidays = new Set([
  '2026-09-24', // 추석
  '2026-09-25', // 추석
  '2026-10-05', // 개천절 대체공휴일
  '2026-10-09', // 한글날
  '2026-12-25', // 기독탄신일
  '2027-01-01', // 1월 1일
  '2027-02-08', // 설날
  '2027-02-09', // 설날 대체공휴일
]);
const known = { from: '2026-09-01', to: '2027-02-28' };

/** Days are `YYYY-MM-DD`, and days and times, all in Seoul, are compared as the texts that they are. */
export function plusDays(day, count) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** 0 is Sunday. */
export const weekday = (day) => new Date(`${day}T00:00:00Z`).getUTCDay();

export function isOpen(day) {
  if (day < known.from || day > known.to) throw new Error(`the holidays of ${day} are not written down in this check`);
  return weekday(day) !== 0 && weekday(day) !== 6 && !holidays.has(day);
}

/** The first open day at or after (`step` 1) or before (−1) a day. */
export function openDay(day, step) {
  let at = day;
  while (!isOpen(at)) at = plusDays(at, step);
  return at;
}

/** The day that is so many business days after one; for 0 the day itself or, where it is closed, the next open one. */
export function businessDaysAfter(day, count) {
  if (count === 0) return openDay(day, 1);
  let at = day;
  for (let left = count; left > 0; left -= 1) at = openDay(plusDays(at, 1), 1);
  return at;
}

/** The day of that number in the month of `day`, or the month's last. */
export function dayOfMonth(day, number) {
  const [year, month] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return `${day.slice(0, 8)}${String(Math.min(number, last)).padStart(2, '0')}`;
}

export const nextMonth = (day) => plusDays(dayOfMonth(day, 31), 1);
export const previousMonth = (day) => plusDays(`${day.slice(0, 8)}01`, -1).slice(0, 7);
