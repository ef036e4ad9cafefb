import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reconcileNaively } from '../../test/support/naive-reconciliation.ts';
import { score } from '../../test/support/score.ts';
import { readWorldFiles, type TheirLine, type WorldFiles } from '../../test/support/world-files.ts';
import { addBusinessDays } from '../kernel/business-day.ts';
import { isProblem } from '../kernel/problem.ts';
import { koreanHolidays } from '../platform/holidays.ts';
import { providerOf } from '../providers/registry.ts';
import { generateWorld, type WorldSummary } from './generate.ts';
import { businessNoOf } from './merchant.ts';
import { defaultFrom, type WorldSpec } from './world.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-world-'));
});
afterEach(() => rm(folder, { recursive: true }));

const spec = { seed: '1', days: 3, payments: 2_000, breaks: 0.02, from: defaultFrom };

async function generate(change: Partial<WorldSpec> = {}): Promise<{ summary: WorldSummary; files: WorldFiles }> {
  const summary = await generateWorld({ ...spec, ...change, into: folder });
  return { summary, files: readWorldFiles(folder) };
}

/** The SHA-256 of every file of the world by its path. */
async function digests(): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const files = names.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  const digest = async (file: string): Promise<[string, string]> => [
    path.relative(folder, file),
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  ];
  return Object.fromEntries(await Promise.all(files.map(digest)));
}

