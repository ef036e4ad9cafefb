import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Problem } from '../kernel/problem.ts';
import { loadConfig, ownBusinessNo } from './config.ts';
import { differentialAddress, parseRemoteAddress } from './remote-address.ts';

const key = 'SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDt+7gLxkc/hTfwO1A';
const hex = 'B8:D8:95:CE:D9:2C:0A:C0:E1:71:CD:2E:F5:EF:01:82:B2:57:54:60:ED:FB:B8:0B:C6:47:3F:85:37:F0:3B:50';

describe('parseRemoteAddress', () => {
  it.each([
    ['file:///var/exchange', { kind: 'folder', folder: '/var/exchange' }],
    [
      `sftp://pg@files.example:2222/daff?hostKey=${key}&privateKey=/id`,
      {
        kind: 'sftp',
        host: 'files.example',
        port: 2222,
        user: 'pg',
        folder: '/daff',
        hostKeys: [key],
        privateKeyPath: '/id',
      },
    ],
    [
      `https://van.example/dav/diff/?tokenFile=/etc/jeongsan/token&fingerprint=${key}`,
      {
        kind: 'https',
        host: 'van.example',
        port: 443,
        folder: '/dav/diff',
        tokenPath: '/etc/jeongsan/token',
        fingerprints: [key],
      },
    ],
    [
      `https://[::1]:8443?tokenFile=/t&fingerprint=${hex}&fingerprint=${key}=`,
      { kind: 'https', host: '::1', port: 8443, folder: '', tokenPath: '/t', fingerprints: [key, key] },
    ],
    [
      'https://van.example?tokenFile=/t&ca=/ca.pem',
      {
        kind: 'https',
        host: 'van.example',
        port: 443,
        folder: '',
        tokenPath: '/t',
        fingerprints: [],
        caPath: '/ca.pem',
      },
    ],
    [
      'https://van.example/d%20f?tokenFile=/t',
      { kind: 'https', host: 'van.example', port: 443, folder: '/d f', tokenPath: '/t', fingerprints: [] },
    ],
  ])('reads %s', (text, address) => {
    expect(parseRemoteAddress(text)).toEqual(address);
  });

  it.each([
    ['', ['is not a URL']],
    ['http://van.example/?tokenFile=/t', ['is not a URL of the form sftp']],
    ['sftp://host/out', ['names no user', 'pins no host key', 'neither a password nor privateKey']],
    ['https://u:hunter2@van.example/', ['holds a user or a password', 'names no tokenFile']],
    ['https://van.example:0/?tokenFile=t', ['names port 0', 'tokenFile that is not an absolute path']],
    ['https://van.example/?tokenFile=/t&fingerprint=MD5:aa', ['pins "MD5:aa"']],
    [
      `https://van.example/?tokenFile=/t&fingerprint=${key}&ca=ca.pem`,
      ['ca that is not an absolute', 'both a fingerprint'],
    ],
    ['https://van.example/?tokenFile=/t&token=hunter2', ['an option "token" that does not exist']],
    ['https://van.example/%E0%A4?tokenFile=/t', ['folder whose percent-encoding']],
  ])('names every fault of %s', (text, faults) => {
    const parsed = parseRemoteAddress(text);
    expect('faults' in parsed && parsed.faults.map((fault, at) => fault.includes(faults[at] ?? '?'))).toEqual(
      faults.map(() => true),
    );
    expect(JSON.stringify(parsed)).not.toContain('hunter2');
  });
});

describe('the configuration', () => {
  const providers = ['welcome', 'json-van'];
  const load = (env: NodeJS.ProcessEnv) => loadConfig(env, [], [], providers);

  it('holds the addresses of those who have one, and says on use who has none', () => {
    const { differential } = load({ JEONGSAN_DIFFERENTIAL_JSON_VAN: 'file:///x' });
    expect(differentialAddress(differential, 'json-van')).toEqual({ kind: 'folder', folder: '/x' });
    expect(() => differentialAddress(differential, 'welcome')).toThrow(
      expect.objectContaining({
        code: 'differential_not_configured',
        details: { provider: 'welcome', variable: 'JEONGSAN_DIFFERENTIAL_WELCOME' },
      }),
    );
  });

  it('names the variable of each fault, and none of another provider', () => {
    const wrong = { JEONGSAN_DIFFERENTIAL_WELCOME: 'sftp://u:hunter2@h', JEONGSAN_DIFFERENTIAL_KSNT: 'file:///x' };
    const fault = (() => {
      try {
        load(wrong);
      } catch (error) {
        return (error as Problem).message;
      }
      return '';
    })();
    expect(fault).toContain('JEONGSAN_DIFFERENTIAL_WELCOME pins no host key');
    expect(fault).toContain('JEONGSAN_DIFFERENTIAL_KSNT is not a variable');
    expect(fault).not.toContain('hunter2');
  });

  it('shows no password', () => {
    const config = load({ JEONGSAN_DIFFERENTIAL_WELCOME: `sftp://u:hunter2@h/d?hostKey=${key}` });
    for (const shown of [inspect(config, { depth: 9 }), JSON.stringify(config)]) expect(shown).not.toContain('hunter2');
  });

  it('knows our own business number, or says on use that it does not', () => {
    expect(ownBusinessNo(load({ JEONGSAN_BUSINESS_NO: '1248100998' }))).toBe('1248100998');
    expect(() => ownBusinessNo(load({}))).toThrow(Problem);
    expect(() => ownBusinessNo(load({}))).toThrow(expect.objectContaining({ code: 'business_no_not_configured' }));
  });
});
