import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Codes, DifferentialProvider, FileSpec } from './differential.ts';
import {
  differentialOfChannel,
  differentialProviderNamed,
  differentialProviderOf,
  differentialProviders,
} from './differential-registry.ts';
import { hanbit } from './hanbit.fixture.ts';
import type { ExchangeRecord, ExchangeRow } from './layout/exchange-layout.ts';
import { decodeExchange, encodeExchange } from './layout/exchange-typed.ts';
import { providers } from './registry.ts';

/** The table of the documents, and what each code means to us: a accepted, c may be corrected and sent again, f final. */
const standard = `00 a, 01 c, 02 c, 03 f, 04 c, 05 c, 06 c, 07 c, 08 c, 09 c, 10 f, 11 c, 12 c, 13 f, 14 c`;
const documented: Readonly<Record<string, string>> = {
  ksnet: `${standard}, 15 f, 16 c, 17 f, 19 c, 20 f, 21 c, CC f, XX c`,
  welcome: `${standard}, 15 f, 99 c`,
  nice: `${standard}, 99 c`,
};

test.each(Object.entries(documented))('%s answers these codes', (id, codes) => {
  const known = Object.entries(differentialProviderOf(id).differential.codes);
  const listed = known.map(([code, { means }]) => `${code} ${means.charAt(0)}`);
  expect(listed.sort().join(', ')).toBe(codes);
  for (const [code, { ko, en }] of known) {
    expect(`${code} ${ko}`).toMatch(/[가-힣]/);
    expect(`${code} ${en}`).toMatch(/^\w\w [a-z][a-z: -]+$/i);
  }
});

test('the same code of two providers is two codes', () => {
  const meaning = (id: string) => (differentialProviderOf(id).differential.codes as Codes)['15']?.en;
  expect([meaning('welcome'), meaning('ksnet')]).toEqual(['positive difference after a full cancel', 'not eligible']);
});

test('the captures of each provider of payments are claimed from one, and only one', () => {
  const channels = differentialProviders.flatMap((provider) => provider.channels);
  expect(channels.toSorted()).toEqual(providers.map(({ id }) => id).toSorted());
  expect(differentialOfChannel('welcome-offline')?.id).toBe('welcome');
  expect(differentialOfChannel('nobody')).toBeUndefined();
});

test('no provider is known by name to what is done with all of them', () => {
  const root = new URL('../', import.meta.url).pathname;
  const common = globSync('{differential,platform,providers/layout}/**/*.ts', { cwd: root }).filter(
    (file) => !/\.(test|fixture)\.ts$/.test(file),
  );
  expect(common.length).toBeGreaterThan(100);
  const ids = [...differentialProviders, ...providers].map(({ id }) => id);
  const named = new RegExp(`['"\`](${ids.join('|')})['"\`]`);
  const code = (file: string) => readFileSync(`${root}${file}`, 'utf8').replaceAll(/^\s*(\/?\*|\/\/).*$/gm, '');
  expect(common.filter((file) => named.test(code(file)))).toEqual([]);
});

test('who is named wrongly is told who there is', () => {
  expect(differentialProviderNamed('nice').id).toBe('nice');
  const reason = '--provider welcome-online (ksnet, welcome, nice)';
  const usage = expect.objectContaining({ code: 'usage', details: { reason } });
  expect(() => differentialProviderNamed('welcome-online')).toThrow(usage);
  expect(() => differentialProviderOf('nobody')).toThrow(expect.objectContaining({ code: 'not_found' }));
});

/** What every provider must fulfil, a stranger's too. */
describe.each([...differentialProviders, hanbit as DifferentialProvider])('$id', ({ differential }) => {
  const { claims, validation, answers, registration, calendar, codes, resend } = differential;
  const files = [claims, validation, answers, registration?.request, registration?.answers].filter(
    (file) => file !== undefined,
  );

  test('names its files apart, by day, and by MID where there is one for each', () => {
    expect(new Set(files.map(({ fileName }) => fileName)).size).toBe(files.length);
    for (const { fileName, perMid } of files) {
      expect(fileName).toContain('{day}');
      expect(fileName.includes('{mid}')).toBe(perMid);
    }
    expect(answers.perMid).toBe(claims.perMid);
    expect(validation?.perMid ?? claims.perMid).toBe(claims.perMid);
  });

  test('uses each layout for what it is about', () => {
    expect(files.map(({ layout }) => layout.record)).toEqual(
      [
        'claim',
        validation && 'validation',
        'answer',
        ...(registration ? ['registration', 'registrationAnswer'] : []),
      ].flatMap((record) => record ?? []),
    );
  });

  test('has times that exist, and asks for answers before it gives up', () => {
    const times = [calendar.send.at, calendar.poll.at, calendar.deadline.at];
    for (const time of times) expect(time).toMatch(/^([01]\d|2[0-3]):[0-5]\d$/);
    expect(calendar.send.days).toBeGreaterThan(0);
    expect(calendar.deadline.businessDays).toBeGreaterThan(calendar.poll.days);
    expect(calendar.poll.everySeconds).toBeGreaterThanOrEqual(60);
    expect(calendar.tooOldDays).toBeGreaterThan(calendar.lookBackDays);
    expect(resend.attempts).toBeGreaterThan(0);
  });

  test('is data alone', () => {
    const inside = (value: unknown): unknown[] =>
      typeof value === 'object' && value !== null ? Object.values(value).flatMap(inside) : [value];
    const values = inside(differential);
    expect(values.length).toBeGreaterThan(100);
    expect(values.filter((value) => typeof value === 'function')).toEqual([]);
  });

  test('accepts by one code', () => {
    expect(Object.values(codes).filter(({ means }) => means === 'accepted')).toHaveLength(1);
  });
});

describe('a provider that nobody has met', () => {
  const head = { on: Temporal.PlainDate.from('2026-11-20'), biz: '1234567891' };
  const both = <R extends ExchangeRecord>({ layout, fileName }: FileSpec<R>, row: ExchangeRow<R>, file: string) => {
    expect(encodeExchange(layout, head, [row]).toString()).toBe(file);
    const expected = { ...head, provider: 'hanbit', fileName };
    expect(decodeExchange(layout, expected, Buffer.from(file)).rows).toEqual([{ lineNo: 2, ...row }]);
  };
  const key = { mid: 'HB1', providerTid: 'T-1', cancelSeq: 3, tradedOn: '2026-11-20' } as const;
  const amounts = { amountWon: -1_200n, originalWon: 5_000n } as const;

  test('is written and read by less than sixty lines of data', () => {
    const source = readFileSync(new URL('./hanbit.fixture.ts', import.meta.url), 'utf8');
    expect(source.trimEnd().split('\n').length).toBeLessThan(60);
    both(
      hanbit.differential.claims,
      {
        ...key,
        ...amounts,
        type: 'P',
        approvedOn: '2026-11-18',
        intermediaryNo: null,
        finalNo: '1018112341',
        orderNo: '한빛, 7',
      },
      'S|1234567891|2026-11-20\nD|HB1|T-1|3|2026-11-20|-1200|+5000|P|2026-11-18|1018112341|한빛, 7\nE|1|-1200\n',
    );
    both(
      hanbit.differential.answers,
      {
        ...key,
        ...amounts,
        tier: null,
        cardType: null,
        differenceWon: -14n,
        supplyWon: null,
        vatWon: null,
        payOn: '2026-11-25',
        code: 'OK',
      },
      'S|1234567891|2026-11-20\nD|HB1|T-1|3|2026-11-20|-1200|+5000|-14|2026-11-25|OK\nE|1|-1200\n',
    );
  });
});
