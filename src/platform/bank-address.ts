import path from 'node:path';
import { Secret } from './secret.ts';

/** Where a bank's API is reached, and who we are there. */
export type BankAddress = {
  readonly host: string;
  readonly port: number;
  /** In front of every path; empty, or `/…` without a slash at its end. */
  readonly path: string;
  readonly key: string;
  readonly secret: Secret;
  /** A PEM file: the certificate of the server or of who issued it. */
  readonly caPath?: string;
  readonly closed?: { readonly from: string; readonly to: string };
  readonly settlingMs?: number;
  /** How long an answer is waited for. */
  readonly answerMs?: number;
};

export type BankFaults = { readonly faults: readonly [string, ...string[]] };

const form =
  'https://KEY:SECRET@host:port/[path][?ca=/file.pem&closed=23:30-00:30&settlingSeconds=60&answerSeconds=15]';
const options = ['ca', 'closed', 'settlingSeconds', 'answerSeconds'];

/**
 * 은행 접속처. Reads `https://KEY:SECRET@host[:port]/[path][?ca=…]`, naming every fault at once and repeating no value
 * that may be a secret. Characters that a URL reserves are percent-encoded in key and secret.
 */
export function parseBankAddress(text: string): BankAddress | BankFaults {
  if (!URL.canParse(text)) return { faults: [`is not a URL of the form ${form}`] };
  const url = new URL(text);
  if (url.protocol !== 'https:') return { faults: [`begins with ${url.protocol}// instead of ${form}`] };
  const faults: string[] = [];
  const decode = (part: string, what: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      faults.push(`has a ${what} whose percent-encoding cannot be read`);
      return 'x';
    }
  };
  const key = decode(url.username, 'key');
  const secret = decode(url.password, 'secret');
  if (key === '') faults.push('names no key');
  else if (!/^[\x21-\x7e]+$/.test(key)) faults.push('has a key that no header can carry');
  if (secret === '') faults.push('has no secret');
  if (url.port === '0') faults.push('names port 0');
  const caPath = url.searchParams.get('ca') ?? undefined;
  if (caPath !== undefined && !path.isAbsolute(caPath)) faults.push('names a ca that is not an absolute path');
  const seconds = (name: string, most: number) => {
    const given = url.searchParams.get(name);
    if (given === null) return undefined;
    if (!/^\d{1,6}(\.\d{1,3})?$/.test(given) || Number(given) > most) {
      faults.push(`has ${name} that is not a number of seconds up to ${most}`);
    }
    return Math.round(Number(given) * 1000);
  };
  const settlingMs = seconds('settlingSeconds', 86_400);
  const answerMs = seconds('answerSeconds', 600);
  const closed = hours(url.searchParams.get('closed'), faults);
  for (const name of url.searchParams.keys()) {
    if (!options.includes(name)) faults.push(`has an option "${name}" that does not exist (${options.join(', ')})`);
  }
  const [fault, ...more] = faults;
  if (fault !== undefined) return { faults: [fault, ...more] };
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 443 : Number(url.port),
    path: url.pathname.replace(/\/+$/, ''),
    key,
    secret: new Secret(secret),
    ...(caPath === undefined ? {} : { caPath }),
    ...(closed === undefined ? {} : { closed }),
    ...(settlingMs === undefined ? {} : { settlingMs }),
    ...(answerMs === undefined ? {} : { answerMs }),
  };
}

function hours(text: string | null, faults: string[]): { from: string; to: string } | undefined {
  if (text === null) return undefined;
  const [, from, to] = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  faults.push('has closed hours that are not of the form 23:30-00:30');
  return undefined;
}

/** `json-van` → `JEONGSAN_BANK_JSON_VAN`. */
export function bankVariable(bank: string): string {
  return `JEONGSAN_BANK_${bank.toUpperCase().replaceAll('-', '_')}`;
}

/** The address of every bank that the environment names; `faults` names the variable with each. */
export function readBanks(
  env: Readonly<Record<string, string | undefined>>,
  banks: readonly string[],
): { readonly addresses: Readonly<Record<string, BankAddress>>; readonly faults: readonly string[] } {
  const addresses: Record<string, BankAddress> = {};
  const faults: string[] = [];
  for (const bank of banks) {
    const variable = bankVariable(bank);
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const parsed = parseBankAddress(text);
    if ('faults' in parsed) faults.push(...parsed.faults.map((fault) => `${variable} ${fault}`));
    else addresses[bank] = parsed;
  }
  return { addresses, faults };
}
