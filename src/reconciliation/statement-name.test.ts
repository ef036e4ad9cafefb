import { expect, it } from 'vitest';
import { formatStatementName, readStatementName } from './statement-name.ts';

const perMid = 'KSNET_TRX_{mid}_{day}.csv';
const perDay = 'WP_ON_TRX_{day}.dat';

it.each([
  // template, name, what it says
  [perMid, 'KSNET_TRX_2001105563_20261120.csv', { day: '20261120', mid: '2001105563' }],
  [perDay, 'WP_ON_TRX_20261120.dat', { day: '20261120' }],
])('%s is used both ways: %s', (template, name, by) => {
  expect(readStatementName(template, name)).toEqual(by);
  expect(formatStatementName(template, by)).toBe(name);
});

it.each([
  [perMid, 'KSNET_TRX_2001105563_20261120.csv.done'],
  [perMid, 'KSNET_TRX_2001105563_2026112.csv'],
  [perMid, 'KSNET_TRX__20261120.csv'],
  [perMid, 'KSNET_CAP_2001105563_20261120.csv'],
  [perDay, 'WP_ON_TRX_20261120xdat'],
  [perDay, 'old/WP_ON_TRX_20261120.dat'],
])('%s is not the name %s', (template, name) => {
  expect(readStatementName(template, name)).toBeUndefined();
});
