import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Secret } from '../platform/secret.ts';
import type { SftpAddress } from '../platform/source-address.ts';
import { formatCount, type Progress } from '../platform/terminal.ts';
import { providerOf } from '../providers/registry.ts';
import { generateWorld } from './generate.ts';
import { type GeneratedWorld, readWorld } from './load.ts';
import { hostKeyIn, startSftpServer } from './sftp-server.ts';
import { defaultBreaks, defaultFrom, type WorldSpec } from './world.ts';

/** A world being served: what it holds, and where each provider's statements are to be fetched. */
export type Sandbox = {
  readonly world: GeneratedWorld;
  readonly sources: Readonly<Record<string, SftpAddress>>;
  close(): Promise<void>;
};

export type SandboxOptions = {
  /** Host key, password and the worlds (by seed) are kept here. */
  readonly folder: string;
  readonly seed: number | string;
  readonly days: number;
  /** Approvals a day. */
  readonly payments: number;
  readonly breaks?: number;
  readonly from?: Temporal.PlainDate;
  /** 0 or none for any free port. */
  readonly port?: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
};

/**
 * 샌드박스. Makes the world (or uses the one that was made from the same spec before) and serves its statements by SFTP,
 * one account for each provider. Throws `world_folder_in_use`.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const spec = {
    seed: String(options.seed),
    days: options.days,
    payments: options.payments,
    breaks: options.breaks ?? defaultBreaks,
    from: options.from ?? defaultFrom,
  };
  const folder = path.join(options.folder, folderName(spec.seed));
  const world = await worldIn(folder, spec, options);
  const hostKey = await hostKeyIn(options.folder);
  const password = await passwordIn(options.folder);
  const accounts = world.providers.map((user) => ({
    user,
    password,
    folders: { [providerOf(user).remote.folder]: path.join(folder, user) },
  }));
  const server = await startSftpServer({ accounts, hostKey, port: options.port ?? 0 });
  const address = (user: string): SftpAddress => ({
    kind: 'sftp',
    host: '127.0.0.1',
    port: server.port,
    user,
    folder: providerOf(user).remote.folder,
    hostKeys: [server.hostKeySha256],
    password: new Secret(password),
  });
  return {
    world,
    sources: Object.fromEntries(world.providers.map((provider) => [provider, address(provider)])),
    close: () => server.close(),
  };
}

/** A seed as a folder name. */
const folderName = (seed: string): string => encodeURIComponent(seed).replace(/^\.+$/, '_');

async function worldIn(folder: string, spec: WorldSpec, options: SandboxOptions): Promise<GeneratedWorld> {
  const { progress, signal } = options;
  const known = await readWorld(folder, spec);
  if (known !== undefined) return known;
  await mkdir(options.folder, { recursive: true });
  await generateWorld({
    ...spec,
    into: folder,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ file, records }) => progress?.update('world', `sandbox  ${file}  ${formatCount(records)}`),
  });
  progress?.finish('world', `sandbox  ${folder}`);
  return (await readWorld(folder, spec)) as GeneratedWorld;
}

/** The password of the sandbox's accounts, made at the first call. */
async function passwordIn(folder: string): Promise<string> {
  const file = path.join(folder, 'password');
  try {
    await writeFile(file, randomBytes(18).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(file, 'utf8');
}
