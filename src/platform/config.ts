import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { isBusinessNo } from '../kernel/business-no.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { type BankAddress, bankVariable, readBanks } from './bank-address.ts';
import type { DataKeys } from './cipher.ts';
import { isDataKey } from './data-key-files.ts';
import { type Listening, listeningVariables, readListening } from './listening.ts';
import { isSender, type MailAddress, parseMailAddress } from './mail-address.ts';
import { type OidcAddress, oidcVariables, readOidc } from './oidc-address.ts';
import { differentialVariable, type RemoteAddress, readDifferential } from './remote-address.ts';
import { Secret } from './secret.ts';
import { readSources, type SourceAddress, sourceVariable } from './source-address.ts';

/** What the environment decides. There is no configuration file. */
export type Config = {
  /** Absolute. Everything that this installation keeps outside a database of its own is below it. */
  readonly home: string;
  /** PostgreSQL to use; without it the embedded server of this home is used. */
  readonly databaseUrl: Secret | undefined;
  /** TCP port of the server; 0 lets the system choose one. */
  readonly port: number;
  readonly listening: Listening;
  readonly logLevel: LogLevel;
  readonly language: Language;
  /** The server that the command line asks instead of the database. */
  readonly server: string | undefined;
  /** Who the command line acts as, once there are people. */
  readonly apiKey: Secret | undefined;
  /** Where people may sign in besides here. */
  readonly oidc: OidcAddress | undefined;
  /** Seal account numbers and the like; without any the key that the home keeps is used. */
  readonly dataKeys: DataKeys;
  /** Where each provider's files are collected from. */
  readonly sources: Readonly<Record<string, SourceAddress>>;
  /** How long after its slot money may be credited before people are told, where that is not as usual. */
  readonly lateness: { readonly lateMs?: number; readonly veryLateMs?: number };
  /** How each bank is reached; those without an address are not there. */
  readonly banks: Readonly<Record<string, BankAddress>>;
  /** Where files of differential settlement are exchanged with each provider; those without an address are not reached. */
  readonly differential: Readonly<Record<string, RemoteAddress>>;
  /** 우리 사업자등록번호. Ten digits: who we are in the files that we send. */
  readonly businessNo: string | undefined;
  /** By whom mail leaves, and in whose name; without it none does. */
  readonly mail: { readonly address: MailAddress; readonly from: string } | undefined;
  /** Authorities that count for webhooks besides those that Node knows. */
  readonly webhookCaPath: string | undefined;
  /** `host` or `host:port` in our own networks that webhooks and alerts may be posted to, and without TLS. */
  readonly privateHosts: readonly string[];
  /** Where spans are sent (OTLP over HTTP); without it none are made. */
  readonly tracesUrl: string | undefined;
};

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The checkout, or the folder that the package was installed in. */
export const repositoryRoot = resolve(import.meta.dirname, '../..');

const ownPrefix = 'JEONGSAN_';

function seconds() {
  return z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of seconds from 1 to 99999')
    .transform(Number);
}

/** One entry per variable: its name is what an operator types, its message what they read when it is wrong. */
const variables = {
  JEONGSAN_HOME: z.string().optional(),
  JEONGSAN_LANGUAGE: z.enum(['ko', 'en'], { error: 'must be ko or en' }).optional(),
  DATABASE_URL: z.string().refine(isPostgresUrl, 'must look like postgres://user:password@host:5432/name').optional(),
  JEONGSAN_DATA_KEY: z.string().refine(isDataKey, 'must be 32 bytes in base64 (openssl rand -base64 32)').optional(),
  JEONGSAN_DATA_KEY_FILE: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
  JEONGSAN_DATA_KEYS_OLD: z
    .string()
    .transform((text) => text.split(',').map((key) => key.trim()))
    .refine((keys) => keys.every(isDataKey), 'must be keys of 32 bytes in base64, split by commas')
    .optional(),
  JEONGSAN_DATA_KEYS_OLD_FILE: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
  JEONGSAN_API_KEY: z.string().optional(),
  JEONGSAN_SERVER: z.url({ protocol: /^https?$/, error: 'must be an https:// URL' }).optional(),
  JEONGSAN_BUSINESS_NO: z
    .string()
    .refine(isBusinessNo, 'must be ten digits, the last of which is the check digit')
    .optional(),
  JEONGSAN_PRIVATE_HOSTS: z
    .string()
    .transform((text) => text.split(',').map((host) => host.trim().toLowerCase()))
    .refine((hosts) => hosts.every((host) => /^[a-z0-9.:[\]_-]+$/.test(host)), 'must be hosts, split by commas')
    .optional(),
  JEONGSAN_SMTP_URL: z.string().optional(),
  JEONGSAN_MAIL_FROM: z.string().refine(isSender, 'must look like ops@pg.example or 정산 <ops@pg.example>').optional(),
  JEONGSAN_WEBHOOK_CA: z.string().refine(isAbsolute, 'must be the absolute path of a PEM file').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).optional(),
  JEONGSAN_LATE_SECONDS: seconds().optional(),
  JEONGSAN_VERY_LATE_SECONDS: seconds().optional(),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a whole number from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65535, 'must be a whole number from 0 to 65535')
    .optional(),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).optional(),
};

/**
 * The configuration of this process; `providers` are the ids that may have a source, `banks` and `differential` (those
 * whom we claim differences from) the ids that may have an address. A variable that is set to nothing counts as not set.
 * Throws `config_invalid` that names every fault at once; no value is repeated in it, since it may be a secret.
 */
