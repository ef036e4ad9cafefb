import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatSource, parseSource, readSources } from './source-address.ts';

const key = 'SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDt+7gLxkc/hTfwO1A';

describe('parseSource', () => {
  it.each([
    ['file:///var/inbox', { kind: 'folder', folder: '/var/inbox' }],
    ['file:///var/in%20box/', { kind: 'folder', folder: '/var/in box/' }],
    [
      `sftp://pg@files.example:2222/out/trx?hostKey=${key}&privateKey=/etc/jeongsan/id`,
      {
        kind: 'sftp',
        host: 'files.example',
        port: 2222,
        user: 'pg',
        folder: '/out/trx',
        hostKeys: [key],
        privateKeyPath: '/etc/jeongsan/id',
      },
    ],
    [
      `sftp://pg@[::1]?hostKey=${key}=&hostKey=${key}&privateKey=/id`,
      {
        kind: 'sftp',
        host: '::1',
        port: 22,
        user: 'pg',
        folder: '/',
        hostKeys: [key, key],
        privateKeyPath: '/id',
      },
    ],
  ])('reads %s', (text, address) => {
    expect(parseSource(text)).toEqual(address);
  });

  it('keeps a password that a URL has to escape, and never shows it', () => {
    const address = parseSource(`sftp://pg:p%40ss%3Aword@host/out?hostKey=${key}`);
    expect('password' in address && address.password?.reveal()).toBe('p@ss:word');
    for (const shown of [inspect(address, { depth: 9 }), JSON.stringify(address)]) expect(shown).not.toContain('p@ss');
    expect('kind' in address && formatSource(address)).toBe('sftp://pg@host:22/out');
  });

  it.each([
    ['', ['is not a URL']],
    ['/var/inbox', ['is not a URL']],
    ['ftp://host/out', ['begins with ftp://']],
    ['file://host/out', ['names a host (host)']],
    ['sftp://host/out', ['names no user', 'pins no host key', 'neither a password nor privateKey']],
    ['sftp://pg:secret@host/out?hostKey=MD5:aa:bb', ['pins "MD5:aa:bb"']],
    [`sftp://pg@host/out?hostKey=${key}&privateKey=id&port=22`, ['not an absolute path', 'option "port"']],
    [`sftp://pg:%E0%A4@host/out?hostKey=${key}`, ['password whose percent-encoding', 'neither a password']],
    [`sftp://pg:secret@host:0/out?hostKey=${key}`, ['port 0']],
  ])('names every fault of %s', (text, faults) => {
    const parsed = parseSource(text);
    expect('faults' in parsed && parsed.faults.map((fault, at) => fault.includes(faults[at] ?? '?'))).toEqual(
      faults.map(() => true),
    );
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });
});

describe('readSources', () => {
  it('falls back to the inbox and names the variable of each fault', () => {
    const env = { JEONGSAN_SOURCE_WELCOME_ONLINE: 'http://x', JEONGSAN_SOURCE_KSNET: 'file:///in' };
    expect(readSources(env, '/home/j', ['ksnet', 'welcome-online', 'welcome-offline'])).toEqual({
      addresses: {
        ksnet: { kind: 'folder', folder: '/in' },
        'welcome-offline': { kind: 'folder', folder: '/home/j/inbox/welcome-offline' },
      },
      faults: [expect.stringContaining('JEONGSAN_SOURCE_WELCOME_ONLINE begins with http://')],
    });
  });
});
