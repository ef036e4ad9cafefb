import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenBreak, givenStatement } from '../../test/support/breaks.ts';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { addHoliday, removeHoliday } from '../calendar/store.ts';
import { isProblem, type Language } from '../kernel/problem.ts';
import { breakCommands } from './break-commands.ts';

let database: TestDatabase;
let first: number;
let second: number;
let late: number;
beforeAll(async () => {
  database = await testDatabase();
  const loadId = await givenStatement(database.pool);
  first = await givenBreak(database.pool, { loadId, line: 7, tid: 'KS001', differenceWon: -1_234_567n });
  second = await givenBreak(database.pool, { kind: 'missing_here', tid: 'KS002', cancelSeq: 1, differenceWon: 500n });
  late = await givenBreak(database.pool, { on: '2026-11-10', kind: 'unreadable', tid: null, differenceWon: null });
});
afterAll(() => database.close());

const world = {
  today: Temporal.PlainDate.from('2026-11-20'),
  providers: ['ksnet', 'welcome-online', 'welcome-offline'],
};

function breaks(line: string, language: Language = 'en') {
  const add = (...[program, context, output]: Parameters<Parameters<typeof runCommand>[2]>) =>
    breakCommands(program, context, () => ({ output, world }));
  return runCommand(database.pool, ['breaks', ...line.split(' ')], add, { language });
}

test('a list for people: aligned, with separators, named in their language, the total below', async () => {
  expect((await breaks('list --on 2026-11-20')).said.split('\n')).toEqual([
    'ID  Day         Provider  Stage        Kind            Provider TID  Line  Difference (won)  State  Assigned  Age',
    '──  ──────────  ────────  ───────────  ──────────────  ────────────  ────  ────────────────  ─────  ────────  ───',
    ` ${first}  2026-11-20  ksnet     Transaction  Amount differs  KS001            7        -1,234,567  open               0`,
    ` ${second}  2026-11-20  ksnet     Transaction  Missing here    KS002 /1         2              +500  open               0`,
    '2 breaks · total difference -1,234,067 won · in absolute terms 1,235,067 won',
    '',
  ]);
  const korean = (await breaks('list --limit 1', 'ko')).said;
  expect(korean).toContain('금액 불일치');
  expect(korean).toContain('전체 3건 중 1건 · 차액 합계 -1,234,067원');
});

test('JSON: the names of a planted truth, an amount as an integer or null', async () => {
  const rows = JSON.parse((await breaks('list --json')).said);
  expect(rows).toHaveLength(3);
  expect(Object.keys(rows[0])).toEqual(
    (
      'id provider stage on kind providerTid cancelSeq line file differenceWon state resolution assignedTo openedAt ' +
      'escalatedAt goneAt ageBusinessDays pass ours theirs'
    ).split(' '),
  );
  expect(rows[0]).toMatchObject({
    id: first,
    provider: 'ksnet',
    stage: 'transaction',
    on: '2026-11-20',
    kind: 'amount_differs',
    providerTid: 'KS001',
    line: 7,
    differenceWon: -1_234_567,
    file: 'KSNET_TRX_M1_20261120.csv',
    state: 'open',
    ageBusinessDays: 0,
  });
  expect(rows[2]).toMatchObject({ id: late, providerTid: null, differenceWon: null, ageBusinessDays: 8 });
  expect(JSON.parse((await breaks('list --on 2020-01-01 --json')).said)).toEqual([]);
});

test('a holiday that an operator adds counts at once, in ages, in lists by age and in what is done by age', async () => {
  const seven = 'list --older-than 7 --json';
  const aged = async () => JSON.parse((await breaks('list --on 2026-11-10 --json')).said)[0].ageBusinessDays;
  expect([await aged(), JSON.parse((await breaks(seven)).said).length]).toEqual([8, 1]);
  await addHoliday(database.pool, { day: '2026-11-18', name: '임시공휴일', recordedBy: 'kim', reason: '의결' });
  expect([await aged(), JSON.parse((await breaks(seven)).said).length]).toEqual([7, 0]);
  expect(JSON.parse((await breaks('comment --older-than 7 --why late --dry-run --json')).said).changed).toBe(0);
  expect(JSON.parse((await breaks('comment --older-than 6 --why late --dry-run --json')).said).changed).toBe(1);
  expect(JSON.parse((await breaks(`show ${late} --json`)).said).ageBusinessDays).toBe(7);
  await removeHoliday(database.pool, { day: '2026-11-18', name: '영업일', recordedBy: 'kim', reason: '취소' });
  expect(await aged()).toBe(8);
});

