/** 건수의 종류. Whether something was taken in, brought forth or left aside; null: neither, such as parts. */
export type CountKind = 'read' | 'written' | 'skipped' | null;

export type Count = {
  /** As the step named it: `lines`, `inputs.rows`. */
  readonly name: string;
  readonly value: bigint;
  readonly kind: CountKind;
  /** Of what was read or written in a step that took a while. */
  readonly perSecond: number | null;
};

/** A result of many members is no list of counts. */
const countsMost = 40;
const depthMost = 3;

/** Names that tell one thing from another and count nothing. */
const noCount =
  /(^|\.)(id|ids|no|number|version|attempt|slot|part|port|pid|year|ppm|ms|milliseconds)$|[a-z](Id|Ids|No|Number|Version|Attempt|Slot|Part|Port|Pid|Year|Ppm|Ms|Milliseconds)$/;

const kindOfName: readonly (readonly [RegExp, Exclude<CountKind, null>])[] = [
  [/skip|held|refus|reject|aside|missing|waiting|duplicate|repeat|ineligible|expired|unknown|unread|late$/i, 'skipped'],
  [/^(lines|rows|read|records|listed|captures|candidates|answers|checked|ours|theirs|fetched|files|bytes)$/i, 'read'],
  [
    /writ|insert|added|changed|items|entries|claims|accept|payouts|merchants|settled|kept|removed|sent|matched|pairings|breaks|statements|terminated/i,
    'written',
  ],
];

/**
 * The whole numbers in what a step or a run returned, by their names: of a list of objects their sum, of a list of
 * anything else how many there are. Amounts in won are among them; what names a thing is not.
 */
export function countsOf(value: unknown): Readonly<Record<string, bigint>> {
  const counts = new Map<string, bigint>();
  collect(value, '', 0, counts);
  return Object.fromEntries([...counts].slice(0, countsMost));
}

function collect(value: unknown, name: string, depth: number, counts: Map<string, bigint>): void {
  if (depth > depthMost) return;
  const whole = toWhole(value);
  if (whole !== undefined) {
    if (!noCount.test(name)) counts.set(name === '' ? 'result' : name, (counts.get(name) ?? 0n) + whole);
    return;
  }
  if (Array.isArray(value)) {
    if (value.every((each) => typeof each === 'object' && each !== null)) {
      for (const each of value) collect(each, name, depth + 1, counts);
    } else if (name !== '') {
      counts.set(name, (counts.get(name) ?? 0n) + BigInt(value.length));
    }
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return;
  for (const [key, member] of Object.entries(value)) {
    collect(member, name === '' ? key : `${name}.${key}`, depth + 1, counts);
  }
}

function toWhole(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** Counts with their kinds, and rates where the time they took says anything. */
export function describeCounts(counts: Readonly<Record<string, bigint>>, milliseconds: number | null): Count[] {
  return Object.entries(counts).map(([name, value]) => {
    const kind = kindOf(name);
    const hasRate = kind !== null && kind !== 'skipped' && milliseconds !== null && milliseconds > 0 && value > 0n;
    return { name, value, kind, perSecond: hasRate ? Math.round((Number(value) * 1000) / milliseconds) : null };
  });
}

function kindOf(name: string): CountKind {
  if (isAmount(name)) return null;
  const last = name.slice(name.lastIndexOf('.') + 1);
  return kindOfName.find(([pattern]) => pattern.test(last))?.[1] ?? null;
}

/** Amounts are no counts: they are neither compared with the usual nor made a rate of. */
export function isAmount(name: string): boolean {
  return name.endsWith('Won');
}

/** What is compared with the usual: counts alone, each as far as a number holds it. */
export function comparable(counts: Readonly<Record<string, bigint>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counts)
      .filter(([name]) => !isAmount(name))
      .map(([name, value]) => [name, Number(value)]),
  );
}

export function sumCounts(all: readonly Readonly<Record<string, bigint>>[]): Readonly<Record<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (const counts of all) {
    for (const [name, value] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0n) + value);
  }
  return Object.fromEntries([...sums].slice(0, countsMost));
}
