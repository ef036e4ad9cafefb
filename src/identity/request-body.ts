import { Problem } from '../kernel/problem.ts';

const mostBytes = 16 * 1024;

/**
 * The members of a body of JSON or of a form, which is small; none where there is no body.
 * @throws Problem `sign_in_failed`
 */
export async function readBody(request: Request): Promise<Record<string, unknown>> {
  const text = await readText(request);
  if (text === '') return {};
  const mediaType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text));
  if (mediaType !== 'application/json') throw new Problem('sign_in_failed', { reason: 'content-type' });
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch (error) {
    throw new Problem('sign_in_failed', { reason: 'JSON' }, { cause: error });
  }
  throw new Problem('sign_in_failed', { reason: 'JSON' });
}

async function readText(request: Request): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of request.body ?? []) {
    bytes += part.length;
    if (bytes > mostBytes) throw new Problem('sign_in_failed', { reason: `${mostBytes} B` });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
