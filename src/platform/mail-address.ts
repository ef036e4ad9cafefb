import { isIP } from 'node:net';
import path from 'node:path';
import { Secret } from './secret.ts';

/** 메일 서버. How mail leaves: by whom it is taken, and who we are there. */
export type MailAddress = {
  readonly host: string;
  readonly port: number;
  /** `wrapped` from the first byte (`smtps:`), `starttls` required before anything is said, or `none` where that is said. */
  readonly tls: 'wrapped' | 'starttls' | 'none';
  readonly user?: string;
  readonly password?: Secret;
  /** A PEM file: the certificate of the server or of who issued it. */
  readonly caPath?: string;
};

const form = 'smtp[s]://[user:password@]host[:port][?ca=/file.pem&tls=none]';
const options = ['ca', 'tls'];

/**
 * Reads `smtps://user:password@host[:465]` or `smtp://…[:587]`, which must offer STARTTLS unless `tls=none` says that
 * everything may be read on the way; a password is never sent so. Names every fault and repeats no value.
 */
export function parseMailAddress(text: string): MailAddress | { readonly faults: readonly string[] } {
  if (!URL.canParse(text)) return { faults: [`is not a URL of the form ${form}`] };
  const url = new URL(text);
  const wrapped = url.protocol === 'smtps:';
  if (!wrapped && url.protocol !== 'smtp:') return { faults: [`begins with ${url.protocol}// instead of ${form}`] };
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
  if (url.hostname === '') faults.push('names no host');
  if (url.port === '0') faults.push('names port 0');
  if ((user === '') !== (password === '')) faults.push('has a user without a password, or a password without a user');
  const caPath = url.searchParams.get('ca') ?? undefined;
  if (caPath !== undefined && !path.isAbsolute(caPath)) faults.push('names a ca that is not an absolute path');
  const plain = url.searchParams.get('tls');
  if (plain !== null && (plain !== 'none' || wrapped))
    faults.push('has tls that is not none, or none in spite of smtps');
  if (plain === 'none' && password !== '') faults.push('would send its password without TLS');
  for (const name of url.searchParams.keys()) {
    if (!options.includes(name)) faults.push(`has an option "${name}" that does not exist (${options.join(', ')})`);
  }
  if (faults.length > 0) return { faults };
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (wrapped ? 465 : 587) : Number(url.port),
    tls: wrapped ? 'wrapped' : plain === 'none' ? 'none' : 'starttls',
    ...(user === '' ? {} : { user, password: new Secret(password) }),
    ...(caPath === undefined ? {} : { caPath }),
  };
}

const sign = String.raw`[^\s\p{C}@<>()\[\]\\,;:"]+`;
const bare = new RegExp(`^${sign}@${sign}\\.${sign}$|^${sign}@localhost$`, 'u');

/** One address as a person types it, without a name: `ops@pg.example`. At most 254 characters (RFC 5321). */
export function isMailbox(text: string): boolean {
  return text.length <= 254 && bare.test(text) && isIP(text.slice(text.indexOf('@') + 1)) === 0;
}

/** `ops@pg.example` or `정산 <ops@pg.example>`, on one line. */
export function isSender(text: string): boolean {
  const [, mailbox] = /^[^<>"\r\n]{1,100} <([^<>]+)>$/u.exec(text) ?? [];
  return isMailbox(mailbox ?? text);
}
