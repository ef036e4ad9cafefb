import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Problem } from '../kernel/problem.ts';
import { loadConfig, repositoryRoot } from './config.ts';

function faults(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof Problem && error.code === 'config_invalid') return String(error.details['faults']);
    throw error;
  }
  return '';
}

test('without any variable everything has its default', () => {
  expect(loadConfig({})).toEqual({
    home: join(repositoryRoot, '.jeongsan'),
    databaseUrl: undefined,
    port: 4000,
    listening: { host: '127.0.0.1', tls: undefined, proxies: [], origins: [], publicUrl: undefined },
    logLevel: 'info',
    language: 'en',
    dataKeys: {},
    lateness: {},
    sources: {},
    banks: {},
    differential: {},
    businessNo: undefined,
    privateHosts: [],
    tracesUrl: undefined,
  });
});

test('a variable that is set to nothing counts as not set', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '', JEONGSAN_LANGUAGE: '' })).toEqual(loadConfig({}));
});

describe('the language is that of the terminal unless it is said', () => {
  test.each([
    { env: { LANG: 'ko_KR.UTF-8' }, language: 'ko' },
    { env: { LANG: 'C.UTF-8' }, language: 'en' },
    { env: { LANG: 'en_US.UTF-8', LC_ALL: 'ko_KR.UTF-8' }, language: 'ko' },
    { env: { LANG: 'ko_KR.UTF-8', JEONGSAN_LANGUAGE: 'en' }, language: 'en' },
  ])('$env', ({ env, language }) => {
    expect(loadConfig(env).language).toBe(language);
  });
});

describe('a wrong value is named', () => {
  test.each([
    { env: { PORT: '70000' }, fault: 'PORT must be a whole number from 0 to 65535' },
    { env: { PORT: '4e3' }, fault: 'PORT must be a whole number from 0 to 65535' },
    { env: { LOG_LEVEL: 'loud' }, fault: 'LOG_LEVEL must be one of' },
    { env: { JEONGSAN_DATA_KEYS_OLD: 'hunter2' }, fault: 'JEONGSAN_DATA_KEYS_OLD must be keys of 32 bytes' },
    { env: { JEONGSAN_DATA_KEY_FILE: 'data.key' }, fault: 'JEONGSAN_DATA_KEY_FILE must be an absolute path' },
    { env: { DATABASE_URL: 'mysql://a:b@c/d' }, fault: 'DATABASE_URL must look like postgres://' },
    { env: { DATABASE_URL: 'localhost' }, fault: 'DATABASE_URL must look like postgres://' },
    {
      env: { JEONGSAN_BUSINESS_NO: '1248100997' },
      fault: 'JEONGSAN_BUSINESS_NO must be ten digits, the last of which',
    },
    { env: { JEONGSAN_LANGUAGE: 'jp' }, fault: 'JEONGSAN_LANGUAGE must be ko or en' },
    { env: { JEONGSAN_DATA_KEY: 'c2hvcnQ=' }, fault: 'JEONGSAN_DATA_KEY must be 32 bytes in base64' },
    { env: { JEONGSAN_HOMES: '/x' }, fault: 'JEONGSAN_HOMES is not a variable of Jeongsan; known: JEONGSAN_HOME' },
  ])('$env', ({ env, fault }) => {
    expect(faults(env)).toContain(fault);
  });
});

test('all faults are named at once, and no value is repeated', () => {
  const said = faults({
    PORT: 'x',
    LOG_LEVEL: 'hunter2',
    DATABASE_URL: 'mysql://u:hunter2@h',
    JEONGSAN_TYPO: 'hunter2',
  });
  expect(said.split('\n')).toHaveLength(4);
  for (const name of ['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'JEONGSAN_TYPO']) expect(said).toContain(name);
  expect(said).not.toContain('hunter2');
});

test('the data key is shown nowhere but where it is asked for', () => {
  const key = Buffer.alloc(32, 1).toString('base64');
  const config = loadConfig({ JEONGSAN_DATA_KEY: key });
  expect(inspect(config, { depth: 9, showHidden: true })).not.toContain(key);
  expect(config.dataKeys.key?.reveal()).toBe(key);
});

test('the database URL is shown nowhere but where it is asked for', () => {
  const config = loadConfig({ DATABASE_URL: 'postgres://u:hunter2@h/d' });
  for (const shown of [
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    `${config.databaseUrl}`,
  ]) {
    expect(shown).not.toContain('hunter2');
    expect(shown).toContain('[secret]');
  }
  expect(config.databaseUrl?.reveal()).toContain('hunter2');
});

test('hosts of our own networks are named one by one, and where spans go is a URL', () => {
  const config = loadConfig({
    JEONGSAN_PRIVATE_HOSTS: 'Hooks.internal, 10.0.0.7:8080',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  });
  expect(config.privateHosts).toEqual(['hooks.internal', '10.0.0.7:8080']);
  expect(config.tracesUrl).toBe('http://collector:4318');
  expect(() => loadConfig({ JEONGSAN_PRIVATE_HOSTS: 'http://x' })).toThrow('JEONGSAN_PRIVATE_HOSTS');
  expect(() => loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toThrow('OTEL_EXPORTER_OTLP_ENDPOINT');
});

test('a source belongs to a provider that exists, and its faults are named with the others', () => {
  const providers = ['ksnet'];
  const folder = 'file:///srv/ksnet';
  expect(loadConfig({ JEONGSAN_SOURCE_KSNET: folder }, providers).sources).toEqual({
    ksnet: { kind: 'folder', folder: '/srv/ksnet' },
  });
  const wrong = { JEONGSAN_SOURCE_KSNET: 'ftp://x', JEONGSAN_SOURCE_KSNT: folder, PORT: 'x' };
  const faults = (() => {
    try {
      loadConfig(wrong, providers);
    } catch (error) {
      return (error as Problem).message;
    }
    return '';
  })();
  for (const part of ['JEONGSAN_SOURCE_KSNET begins with ftp', 'JEONGSAN_SOURCE_KSNT is not a variable', 'PORT must']) {
    expect(faults).toContain(part);
  }
});

test('old data keys are several, and shown nowhere', () => {
  const [one, two] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64'));
  const config = loadConfig({ JEONGSAN_DATA_KEYS_OLD: `${one}, ${two}`, JEONGSAN_DATA_KEY_FILE: '/run/secrets/key' });
  expect(config.dataKeys.oldKeys?.map((key) => key.reveal())).toEqual([one, two]);
  expect(config.dataKeys.keyFile).toBe('/run/secrets/key');
  expect(JSON.stringify(config)).not.toContain(one);
});
