import { randomUUID } from 'node:crypto';
import { recordAct } from '../audit/store.ts';
import { isProblem, type Language, Problem } from '../kernel/problem.ts';
import { languageFor } from '../platform/http/language.ts';
import { problemAnswer } from '../platform/http/problem-answer.ts';
import type { OidcAddress } from '../platform/oidc-address.ts';
import { beginAttempt, endAttempts } from './attempt-store.ts';
import { checkOrigin } from './forgery.ts';
import { handleLink } from './link-handler.ts';
import { refusalPage } from './link-page.ts';
import { checkPassword } from './password-rule.ts';
import { findPerson } from './person-store.ts';
import { readBody } from './request-body.ts';
import { endSessionOf } from './session-store.ts';
import { addressHeader, createSignIn, type SignIn, type SignInPorts } from './sign-in.ts';
import { signInPaths, takenOf } from './sign-in-paths.ts';
import { takeCode } from './used-code-store.ts';

export type HandlerPorts = SignInPorts & {
  readonly language: Language;
  readonly oidc: OidcAddress | undefined;
  readonly now: () => Temporal.Instant;
};

const providerPatienceMs = 10_000;
/** Headers of a request that mean something to signing in; whatever else came stays outside. */
const passedOn = ['cookie', 'origin', 'referer', 'user-agent', 'accept-language'];

