import path from 'node:path';
import { Problem } from '../kernel/problem.ts';
import { type FolderAddress, parseSource, type SftpAddress, type SourceFaults } from './source-address.ts';

/** Where files are exchanged with a provider: put there by us, found there from it. */
export type RemoteAddress = SftpAddress | HttpsAddress | FolderAddress;

/** A folder that speaks WebDAV (RFC 4918) over TLS. */
export type HttpsAddress = {
  readonly kind: 'https';
  readonly host: string;
  readonly port: number;
  /** In front of every path; empty, or `/…` without a slash at its end. */
  readonly folder: string;
  /** A file that holds the bearer token: read when it is used, and so changed without a restart. */
  readonly tokenPath: string;
  /**
   * `SHA256:…` over the server's certificate, base64; several while it is renewed. One that is pinned needs no authority.
   * Empty: the certificate is verified against `caPath`, or the authorities that Node knows.
   */
  readonly fingerprints: readonly string[];
  /** A PEM file: the certificate of who issued the server's. */
  readonly caPath?: string;
};

const form =
  'sftp://user[:password]@host:port/folder?hostKey=SHA256:…[&privateKey=/path], ' +
  'https://host:port/folder?tokenFile=/path[&fingerprint=SHA256:…][&ca=/path.pem] or file:///folder';

const httpsOptions = ['tokenFile', 'fingerprint', 'ca'];

/** 파일 교환처. Reads an address of one of three forms, naming every fault at once and repeating no secret. */
export function parseRemoteAddress(text: string): RemoteAddress | SourceFaults {
  if (!text.startsWith('https:')) {
    const parsed = parseSource(text);
    if (!('faults' in parsed) || /^(sftp|file):/.test(text)) return parsed;
    return { faults: [`is not a URL of the form ${form}`] };
  }
  // A fingerprint is base64, whose + a query would read as a space.
  const cut = text.indexOf('?');
  const escaped = cut < 0 ? text : text.slice(0, cut) + text.slice(cut).replaceAll('+', '%2B');
  if (!URL.canParse(escaped)) return { faults: [`is not a URL of the form ${form}`] };
  return parseHttps(new URL(escaped));
}

function parseHttps(url: URL): HttpsAddress | SourceFaults {
  const faults: string[] = [];
  if (url.username !== '' || url.password !== '') {
    faults.push('holds a user or a password: what it logs in with is the token in tokenFile=/path');
  }
  if (url.port === '0') faults.push('names port 0');
  const tokenPath = url.searchParams.get('tokenFile') ?? '';
  if (tokenPath === '') faults.push('names no tokenFile=/path, the file that holds the bearer token');
  else if (!path.isAbsolute(tokenPath)) faults.push('names a tokenFile that is not an absolute path');
  let folder = '';
  try {
    folder = decodeURIComponent(url.pathname).replace(/\/+$/, '');
  } catch {
    faults.push('has a folder whose percent-encoding cannot be read');
  }
  const fingerprints = url.searchParams.getAll('fingerprint').map(toBase64);
  for (const print of fingerprints) {
    if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(print)) {
      faults.push(`pins "${print}", which is neither SHA256: and 43 base64 characters nor 32 bytes in hexadecimal`);
    }
  }
  const caPath = url.searchParams.get('ca') ?? undefined;
  if (caPath !== undefined && !path.isAbsolute(caPath)) faults.push('names a ca that is not an absolute path');
  if (caPath !== undefined && fingerprints.length > 0)
    faults.push('has both a fingerprint and a ca: one of them decides');
  for (const name of url.searchParams.keys()) {
    if (!httpsOptions.includes(name)) {
      faults.push(`has an option "${name}" that does not exist (${httpsOptions.join(', ')})`);
    }
  }
  const [fault, ...more] = faults;
  if (fault !== undefined) return { faults: [fault, ...more] };
  return {
    kind: 'https',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 443 : Number(url.port),
    folder,
    tokenPath,
    fingerprints,
    ...(caPath === undefined ? {} : { caPath }),
  };
}

/** As `openssl x509 -fingerprint -sha256` prints it, in the form that is compared. */
function toBase64(print: string): string {
  if (!/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/i.test(print)) return print.replace(/=+$/, '');
  return `SHA256:${Buffer.from(print.replaceAll(':', ''), 'hex').toString('base64').replace(/=+$/, '')}`;
}

/** `welcome` → `JEONGSAN_DIFFERENTIAL_WELCOME`. */
export function differentialVariable(provider: string): string {
  return `JEONGSAN_DIFFERENTIAL_${provider.toUpperCase().replaceAll('-', '_')}`;
}

type RemoteAddresses = Readonly<Record<string, RemoteAddress>>;

/** Where files are exchanged with every provider that the environment names; `faults` names the variable with each. */
export function readDifferential(
  env: Readonly<Record<string, string | undefined>>,
  providers: readonly string[],
): { readonly addresses: RemoteAddresses; readonly faults: readonly string[] } {
  const addresses: Record<string, RemoteAddress> = {};
  const faults: string[] = [];
  for (const provider of providers) {
    const variable = differentialVariable(provider);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const parsed = parseRemoteAddress(text);
    if ('faults' in parsed) faults.push(...parsed.faults.map((fault) => `${variable} ${fault}`));
    else addresses[provider] = parsed;
  }
  return { addresses, faults };
}

/** The address of a provider. Throws Problem `differential_not_configured`. */
export function differentialAddress(addresses: RemoteAddresses, provider: string): RemoteAddress {
  const address = addresses[provider];
  if (address !== undefined) return address;
  throw new Problem('differential_not_configured', { provider, variable: differentialVariable(provider) });
}
