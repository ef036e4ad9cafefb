import { Secret } from './secret.ts';

/** 외부 로그인. The identity provider at which people may sign in, by OpenID Connect. */
export type OidcAddress = {
  /** `https://login.pg.example/realms/pg`: its discovery document is below it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
};

const issuer = 'JEONGSAN_OIDC_ISSUER';
const clientId = 'JEONGSAN_OIDC_CLIENT_ID';
const clientSecret = 'JEONGSAN_OIDC_CLIENT_SECRET';
export const oidcVariables = [issuer, clientId, clientSecret] as const;

/** Reads the three variables: all of them, or none. No value is repeated in a fault. */
export function readOidc(set: Readonly<Record<string, string | undefined>>): {
  readonly address: OidcAddress | undefined;
  readonly faults: readonly string[];
} {
  const given = oidcVariables.filter((name) => set[name] !== undefined);
  if (given.length === 0) return { address: undefined, faults: [] };
  const missing = oidcVariables.filter((name) => set[name] === undefined);
  const [at, id, secret] = oidcVariables.map((name) => set[name] ?? '') as [string, string, string];
  const faults = [
    ...(missing.length === 0 ? [] : [`${given[0]} needs ${missing.join(' and ')}, too`]),
    ...(at === '' || isIssuer(at) ? [] : [`${issuer} must be an https:// URL, or http:// of this machine`]),
  ];
  if (faults.length > 0) return { address: undefined, faults };
  return {
    address: { issuer: at.replace(/\/+$/, ''), clientId: id, clientSecret: new Secret(secret) },
    faults: [],
  };
}

/** What it says is who somebody is: it is spoken to in the clear on this machine alone. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && isHere)) && search === '' && hash === '';
}