export function loadConfig(
  env: NodeJS.ProcessEnv,
  providers: readonly string[] = [],
  banks: readonly string[] = [],
  differential: readonly string[] = [],
): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const known = [
    ...Object.keys(variables),
    ...oidcVariables,
    ...listeningVariables,
    ...providers.map(sourceVariable),
    ...banks.map(bankVariable),
    ...differential.map(differentialVariable),
  ];
  const unknown = Object.keys(set).filter((name) => name.startsWith(ownPrefix) && !known.includes(name));
  const parsed = z.object(variables).safeParse(set);
  const home = homeFolder(set['JEONGSAN_HOME']);
  const sources = readSources(set, home, providers);
  const bankAddresses = readBanks(set, banks);
  const remotes = readDifferential(set, differential);
  const mail = readMail(set);
  const { listening, faults: listeningFaults } = readListening(set);
  const oidc = readOidc(set);
  const faults = [
    ...(parsed.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? []),
    ...unknown.map((name) => `${name} is not a variable of Jeongsan; known: ${knownNames(known)}`),
    ...oidc.faults,
    ...sources.faults,
    ...bankAddresses.faults,
    ...remotes.faults,
    ...mail.faults,
    ...listeningFaults,
  ];
  if (!parsed.success || faults.length > 0) {
    throw new Problem('config_invalid', { faults: faults.map((fault) => `  ${fault}`).join('\n') });
  }
  const { data } = parsed;
  return {
    home,
    databaseUrl: data.DATABASE_URL === undefined ? undefined : new Secret(data.DATABASE_URL),
    port: data.PORT ?? 4000,
    listening,
    logLevel: data.LOG_LEVEL ?? 'info',
    language: languageOf(set),
    dataKeys: {
      ...(data.JEONGSAN_DATA_KEY === undefined ? {} : { key: new Secret(data.JEONGSAN_DATA_KEY) }),
      ...(data.JEONGSAN_DATA_KEY_FILE === undefined ? {} : { keyFile: data.JEONGSAN_DATA_KEY_FILE }),
      ...(data.JEONGSAN_DATA_KEYS_OLD === undefined
        ? {}
        : { oldKeys: data.JEONGSAN_DATA_KEYS_OLD.map((key) => new Secret(key)) }),
      ...(data.JEONGSAN_DATA_KEYS_OLD_FILE === undefined ? {} : { oldKeysFile: data.JEONGSAN_DATA_KEYS_OLD_FILE }),
    },
    server: data.JEONGSAN_SERVER,
    apiKey: data.JEONGSAN_API_KEY === undefined ? undefined : new Secret(data.JEONGSAN_API_KEY),
    oidc: oidc.address,
    lateness: {
      ...(data.JEONGSAN_LATE_SECONDS === undefined ? {} : { lateMs: data.JEONGSAN_LATE_SECONDS * 1000 }),
      ...(data.JEONGSAN_VERY_LATE_SECONDS === undefined ? {} : { veryLateMs: data.JEONGSAN_VERY_LATE_SECONDS * 1000 }),
    },
    sources: sources.addresses,
    banks: bankAddresses.addresses,
    differential: remotes.addresses,
    businessNo: data.JEONGSAN_BUSINESS_NO,
    mail: mail.settings,
    webhookCaPath: data.JEONGSAN_WEBHOOK_CA,
    privateHosts: data.JEONGSAN_PRIVATE_HOSTS ?? [],
    tracesUrl: data.OTEL_EXPORTER_OTLP_ENDPOINT,
  };
}

/** Who we are in the files that we send. Throws Problem `business_no_not_configured`. */
export function ownBusinessNo({ businessNo }: Config): string {
  if (businessNo !== undefined) return businessNo;
  throw new Problem('business_no_not_configured', { variable: 'JEONGSAN_BUSINESS_NO' });
}

/** Both, or neither: a mail that nobody seems to have sent is taken by no server. */
function readMail(set: Readonly<Record<string, string | undefined>>): {
  readonly settings: Config['mail'];
  readonly faults: readonly string[];
} {
  const [url, from] = [set['JEONGSAN_SMTP_URL'], set['JEONGSAN_MAIL_FROM']];
  if (url === undefined && from === undefined) return { settings: undefined, faults: [] };
  if (url === undefined) return { settings: undefined, faults: ['JEONGSAN_MAIL_FROM needs JEONGSAN_SMTP_URL'] };
  const address = parseMailAddress(url);
  const unnamed = from === undefined ? ['JEONGSAN_SMTP_URL needs JEONGSAN_MAIL_FROM'] : [];
  const faults = 'faults' in address ? address.faults.map((fault) => `JEONGSAN_SMTP_URL ${fault}`) : [];
  if ('faults' in address || from === undefined) return { settings: undefined, faults: [...faults, ...unnamed] };
  return { settings: { address, from }, faults: [] };
}

function knownNames(known: readonly string[]): string {
  return known.filter((name) => name.startsWith(ownPrefix)).join(', ');
}

function homeFolder(given: string | undefined): string {
  if (given === undefined) return join(repositoryRoot, '.jeongsan');
  return isAbsolute(given) ? given : resolve(given);
}

/** `JEONGSAN_LANGUAGE`, else the locale's; also where the configuration itself is what is wrong. */
export function languageOf(env: NodeJS.ProcessEnv): Language {
  const wanted = env['JEONGSAN_LANGUAGE'] || env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'];
  return wanted?.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'postgres:' || protocol === 'postgresql:';
}
