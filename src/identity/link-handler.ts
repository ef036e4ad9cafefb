import { recordAct } from '../audit/store.ts';
import type { Language } from '../kernel/problem.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { Pool } from '../platform/database/pool.ts';
import { addressOf } from './address.ts';
import { donePage, linkPage, pageHeaders } from './link-page.ts';
import { consumeLink, findLink, type Link } from './link-store.ts';
import { checkPassword } from './password-rule.ts';
import { readBody } from './request-body.ts';
import type { SignIn } from './sign-in.ts';

type LinkPorts = {
  readonly pool: Pool;
  readonly signIn: SignIn;
  readonly address: string;
  readonly language: Language;
  readonly now: () => Temporal.Instant;
};

/**
 * Answers at a link that works once: what it is for, and, of who sends name and password, that they are in. As a page for a
 * browser, as JSON for others.
 * @throws Problem `link_invalid`, `password_short`, `password_common`, `address_unusable`, `setup_done`, `person_exists`
 */
export async function handleLink(request: Request, token: string, ports: LinkPorts): Promise<Response> {
  const page = (request.headers.get('accept') ?? '').includes('text/html');
  const link = await findLink(ports.pool, token, ports.now());
  if (request.method === 'GET') {
    return page ? shown(linkPage(link, ports.language)) : Response.json({ purpose: link.purpose, who: link.who });
  }
  if (request.method !== 'POST') throw new Problem('not_found', { what: 'path', id: new URL(request.url).pathname });
  const form = await readBody(request);
  const { hash } = (await ports.signIn.$context).password;
  try {
    const who = await joinByLink(
      token,
      { name: form['name'], email: form['email'], password: form['password'] },
      { ...ports, hash },
    );
    return page ? shown(donePage(who, ports.language)) : Response.json({ who });
  } catch (error) {
    if (!page || !isProblem(error)) throw error;
    return shown(linkPage(link, ports.language, error), 422);
  }
}

/** Comes in by a link: checks and keeps name, address and password. Returns how trails name them. */
export async function joinByLink(
  token: string,
  given: { readonly name?: unknown; readonly email?: unknown; readonly password?: unknown },
  ports: Pick<LinkPorts, 'pool' | 'address' | 'now'> & { hash(password: string): Promise<string> },
): Promise<string> {
  const link = await findLink(ports.pool, token, ports.now());
  const { name, email } = identityOf(link, given);
  const password = typeof given.password === 'string' ? given.password : '';
  checkPassword(password, [name, email]);
  const passwordHash = await ports.hash(password);
  const who = await consumeLink(ports.pool, { token, name, email, passwordHash, from: ports.address }, ports.now());
  await recordAct(ports.pool, {
    actor: { who, from: ports.address },
    act: 'useLink',
    subject: `person:${who}`,
    outcome: 'done',
    reason: link.purpose,
  });
  return who;
}

function identityOf(link: Link, given: { readonly name?: unknown; readonly email?: unknown }) {
  const name = typeof given.name === 'string' ? given.name.trim().slice(0, 200) : '';
  if (link.who !== null) return { name: name === '' ? (link.name ?? '') : name, email: link.who };
  const email = addressOf(typeof given.email === 'string' ? given.email : '');
  return { name: name === '' ? email : name, email };
}

function shown(markup: string, status = 200): Response {
  return new Response(markup, { status, headers: pageHeaders });
}
