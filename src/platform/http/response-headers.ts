/** What is said with every answer, so that a browser does no more with it than it was meant for. */
const usual: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Answers are data: nothing of them runs, loads or is shown within another page. Pages say what they need themselves. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const yearSeconds = 31_536_000;
const preflightSeconds = 600;
const exposed = 'ETag, Idempotency-Replayed, Link, Retry-After, X-Request-Id, Content-Disposition';

export type HeaderRules = {
  /** People reach us by HTTPS, here or at a proxy: then never otherwise. */
  readonly isSecure: boolean;
  /** Other sites whose pages may call the interface, with a key and never with a cookie. */
  readonly origins: readonly string[];
};

/** The answer with what is said with every answer. */
export function withHeaders(response: Response, request: Request, { isSecure, origins }: HeaderRules): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(usual)) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', dataPolicy);
  if (isSecure) headers.set('strict-transport-security', `max-age=${yearSeconds}; includeSubDomains`);
  const origin = request.headers.get('origin');
  if (origin !== null && origins.includes(origin)) {
    headers.set('access-control-allow-origin', origin);
    headers.set('access-control-expose-headers', exposed);
    headers.set('cross-origin-resource-policy', 'cross-origin');
  }
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** What a browser asks before it lets another site's page call us; undefined where this is no such question. */
export function preflightAnswer(request: Request, { origins }: HeaderRules): Response | undefined {
  if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined;
  const isKnown = origins.includes(request.headers.get('origin') ?? '');
  return new Response(null, {
    status: 204,
    headers: isKnown
      ? {
          'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
          'access-control-allow-headers':
            'Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID',
          'access-control-max-age': String(preflightSeconds),
        }
      : {},
  });
}