/** Answers what is below `/auth/`, refusals as problem+json. */
export function createSignInHandler(ports: HandlerPorts, signIn: SignIn) {
  const provider = openProvider(ports);
  return async (request: Request, address: string): Promise<Response> => {
    const language = languageFor(request.headers.get('accept-language'), ports.language);
    try {
      const response = await answer(request, address, language);
      const headers = new Headers(response.headers);
      headers.set('cache-control', 'no-store');
      return new Response(response.body, { status: response.status, headers });
    } catch (error) {
      if (!isProblem(error)) throw error;
      if (isPage(request)) return refusalPage(error, language);
      return problemAnswer(error, { language, requestId: randomUUID() }, { 'cache-control': 'no-store' });
    }
  };

  async function answer(request: Request, address: string, language: Language): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/auth(?=\/)/, '');
    if (path === '/failed') {
      throw new Problem('sign_in_failed', { reason: plainReason(url.searchParams.get('error')) });
    }
    if (path.startsWith('/link/')) {
      checkOrigin(request, ports.publicUrl);
      return handleLink(request, path.slice('/link/'.length), { ...ports, signIn, address, language });
    }
    if (path === '/oidc' && request.method === 'GET') return toProvider(request, address);
    const known = Object.hasOwn(signInPaths, path) ? signInPaths[path] : undefined;
    if (known === undefined || known.method !== request.method) {
      throw new Problem('not_found', { what: 'path', id: url.pathname });
    }
    checkOrigin(request, ports.publicUrl);
    const body = known.method === 'GET' ? undefined : takenOf(path, await readBody(request));
    const engine = known.provider ? await provider() : signIn;
    const who = await beforehand(path, body, request, address);
    const response = await engine.handler(passOn(request, `/auth${path}${url.search}`, body, address));
    return afterwards(path, { who, code: String(body?.['code'] ?? '') }, response, address);
  }

  /** A link instead of a script: sends the browser to the identity provider, and from there to the front page. */
  async function toProvider(request: Request, address: string): Promise<Response> {
    const path = '/sign-in/social';
    const asked = passOn(request, `/auth${path}`, takenOf(path, { callbackURL: '/' }), address);
    const response = await (await provider()).handler(asked);
    const { url } = (await response.clone().json()) as { readonly url?: string };
    if (response.status !== 200 || url === undefined) throw problemOf(response, undefined);
    const headers = new Headers({ location: url });
    for (const line of response.headers.getSetCookie()) headers.append('set-cookie', line);
    return new Response(null, { status: 302, headers });
  }

  /** Checks what better-auth does not, and says whose address or session it is about. */
  async function beforehand(
    path: string,
    body: Record<string, unknown> | undefined,
    request: Request,
    address: string,
  ): Promise<string> {
    if (path === '/sign-in/email') {
      const email = String(body?.['email'] ?? '')
        .trim()
        .toLowerCase();
      const seconds = await beginAttempt(ports.pool, email, ports.now());
      if (seconds === undefined) return email;
      await record('signIn', email, address, 'refused', 'sign_in_locked');
      throw new Problem('sign_in_locked', { seconds });
    }
    const session = await signIn.api.getSession({ headers: request.headers });
    if (path === '/change-password' && session !== null) {
      checkPassword(String(body?.['newPassword'] ?? ''), [session.user.name, session.user.email]);
    }
    return session?.user.id ?? '';
  }

  async function afterwards(
    path: string,
    { who, code }: { readonly who: string; readonly code: string },
    response: Response,
    address: string,
  ): Promise<Response> {
    const confirmed = who !== '' && path.startsWith('/two-factor/verify-');
    const act = confirmed ? 'confirmSecondFactor' : signInPaths[path]?.act;
    const said = await saidBy(response);
    if (response.status >= 500) throw new Error(`better-auth answered ${response.status} ${said?.code ?? ''}`);
    if (response.status >= 400) {
      const problem = problemOf(response, said?.code);
      if (act !== undefined) await record(act, who, address, 'refused', problem.code);
      throw problem;
    }
    if (path === '/sign-in/email') await endAttempts(ports.pool, who);
    if (path === '/two-factor/verify-totp') await takeOnce(String(said?.user?.id), code, said?.token, address);
    if (act !== undefined && said?.twoFactorRedirect !== true) {
      await record(act, said?.user?.id ?? who, address, 'done');
    }
    if (path === '/callback/oidc') await recordCallback(response, address);
    return withoutToken(response, said);
  }

  /** A code that was seen being typed opens nothing, although it is still valid: what it opened is closed. */
  async function takeOnce(who: string, code: string, token: string | undefined, address: string): Promise<void> {
    if (await takeCode(ports.pool, who, code)) return;
    if (token !== undefined) await endSessionOf(ports.pool, token);
    await record('signIn', who, address, 'refused', 'second_factor_refused');
    throw new Problem('second_factor_refused');
  }

  async function recordCallback(response: Response, address: string): Promise<void> {
    const cookie = response.headers
      .getSetCookie()
      .map((line) => line.split(';')[0] ?? '')
      .join('; ');
    const session = await signIn.api.getSession({ headers: new Headers({ cookie }) });
    const reason = new URL(response.headers.get('location') ?? '/', ports.publicUrl).searchParams.get('error');
    if (session !== null) await record('signIn', session.user.id, address, 'done', 'oidc');
    else await record('signIn', '', address, 'refused', `oidc: ${plainReason(reason)}`);
  }

  /** Of an address that nobody has, nothing is kept: it may be a password that was typed into the wrong field. */
  async function record(act: string, who: string, from: string, outcome: 'done' | 'refused', reason?: string) {
    const known = who !== '' && (await findPerson(ports.pool, who)) !== undefined;
    const name = known ? who : 'unknown';
    await recordAct(ports.pool, { actor: { who: name, from }, act, subject: `person:${name}`, outcome, reason });
  }

  function passOn(request: Request, path: string, body: Record<string, unknown> | undefined, address: string): Request {
    const headers = new Headers();
    for (const name of passedOn) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    headers.set(addressHeader, address);
    if (body === undefined) return new Request(`${ports.publicUrl}${path}`, { headers });
    headers.set('content-type', 'application/json');
    return new Request(`${ports.publicUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}

/** What signs in at the identity provider: opened when it is first needed, and again where that failed. */
function openProvider(ports: HandlerPorts): () => Promise<SignIn> {
  let opened: Promise<SignIn> | undefined;
  return async () => {
    const { oidc } = ports;
    if (oidc === undefined) throw new Problem('not_found', { what: 'path', id: '/auth/sign-in/social' });
    opened ??= withinPatience(
      createProvider(ports, oidc),
      new Problem('identity_provider_unavailable', { issuer: oidc.issuer }),
    );
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
}

async function createProvider(ports: HandlerPorts, oidc: OidcAddress): Promise<SignIn> {
  const engine = createSignIn(ports, oidc);
  const { socialProviders } = await engine.$context;
  if (!socialProviders.some(({ id }) => id === 'oidc')) {
    throw new Problem('identity_provider_unavailable', { issuer: oidc.issuer });
  }
  return engine;
}

async function withinPatience<T>(work: Promise<T>, problem: Problem): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(problem), providerPatienceMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** All alike for who asks: whether there is such a person, whether they are disabled, whether the password was right. */
const refusals = ['INVALID_EMAIL', 'INVALID_EMAIL_OR_PASSWORD', 'INVALID_PASSWORD', 'FAILED_TO_CREATE_SESSION'];

/** Whoever follows a link, or comes back from the provider, reads a page. */
function isPage({ headers, url }: Request): boolean {
  return /\/auth\/(link\/|failed|oidc|callback)/.test(url) && (headers.get('accept') ?? '').includes('text/html');
}

function problemOf(response: Response, code: string | undefined): Problem {
  const reason = plainReason(code);
  if (response.status === 429 || /LOCKED|TOO_MANY/.test(reason)) {
    const seconds = Number(response.headers.get('x-retry-after') ?? 60);
    return new Problem('sign_in_locked', { seconds: Number.isFinite(seconds) ? Math.max(1, seconds) : 60 });
  }
  if (refusals.includes(reason)) return new Problem('sign_in_refused');
  if (/INVALID_(CODE|BACKUP_CODE|TWO_FACTOR_COOKIE)|OTP/.test(reason)) return new Problem('second_factor_refused');
  return new Problem('sign_in_failed', { reason });
}

type Said = {
  readonly token?: string;
  readonly code?: string;
  readonly twoFactorRedirect?: boolean;
  readonly user?: { readonly id?: string };
};

/** What an answer says, where it says anything: a redirection may be JSON of no bytes. */
async function saidBy(response: Response): Promise<Said | undefined> {
  if (!/json/.test(response.headers.get('content-type') ?? '')) return undefined;
  const text = await response.clone().text();
  return text === '' ? undefined : ((JSON.parse(text) as Said | null) ?? undefined);
}

/** What others say went wrong, where it is a word and no more. */
function plainReason(given: string | null | undefined): string {
  return /^[A-Za-z_ -]{1,60}$/.test(given ?? '') ? String(given) : 'unknown';
}

/** The session's token is in the cookie; pages have no use for it. */
function withoutToken(response: Response, said: object | undefined): Response {
  if (said === undefined || !('token' in said || 'session' in said)) return response;
  const { token: _token, session, ...rest } = said as { token?: unknown; session?: object };
  const { token: _inner, ...shown } = (session ?? {}) as { token?: unknown };
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return new Response(JSON.stringify({ ...rest, ...(session === undefined ? {} : { session: shown }) }), {
    status: response.status,
    headers,
  });
}