test.each([
  ['list --older-than 7 --json', 1],
  ['list --older-than 8 --json', 0],
  ['list --kind missing_here,unreadable --json', 2],
  ['list --kind missing_here unreadable --json', 2],
  ['list --min-won 1,000 --json', 1],
  ['list --json --limit 2', 2],
])('breaks %s gives %i', async (line, count) => {
  expect(JSON.parse((await breaks(line)).said)).toHaveLength(count);
});

test.each([
  ['list --on 2026-02-30', 'usage'],
  ['list --on 2026-11-20 --from 2026-11-01', 'usage'],
  ['list --kind timing', 'usage'],
  ['list --provider kcp', 'usage'],
  ['list --state closed', 'usage'],
  ['list --min-won -5', 'usage'],
  ['list --older-than soon', 'usage'],
  ['list --limit many', 'usage'],
  ['list --json --csv', 'usage'],
  ['list --all --limit 3', 'usage'],
  ['list --assigned kim --unassigned', 'usage'],
  ['show abc', 'usage'],
  ['show 999999', 'not_found'],
  ['assign 1', 'usage'],
  ['assign 1 --assignee kim --nobody', 'usage'],
  ['comment 1', 'usage'],
  ['resolve 1 --why x', 'usage'],
  ['resolve 1 --as matched_later --why x', 'usage'],
  ['resolve 1 --as written_off', 'usage'],
  ['resolve 1 --on 2026-11-20 --as written_off --why x', 'usage'],
  ['resolve --as written_off --why x', 'breaks_too_wide'],
  ['resolve --state open --as written_off --why x', 'breaks_too_wide'],
  ['resolve 999999 --as written_off --why x', 'not_found'],
] as const)('breaks %s is refused as %s', async (line, code) => {
  const refused = await breaks(line).catch((error: unknown) => error);
  expect([line, isProblem(refused, code)]).toEqual([line, true]);
});

test('one break: ours beside theirs, where it stands, and who did what', async () => {
  await breaks(`assign ${first} --assignee lee --by kim`);
  await breaks(`comment ${first} --why asked`);
  const { said } = await breaks(`show ${first}`);
  for (const part of [
    /KSNET_TRX_M1_20261120\.csv \(v1\)/,
    /Line +7/,
    /sha256 +(ab){32}/,
    /Amount +1,000 +2,000 +≠/,
    /kim +assigned +open +→ lee/,
    /operator +commented +open +asked/,
  ]) {
    expect(said).toMatch(part);
  }
  const json = JSON.parse((await breaks(`show ${first} --json`)).said);
  expect(json).toMatchObject({ id: first, differenceWon: -1_234_567, statement: { version: 1 } });
  expect(json.events.map((event: { action: string }) => event.action)).toEqual(['assigned', 'commented']);
});

test('many by filter: counted first, then done; who comes later is told', async () => {
  const line = 'resolve --kind missing_here --as accepted_by_provider --why late-file';
  expect((await breaks(`${line} --dry-run`)).said).toContain(
    'resolved: 1 break · total difference +500 won (nothing was done)',
  );
  expect(JSON.parse((await breaks(`${line} --json --by kim`)).said)).toEqual({
    action: 'resolve',
    dryRun: false,
    changed: 1,
    differenceWon: 500,
    refused: [],
  });
  const again = await breaks(`resolve ${second} ${late} --as written_off --why again`);
  expect(again.exitCode).toBe(1);
  expect(again.said).toMatch(/^resolved: 1 break/);
  expect(again.said).toMatch(
    new RegExp(`  ${second} left alone: already resolved · accepted by the provider \\(kim, `),
  );
});
