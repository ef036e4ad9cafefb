import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from './secret.ts';

/** Where a provider's files are collected from. */
export type SourceAddress = SftpAddress | FolderAddress;

export type FolderAddress = { readonly kind: 'folder'; readonly folder: string };

export type SftpAddress = {
  readonly kind: 'sftp';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly folder: string;
  /** `SHA256:…` as `ssh-keygen -lf` prints them; several while a host changes its key. */
  readonly hostKeys: readonly [string, ...string[]];
  readonly password?: Secret;
  readonly privateKeyPath?: string;
};

/** What is wrong with an address, each in a sentence without secrets. */
export type SourceFaults = { readonly faults: readonly [string, ...string[]] };

const forms = 'sftp://user[:password]@host:port/folder?hostKey=SHA256:…[&privateKey=/path] or file:///folder';

/**
 * 수집처. Reads `sftp://user[:password]@host[:port]/folder?hostKey=SHA256:…[&privateKey=/path]` or `file:///folder`,
 * naming every fault at once. Characters that a URL reserves are percent-encoded in user and password.
 */
export function parseSource(text: string): SourceAddress | SourceFaults {
  // A fingerprint is base64, whose + a query would read as a space.
  const cut = text.indexOf('?');
  const escaped = cut < 0 ? text : text.slice(0, cut) + text.slice(cut).replaceAll('+', '%2B');
  if (!URL.canParse(escaped)) return { faults: [`is not a URL of the form ${forms}`] };
  const url = new URL(escaped);
  if (url.protocol === 'file:') return parseFolder(url);
  if (url.protocol === 'sftp:') return parseSftp(url);
  return { faults: [`begins with ${url.protocol}// instead of ${forms}`] };
}

function parseFolder(url: URL): FolderAddress | SourceFaults {
  if (url.host !== '') return { faults: [`names a host (${url.host}); a folder is written file:///folder`] };
  try {
    return { kind: 'folder', folder: path.normalize(fileURLToPath(url)) };
  } catch {
    return { faults: ['names a folder with an encoding that cannot be read'] };
  }
}

const sftpOptions = ['hostKey', 'privateKey'];

function parseSftp(url: URL): SftpAddress | SourceFaults {
  const faults: string[] = [];
  const decode = (part: string, what: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      faults.push(`has a ${what} whose percent-encoding cannot be read`);
      return '';
    }
  };
  const user = decode(url.username, 'user');
  const password = decode(url.password, 'password');
  const folder = decode(url.pathname, 'folder') || '/';
  const hostKeys = url.searchParams.getAll('hostKey').map((key) => key.replace(/=+$/, ''));
  const privateKeyPath = url.searchParams.get('privateKey') ?? undefined;

  if (url.hostname === '') faults.push('names no host');
  if (url.port === '0') faults.push('names port 0');
  if (user === '') faults.push('names no user');
  if (hostKeys.length === 0)
    faults.push('pins no host key: add ?hostKey=SHA256:… (ssh-keyscan HOST | ssh-keygen -lf -)');
  for (const key of hostKeys) {
    if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(key))
      faults.push(`pins "${key}", which is not SHA256: and 43 base64 characters`);
  }
  if (password === '' && privateKeyPath === undefined) faults.push('has neither a password nor privateKey=/path');
  if (privateKeyPath !== undefined && !path.isAbsolute(privateKeyPath)) {
    faults.push('names a privateKey that is not an absolute path');
  }
  for (const name of url.searchParams.keys()) {
    if (!sftpOptions.includes(name))
      faults.push(`has an option "${name}" that does not exist (${sftpOptions.join(', ')})`);
  }

  const [fault, ...more] = faults;
  if (fault !== undefined) return { faults: [fault, ...more] };
  return {
    kind: 'sftp',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 22 : Number(url.port),
    user,
    folder,
    hostKeys: hostKeys as [string, ...string[]],
    ...(password === '' ? {} : { password: new Secret(password) }),
    ...(privateKeyPath === undefined ? {} : { privateKeyPath }),
  };
}

/** The address for people: never the password. */
export function formatSource(address: SourceAddress): string {
  if (address.kind === 'folder') return address.folder;
  return `sftp://${address.user}@${address.host}:${address.port}${address.folder}`;
}

/** `welcome-online` → `JEONGSAN_SOURCE_WELCOME_ONLINE`. */
export function sourceVariable(provider: string): string {
  return `JEONGSAN_SOURCE_${provider.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * The address of every provider by the environment; where it says nothing, the folder `<home>/inbox/<provider>`.
 * `faults` names the variable with each.
 */
export function readSources(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  providers: readonly string[],
): { addresses: Readonly<Record<string, SourceAddress>>; faults: string[] } {
  const addresses: Record<string, SourceAddress> = {};
  const faults: string[] = [];
  for (const provider of providers) {
    const variable = sourceVariable(provider);
    const text = env[variable];
    if (text === undefined || text === '') {
      addresses[provider] = { kind: 'folder', folder: path.join(home, 'inbox', provider) };
      continue;
    }
    const parsed = parseSource(text);
    if ('faults' in parsed) faults.push(...parsed.faults.map((fault) => `${variable} ${fault}`));
    else addresses[provider] = parsed;
  }
  return { addresses, faults };
}
