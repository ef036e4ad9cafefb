import type { Actor } from '../kernel/permission.ts';
import { type Language, Problem, type ProblemCode, problems } from '../kernel/problem.ts';
import type { Pool } from '../platform/database/pool.ts';
import type { IdentityCommandPorts } from './commands.ts';
import { openIdentity } from './identity.ts';

const questions = {
  ko: { password: '비밀번호', code: '2단계 인증 코드 (또는 백업 코드)' },
  en: { password: 'Password', code: 'Code of the second factor (or a backup code)' },
} as const;

/**
 * Signs in at the terminal as a browser does, locks and second factor included, and out again.
 * @throws Problem `sign_in_refused`, `sign_in_locked`, `second_factor_needed`, `second_factor_refused`
 */
export async function signInAtTerminal(
  pool: Pool,
  email: string,
  language: Language,
  ports: IdentityCommandPorts,
): Promise<Actor> {
  const identity = await openIdentity({ ...ports, pool, cipher: await ports.cipher(), language });
  const address = ports.actor().from;
  const cookies = new Map<string, string>();
  const send = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const request = new Request(`${ports.publicUrl}${path}`, {
      method: 'POST',
      headers: {
        origin: ports.publicUrl,
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'content-type': 'application/json',
      },
      body: JSON.stringify(body ?? {}),
    });
    const response = await identity.handler(request, address);
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const said = (await response.json()) as Record<string, unknown>;
    if (response.status >= 400) throw problemOf(said);
    return said;
  };
  const ask = ports.openAsk();
  try {
    const password = await ask.line(questions[language].password, { hidden: true });
    const { twoFactorRedirect } = await send('/auth/sign-in/email', { email, password });
    if (twoFactorRedirect === true) {
      const code = (await ask.line(questions[language].code)).trim();
      if (code === '') throw new Problem('second_factor_needed');
      await send(/^\d{6}$/.test(code) ? '/auth/two-factor/verify-totp' : '/auth/two-factor/verify-backup-code', {
        code,
      });
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const actor = await identity.authenticate(new Request(ports.publicUrl, { headers: { cookie } }), address);
    if (actor === undefined) throw new Problem('sign_in_refused');
    await send('/auth/sign-out');
    return actor;
  } finally {
    ask.close();
  }
}

function problemOf(said: Record<string, unknown>): Problem {
  const { code, details } = said as { code?: string; details?: Record<string, string | number> };
  if (code !== undefined && Object.hasOwn(problems, code)) return new Problem(code as ProblemCode, details ?? {});
  return new Problem('sign_in_failed', { reason: 'unknown' });
}
