import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { differentialVariable, type RemoteAddress } from '../platform/remote-address.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { type ClaimProvider, claimProviders, dueClaims } from './differential-claims.ts';
import { type Desk, openDesk } from './differential-desk.ts';
import { type Fate, fatesOf, moodOf, registersLater, registersNever } from './differential-fates.ts';
import { businessNoOf } from './merchant.ts';
import { hostKeyIn, newHostKey, publicKeyOf, startSftpServer } from './sftp-server.ts';
import { startWebdavServer } from './webdav-server.ts';
import type { Lose } from './wire-trouble.ts';
import { makeWorld, type WorldSpec } from './world.ts';

/** 우리 사업자등록번호, as the sandbox's providers know it. */
export const sandboxBusinessNo = businessNoOf('101810000');

export type DifferentialSandboxOptions = {
  /** Keys, and what each provider has received and put out: the same folder goes on where it was. */
  readonly folder: string;
  readonly world: WorldSpec;
  readonly pace: 'calendar' | 'at_once';
};

/** The simulated providers of differential settlement, reached over the wire. */
export type DifferentialSandbox = {
  readonly addresses: Readonly<Record<ClaimProvider, RemoteAddress>>;
  /** The same for a shell: `JEONGSAN_DIFFERENTIAL_…`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly fates: Readonly<Record<ClaimProvider, ReadonlyMap<string, Fate>>>;
  /** Lets the providers take in and put out what is due by now. */
  look(now: Temporal.Instant): void;
  /** What a provider was asked for and does not owe. */
  strays(): readonly string[];
  close(): Promise<void>;
};

/** Below the address of each provider. */
const share = '/daff';

/**
 * 차액정산 원천사 모의 서버. `welcome` and `nice` by SFTP with a key, `ksnet` by HTTPS with a token, on 127.0.0.1: they
 * answer by the sandbox's own books, in moods of the world's seed. Throws `sandbox_port_taken`.
 */
export async function openDifferentialSandbox(options: DifferentialSandboxOptions): Promise<DifferentialSandbox> {
  const { folder, pace } = options;
  mkdirSync(folder, { recursive: true });
  const world = makeWorld({ ...options.world, differential: true });
  const fatesBy = (provider: ClaimProvider) =>
    fatesOf(world, provider, dueClaims(world, provider), differentialProviderOf(provider).differential.codes);
  const fates = { ksnet: fatesBy('ksnet'), welcome: fatesBy('welcome'), nice: fatesBy('nice') };
  const dayNo = (on: string): number => Temporal.PlainDate.from(on).since(options.world.from).days;
  const midsOf = (id: string) => world.providers.find((provider) => provider.id === id)?.mids ?? [];
  const merchantNos = new Map(
    world.providers.flatMap(({ merchants }) => merchants.map(({ merchantId }, no) => [merchantId, no] as const)),
  );
  const desks: readonly Desk[] = claimProviders.map((provider) =>
    openDesk({
      provider: differentialProviderOf(provider),
      folder: path.join(folder, provider),
      businessNo: sandboxBusinessNo,
      fates: fates[provider],
      moodOf(on, mid) {
        const day = dayNo(on.toString());
        // After the world's last day what is left comes to its end plainly.
        return day < options.world.days ? moodOf(provider, day, Math.max(0, midsOf(provider).indexOf(mid))) : 'plain';
      },
      registers(merchantId, tries) {
        const no = merchantNos.get(merchantId) ?? -1;
        return !registersNever(no) && (tries > 0 || !registersLater(no));
      },
      pace,
    }),
  );
  const filesOf = (provider: ClaimProvider): string => path.join(folder, provider, 'files');
  const clientKey = keptIn(folder, 'client_key', newHostKey);
  const token = keptIn(folder, 'token', () => randomBytes(24).toString('base64url'));
  const lose = troubleOn(dayNo);
  const sftp = await startSftpServer({
    accounts: (['welcome', 'nice'] as const).map((user) => ({
      user,
      publicKeys: [publicKeyOf(readFileSync(clientKey, 'utf8'))],
      folders: { [share]: filesOf(user) },
    })),
    hostKey: await hostKeyIn(folder),
    trouble: () => lose,
  });
  const webdav = await startWebdavServer({
    folder,
    token: readFileSync(token, 'utf8'),
    folders: { [share]: filesOf('ksnet') },
    lose,
  }).catch(async (error: unknown) => {
    await sftp.close();
    throw error;
  });
  const bySftp = (user: string): RemoteAddress => ({
    kind: 'sftp',
    host: '127.0.0.1',
    port: sftp.port,
    user,
    folder: share,
    hostKeys: [sftp.hostKeySha256],
    privateKeyPath: clientKey,
  });
  const sftpUrl = (user: string): string =>
    `sftp://${user}@127.0.0.1:${sftp.port}${share}?hostKey=${sftp.hostKeySha256}&privateKey=${clientKey}`;
  return {
    addresses: {
      welcome: bySftp('welcome'),
      nice: bySftp('nice'),
      ksnet: {
        kind: 'https',
        host: '127.0.0.1',
        port: webdav.port,
        folder: share,
        tokenPath: token,
        fingerprints: [],
        caPath: webdav.certificatePath,
      },
    },
    variables: {
      JEONGSAN_BUSINESS_NO: sandboxBusinessNo,
      [differentialVariable('ksnet')]:
        `https://127.0.0.1:${webdav.port}${share}?tokenFile=${token}&ca=${webdav.certificatePath}`,
      [differentialVariable('welcome')]: sftpUrl('welcome'),
      [differentialVariable('nice')]: sftpUrl('nice'),
    },
    fates,
    look: (now) => {
      for (const desk of desks) desk.look(now);
    },
    strays: () => desks.flatMap((desk) => desk.strays()),
    async close() {
      await Promise.all([sftp.close(), webdav.close()]);
    },
  };
}

/** A secret of its own in a file of the folder; made at the first call. Returns the file's path. */
function keptIn(folder: string, name: string, make: () => string): string {
  const file = path.join(folder, name);
  try {
    writeFileSync(file, make(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return path.resolve(file);
}

/** On which days of eighteen the connection is lost, once for each file: while it is put, before or after it is renamed. */
const losses = new Map<number, { readonly act: 'put' | 'rename'; readonly when: 'before' | 'after' }>([
  [1, { act: 'put', when: 'before' }],
  [3, { act: 'rename', when: 'after' }],
  [5, { act: 'rename', when: 'before' }],
]);

function troubleOn(dayNo: (on: string) => number): Lose {
  const lost = new Set<string>();
  return ({ act, name }) => {
    const [, day] = /_(\d{8})_/.exec(name) ?? [];
    if (day === undefined) return undefined;
    const loss = losses.get(dayNo(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`) % 18);
    if (loss === undefined || loss.act !== act || lost.has(name)) return undefined;
    lost.add(name);
    return loss.when;
  };
}
