import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Problem } from '../kernel/problem.ts';
import { parseBankAddress } from './bank-address.ts';
import { loadConfig } from './config.ts';

test('a whole address', () => {
  const text =
    'https://our%3Akey:se%2Fcret@bank.example:8443/van/?ca=/etc/bank.pem&closed=23:00-01:15&settlingSeconds=2.5';
  const parsed = parseBankAddress(text);
  expect(parsed).toMatchObject({
    host: 'bank.example',
    port: 8443,
    path: '/van',
    key: 'our:key',
    caPath: '/etc/bank.pem',
    closed: { from: '23:00', to: '01:15' },
    settlingMs: 2_500,
  });
  expect('secret' in parsed && parsed.secret.reveal()).toBe('se/cret');
});

test('the shortest address', () => {
  expect(parseBankAddress('https://k:s@[::1]')).toMatchObject({ host: '::1', port: 443, path: '', key: 'k' });
});

describe('faults are named', () => {
  test.each([
    ['bank', 'is not a URL'],
    ['http://k:s@bank/', 'begins with http://'],
    ['https://:s@bank/', 'names no key'],
    ['https://k@bank/', 'has no secret'],
    ['https://k%0d%0aX:s@bank/', 'has a key that no header can carry'],
    ['https://%E0%A4:s@bank/', 'has a key whose percent-encoding cannot be read'],
    ['https://k:s@bank:0/', 'names port 0'],
    ['https://k:s@bank/?ca=bank.pem', 'names a ca that is not an absolute path'],
    ['https://k:s@bank/?closed=24:00-00:30', 'has closed hours'],
    ['https://k:s@bank/?settlingSeconds=-1', 'has settlingSeconds'],
    ['https://k:s@bank/?answerSeconds=9999', 'has answerSeconds'],
    ['https://k:s@bank/?cert=/x', 'has an option "cert" that does not exist'],
  ])('%s', (text, fault) => {
    const parsed = parseBankAddress(text);
    expect('faults' in parsed ? parsed.faults.join() : '').toContain(fault);
  });
});

test('the configuration names all of them with the variable, and no secret', () => {
  const env = { JEONGSAN_BANK_JSON_VAN: 'https://k:hunter2@bank:0/?ca=x', PORT: 'x' };
  expect(() => loadConfig(env, [], ['json-van'])).toThrow(Problem);
  try {
    loadConfig(env, [], ['json-van']);
  } catch (error) {
    const said = String((error as Problem).details['faults']);
    expect(said).toContain('JEONGSAN_BANK_JSON_VAN names port 0');
    expect(said).toContain('JEONGSAN_BANK_JSON_VAN names a ca');
    expect(said).toContain('PORT must be');
    expect(said).not.toContain('hunter2');
  }
  const { banks } = loadConfig({ JEONGSAN_BANK_JSON_VAN: 'https://k:hunter2@bank/' }, [], ['json-van']);
  expect(`${inspect(banks, { depth: 9 })}${JSON.stringify(banks)}`).not.toContain('hunter2');
  expect(() => loadConfig({ JEONGSAN_BANK_OTHER: 'https://k:s@bank/' }, [], ['json-van'])).toThrow(Problem);
});