describe('the bytes of a world', () => {
  test('are the same for the same spec, in one thread and in several, and over what lay there before', async () => {
    const big = { ...spec, days: 2, payments: 16_000 };
    await generateWorld({ ...big, into: folder });
    const first = await digests();
    await generateWorld({ ...spec, into: folder });
    const small = await digests();
    await generateWorld({ ...big, into: folder });
    expect(await digests()).toEqual(first);
    await generateWorld({ ...spec, into: folder });
    expect(await digests()).toEqual(small);
    expect(Object.keys(first)).toContain('ksnet/KSNET_CAP_2999100003_20261119.csv.done');
    expect(Object.keys(first).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('are others for another seed', async () => {
    await generateWorld({ ...spec, into: folder });
    const first = await digests();
    await generateWorld({ ...spec, seed: '2', into: folder });
    const second = await digests();
    const same = Object.keys(first).filter((name) => first[name] === second[name] && !name.endsWith('.done'));
    // Which BIN is of which card, and who sells through whom, is no matter of chance.
    expect(same.sort()).toEqual(['card-bins.csv', 'sub-merchants.csv']);
  });

  test('never take the place of files that are no world', async () => {
    await writeFile(path.join(folder, 'thesis.txt'), 'irreplaceable');
    const refused = generateWorld({ ...spec, into: folder });
    await expect(refused).rejects.toSatisfy((error) => isProblem(error, 'world_folder_in_use'));
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });
});

/** Worlds over a weekend, over the year's end, long and short, dense and sparse. */
const worlds: readonly Partial<WorldSpec>[] = [
  ...['1', '2', '3', '4', '한글', 'six'].map((seed) => ({ seed })),
  { seed: '7', breaks: 5 },
  { seed: '8', days: 1 },
  { seed: '9', days: 6, from: Temporal.PlainDate.from('2026-12-29') },
  { seed: '10', days: 5, payments: 500, breaks: 1 },
  { seed: '11', days: 2, payments: 30 },
  { seed: '12', payments: 8_000, breaks: 0.001 },
  { seed: '13', breaks: 0 },
];

describe.each(worlds)('a world of %o', (change) => {
  test('1. every difference in its files is in the truth, and the truth holds nothing else', async () => {
    const { files, summary } = await generate(change);
    const found = reconcileNaively(files);
    const timing = (of: { readonly kind: string }): boolean => of.kind === 'timing';
    // The score leaves timing out, since it is no break; here it must agree as well.
    const result = score(
      [...found.differences, ...found.differences.filter(timing).map((one) => ({ ...one, kind: 'timing, too' }))],
      [...files.truth, ...files.truth.filter(timing).map((one) => ({ ...one, kind: 'timing, too' }))],
    );
    expect(result.missed).toEqual([]);
    expect(result.invented.filter((one) => !timing(one))).toEqual([]);
    expect({ released: found.released, weak: found.weak }).toEqual({
      released: summary.released,
      weak: summary.weakMatches,
    });
  });
});

describe('a world', () => {
  test('2. plants every kind in every stage where it can occur, as many as it says', async () => {
    const { files, summary } = await generate();
    const counted: Record<string, Record<string, Record<string, number>>> = {};
    for (const { provider, stage, kind } of files.truth) {
      counted[provider] ??= {};
      const stages = counted[provider];
      stages[stage] ??= {};
      const kinds = stages[stage];
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    expect(summary.planted).toEqual(counted);
    const transaction = [
      'amount_differs',
      'date_differs',
      'duplicate',
      'missing_at_provider',
      'missing_here',
      'status_differs',
      'timing',
      'unreadable',
    ];
    const settlement = [
      'amount_differs',
      'duplicate',
      'fee_differs',
      'missing_at_provider',
      'missing_here',
      'net_differs',
      'vat_differs',
    ];
    const capture = [
      'amount_differs',
      'capture_held',
      'capture_rejected',
      'duplicate',
      'missing_at_provider',
      'missing_here',
      'unreadable',
    ];
    const kindsOf = (provider: string, stage: string): string[] => Object.keys(counted[provider]?.[stage] ?? {}).sort();
    for (const provider of summary.providers) {
      expect(kindsOf(provider, 'transaction')).toEqual(transaction);
      expect(kindsOf(provider, 'settlement')).toEqual(settlement);
    }
    expect(kindsOf('ksnet', 'capture')).toEqual(capture);
    expect(files.truth.some(({ kind }) => kind === 'deposit_differs')).toBe(true);
    expect(summary.released).toBeGreaterThan(0);
    expect(summary.weakMatches).toBeGreaterThan(0);
  });

  test('3. plants at most one difference on a payment, over all stages', async () => {
    const { files } = await generate();
    const tids = files.truth.flatMap(({ provider, providerTid }) =>
      providerTid === null ? [] : `${provider} ${providerTid}`,
    );
    expect(new Set(tids).size).toBe(tids.length);
  });

  test('4. plants cancels too, and around both sides of midnight', async () => {
    const { files } = await generate();
    const cancelled = files.truth.filter(
      ({ kind, differenceWon }) => kind === 'missing_at_provider' && Number(differenceWon) > 0,
    );
    expect(cancelled.length).toBeGreaterThan(0);
    const lines = new Map<string, TheirLine['row']>(
      files.statements.flatMap(({ provider, stage, on, lines: all }) =>
        all.map(({ providerTid, row }) => [`${provider} ${stage} ${on} ${providerTid}`, row] as const),
      ),
    );
    const hours = files.truth
      .filter(({ kind }) => kind === 'timing')
      .map(({ provider, stage, on, providerTid }) => lines.get(`${provider} ${stage} ${on} ${providerTid}`))
      .map((row) => (row !== undefined && 'tradedTime' in row ? row.tradedTime.slice(0, 4) : '?'));
    expect([...new Set(hours)].sort()).toEqual(['00:0', '23:5']);
  });

  test('5. has the life of payments in it', async () => {
    const { files, summary } = await generate({ days: 5 });
    const payments = files.records.filter(({ record }) => record !== 'capture');
    const approvals = new Map(
      payments
        .filter(({ record }) => record === 'approval')
        .map((record) => [`${record['provider']} ${record['providerTid']}`, record]),
    );
    for (const on of summary.days) {
      const events = payments.filter(({ tradedAt }) => tradedAt?.startsWith(on));
      expect(events.length).toBeGreaterThanOrEqual(spec.payments);
    }
    const lags = new Set<string>();
    const cancelled = new Map<string, number>();
    for (const cancel of payments) {
      if (cancel['record'] === 'approval') continue;
      const key = `${cancel['provider']} ${cancel['providerTid']}`;
      const approval = approvals.get(key);
      expect(approval, key).toBeDefined();
      expect(Date.parse(cancel['tradedAt'] ?? '')).toBeGreaterThan(Date.parse(approval?.['tradedAt'] ?? ''));
      const days =
        (Date.parse((cancel['tradedAt'] ?? '').slice(0, 10)) -
          Date.parse((approval?.['tradedAt'] ?? '').slice(0, 10))) /
        86_400_000;
      lags.add(`${cancel['record']} after ${days}`);
      cancelled.set(key, (cancelled.get(key) ?? 0) + Number(cancel['amountWon']));
      expect(-(cancelled.get(key) ?? 0)).toBeLessThanOrEqual(Number(approval?.['amountWon']));
      if (Number(cancel['cancelSeq']) > 1) lags.add('several');
    }
    expect([...lags].sort()).toEqual([
      'cancel after 0',
      'cancel after 1',
      'cancel after 2',
      'cancel after 3',
      'partial_cancel after 0',
      'partial_cancel after 1',
      'partial_cancel after 2',
      'partial_cancel after 3',
      'several',
    ]);
    expect(new Set(payments.map(({ cardNo }) => cardNo?.replace(/\d/g, '9')))).toEqual(new Set(['999999******9999']));
    expect(payments.some(({ instalments }) => instalments !== '0')).toBe(true);
  });

  test('6. repeats approval numbers offline, and no transaction id anywhere', async () => {
    const { files } = await generate();
    const approvals = files.records.filter(({ record }) => record === 'approval');
    const offline = approvals
      .filter(({ provider }) => provider === 'welcome-offline')
      .map(({ approvalNo }) => approvalNo);
    expect(new Set(offline).size).toBeLessThan(offline.length / 2);
    for (const { approvalNo } of approvals) expect(approvalNo).toMatch(/^\d{8}$/);
    expect(new Set(approvals.map(({ providerTid }) => providerTid)).size).toBe(approvals.length);
  });

  test('7. has merchants with true business numbers, and no payment without its merchant', async () => {
    const { files } = await generate();
    const ids = new Set(files.merchants.map(({ merchantId }) => merchantId));
    expect(new Set(files.merchants.map(({ businessNo }) => businessNo)).size).toBe(ids.size);
    for (const { businessNo = '' } of files.merchants) expect(businessNoOf(businessNo.slice(0, 9))).toBe(businessNo);
    for (const { merchantId, record } of files.records) if (record !== 'capture') expect(ids).toContain(merchantId);
    expect(files.merchants.map(({ name }) => name).join()).toMatch(/펲|똠|뷁/);
  });

  test('8. pays in on business days, by the cycle of each provider', async () => {
    const { files } = await generate({ days: 6, from: Temporal.PlainDate.from('2026-12-29') });
    const holidays = koreanHolidays(2026, 2027);
    for (const { provider, on, lines } of files.statements) {
      const { businessDays } = providerOf(provider).payIn;
      const due = addBusinessDays(Temporal.PlainDate.from(on), businessDays, holidays).toString();
      const promised = new Set(
        lines.flatMap(({ row }) => (row !== undefined && 'payInOn' in row ? [row.payInOn] : [])),
      );
      if (promised.size > 0) expect([...promised]).toEqual([due]);
    }
    const lastOn = files.summary.days.at(-1) ?? '';
    expect(files.deposits.length).toBeGreaterThan(0);
    for (const { depositedOn = '' } of files.deposits) expect(depositedOn <= lastOn).toBe(true);
  });

  test('9. charges fees cut to whole won, alike in both directions', async () => {
    const { files } = await generate();
    const captures = files.records.filter(({ record }) => record === 'capture');
    for (const { amountWon, feeWon, vatWon } of captures) {
      const [amount, fee, vat] = [amountWon, feeWon, vatWon].map(Number) as [number, number, number];
      expect(fee * Math.sign(amount)).toBeGreaterThanOrEqual(0);
      expect(Math.abs(vat)).toBe(Math.floor(Math.abs(fee) / 10));
      expect(Math.abs(fee)).toBeLessThanOrEqual(Math.abs(amount) * 0.023);
    }
    expect(captures.some(({ amountWon }) => Number(amountWon) < 0)).toBe(true);
  });
});
