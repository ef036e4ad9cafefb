import { Problem } from '../kernel/problem.ts';

/** The header that a page of ours sends with each act: no form and no other site can, unless we allowed it. */
export const actHeader = 'x-jeongsan-act';
const harmless = ['GET', 'HEAD', 'OPTIONS'];

/**
 * 위조 방지. Refuses an act that another site made a browser send: `Origin`, which browsers add and pages cannot change, is
 * not ours. Who is no browser names no origin, and has no cookies that somebody else could use.
 * @throws Problem `request_forged`
 */
export function checkOrigin(request: Request, publicUrl: string): void {
  if (harmless.includes(request.method)) return;
  const origin = request.headers.get('origin');
  if (origin === null ? request.headers.has('cookie') : origin !== new URL(publicUrl).origin) {
    throw new Problem('request_forged', { reason: `Origin: ${origin ?? '-'}`.slice(0, 200) });
  }
  if (request.headers.get('sec-fetch-site') === 'cross-site') {
    throw new Problem('request_forged', { reason: 'Sec-Fetch-Site: cross-site' });
  }
}

/** As `checkOrigin`, of an act of the API with a session's cookie. @throws Problem `request_forged` */
export function checkAct(request: Request, publicUrl: string): void {
  checkOrigin(request, publicUrl);
  if (harmless.includes(request.method) || request.headers.has(actHeader)) return;
  throw new Problem('request_forged', { reason: `${actHeader}: -` });
}
