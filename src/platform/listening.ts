import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';

/** 수신. Where the server is reached, and by whom. */
export type Listening = {
  /** The address of this machine that is listened at; the loopback unless said otherwise. */
  readonly host: string;
  /** PEM files of the certificate with its chain, and of its key. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Addresses of reverse proxies: what they say of whence a request came is believed, and of nobody else. */
  readonly proxies: readonly string[];
  /** Other sites (`https://console.pg.example`) whose pages may call the interface with a key. */
  readonly origins: readonly string[];
  /** Where people reach this server, without a slash at its end; the address that is listened at unless said otherwise. */
  readonly publicUrl: string | undefined;
};

export const listeningVariables = [
  'JEONGSAN_LISTEN',
  'JEONGSAN_TLS_CERT',
  'JEONGSAN_TLS_KEY',
  'JEONGSAN_PROXIES',
  'JEONGSAN_ORIGINS',
  'JEONGSAN_PUBLIC_URL',
] as const;

const loopback = '127.0.0.1';
const mostNames = 50;

/**
 * Reads where to listen. Beyond the loopback passwords and keys would go over the network in the clear, so that takes a
 * certificate, or a reverse proxy that has one.
 */
export function readListening(env: Readonly<Record<string, string | undefined>>): {
  readonly listening: Listening;
  readonly faults: readonly string[];
} {
  const host = env['JEONGSAN_LISTEN'] ?? loopback;
  const [certFile, keyFile] = [env['JEONGSAN_TLS_CERT'], env['JEONGSAN_TLS_KEY']];
  const proxies = names(env['JEONGSAN_PROXIES']);
  const origins = names(env['JEONGSAN_ORIGINS']);
  const publicUrl = env['JEONGSAN_PUBLIC_URL'];
  const isExposed = isIP(host) !== 0 && !/^127\.|^::1$/.test(host);
  const faults = [
    ...(isIP(host) === 0 ? ['JEONGSAN_LISTEN must be an IP address, as 127.0.0.1 or 0.0.0.0'] : []),
    ...((certFile === undefined) === (keyFile === undefined)
      ? []
      : ['JEONGSAN_TLS_CERT and JEONGSAN_TLS_KEY belong together']),
    ...[certFile, keyFile]
      .filter((file) => file !== undefined && !isAbsolute(file))
      .map(() => 'JEONGSAN_TLS_CERT and JEONGSAN_TLS_KEY must be absolute paths of PEM files'),
    ...(proxies.every((each) => isIP(each) !== 0) && proxies.length <= mostNames
      ? []
      : ['JEONGSAN_PROXIES must be IP addresses, split by commas']),
    ...(origins.every(isOrigin) && origins.length <= mostNames
      ? []
      : ['JEONGSAN_ORIGINS must be origins as https://console.pg.example, split by commas']),
    ...(publicUrl === undefined || isOrigin(publicUrl)
      ? []
      : ['JEONGSAN_PUBLIC_URL must be an origin, as https://settle.pg.example']),
    ...(isExposed && certFile === undefined && proxies.length === 0
      ? ['JEONGSAN_LISTEN beyond the loopback needs JEONGSAN_TLS_CERT and JEONGSAN_TLS_KEY, or JEONGSAN_PROXIES']
      : []),
    ...((isExposed || proxies.length > 0) && publicUrl === undefined
      ? ['JEONGSAN_PUBLIC_URL must say where people reach a server that is not on the loopback']
      : []),
  ];
  const tls = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  return { listening: { host, tls, proxies, origins, publicUrl }, faults };
}

/** Where people reach the server that listens at this port. */
export function publicUrlOf({ publicUrl, tls, host }: Listening, port: number): string {
  return publicUrl ?? `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function names(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}
