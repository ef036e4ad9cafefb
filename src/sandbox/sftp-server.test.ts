import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Client } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  hostKeyIn,
  newHostKey,
  publicKeyOf,
  type SftpServer,
  type SftpServerOptions,
  startSftpServer,
} from './sftp-server.ts';

const run = promisify(execFile);
const content = randomBytes(400_000);
const clientKey = newHostKey();
let folder = '';
let closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jeongsan-sftp-'));
  await mkdir(path.join(folder, 'ksnet'));
  await writeFile(path.join(folder, 'ksnet', 'a.csv'), content);
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
  await rm(folder, { recursive: true });
});

async function serve(options: Partial<SftpServerOptions> = {}): Promise<SftpServer> {
  const account = {
    user: 'ksnet',
    password: 'correct horse',
    publicKeys: [publicKeyOf(clientKey)],
    folders: { '/out': path.join(folder, 'ksnet') },
  };
  const server = await startSftpServer({ accounts: [account], hostKey: newHostKey(), ...options });
  closing.push(() => server.close());
  return server;
}

/** A login that pins the server's host key, as the product does. */
async function login(server: SftpServer, options: SftpClient.ConnectOptions = {}): Promise<SftpClient> {
  // What is lost in the middle of a transfer is told by the transfer itself.
  const client = new SftpClient('test', { error() {}, end() {}, close() {} });
  closing.push(() => client.end().catch(() => false));
  await client.connect({
    host: '127.0.0.1',
    port: server.port,
    username: 'ksnet',
    password: 'correct horse',
    hostHash: 'sha256',
    hostVerifier: (hash: string) =>
      `SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}` === server.hostKeySha256,
    ...options,
  });
  // Without it the kernel holds small requests back, and every read takes 40 ms.
  (client as unknown as { readonly client: Client }).client.setNoDelay(true);
  return client;
}

describe('an SFTP server', () => {
  test('lists, tells about and hands out files', async () => {
    const client = await login(await serve());
    expect((await client.list('/')).map(({ name, type }) => [name, type])).toEqual([['out', 'd']]);
    expect((await client.list('/out')).map(({ name, size }) => [name, size])).toEqual([['a.csv', content.length]]);
    expect((await client.stat('/out/a.csv')).size).toBe(content.length);
    expect(await client.realPath('/out/../out/a.csv')).toBe('/out/a.csv');
    expect(content.equals((await client.get('/out/a.csv')) as Buffer)).toBe(true);
  });

  test('takes files and lets them be renamed', async () => {
    const client = await login(await serve());
    await client.put(content, '/out/b.part');
    await client.rename('/out/b.part', '/out/b');
    expect(content.equals(await readFile(path.join(folder, 'ksnet', 'b')))).toBe(true);
  });

  test.each([
    ['a wrong password', { password: 'correct house' }],
    ['another user', { username: 'welcome' }],
    ['a key that is not known', { password: '', privateKey: newHostKey() }],
  ])('refuses %s', async (_, options) => {
    const server = await serve();
    await expect(login(server, options)).rejects.toThrow(/authentication/);
  });

  test('knows a client by its key', async () => {
    const server = await serve();
    const client = new SftpClient();
    closing.push(() => client.end());
    await client.connect({ host: '127.0.0.1', port: server.port, username: 'ksnet', privateKey: clientKey });
    expect(await client.exists('/out/a.csv')).toBe('-');
  });

  test.each(['/etc/passwd', '/out/../../etc/passwd', '/out/none', '/outer'])('shows nothing at %s', async (name) => {
    const client = await login(await serve());
    await expect(client.get(name)).rejects.toThrow(/No such file/);
  });

  test('keeps its host key, and another key is another fingerprint', async () => {
    const key = await hostKeyIn(folder);
    expect(await hostKeyIn(folder)).toBe(key);
    const first = await serve({ hostKey: key });
    const impostor = await serve();
    expect(impostor.hostKeySha256).not.toBe(first.hostKeySha256);
    await expect(login({ ...impostor, hostKeySha256: first.hostKeySha256 })).rejects.toThrow(/Host denied|verif/i);
  });

  test("is understood by OpenSSH's sftp, where there is one", async (context) => {
    const server = await serve();
    const key = path.join(folder, 'id');
    await writeFile(key, clientKey, { mode: 0o600 });
    const batch = path.join(folder, 'batch');
    await writeFile(batch, `ls -l /out\nget /out/a.csv ${folder}/got\nput ${folder}/got /out/c.csv\n`);
    const options = ['-oStrictHostKeyChecking=no', `-oUserKnownHostsFile=${folder}/known`, '-oBatchMode=yes', '-q'];
    try {
      await run('sftp', [...options, '-i', key, '-P', String(server.port), '-b', batch, 'ksnet@127.0.0.1']);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('OpenSSH is not installed');
      throw error;
    }
    expect(content.equals(await readFile(path.join(folder, 'got')))).toBe(true);
    expect(content.equals(await readFile(path.join(folder, 'ksnet', 'c.csv')))).toBe(true);
    expect(await readFile(path.join(folder, 'known'), 'utf8')).toContain('ecdsa-sha2-nistp256');
  });
});

test('a client that says nothing does not keep the server from closing', async () => {
  const server = await startSftpServer({ accounts: [], hostKey: newHostKey() });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'data'); // the server's greeting
  const ended = once(socket, 'close');
  socket.on('error', () => {});
  await server.close();
  await ended;
});

test('a port that is taken is told', async () => {
  const { port } = await serve();
  await expect(serve({ port })).rejects.toMatchObject({ code: 'sandbox_port_taken', details: { port } });
});
