import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Permission, permissions, type Role, rolePermissions, roles } from '../../src/kernel/permission.ts';
import { operationsOf, type ServedProduct, serveProduct } from '../support/served-product.ts';

/** Walks the whole document that the server serves, as nobody and as each role. */
let product: ServedProduct;
const keys = new Map<Role, string>();

beforeAll(async () => {
  product = await serveProduct();
  for (const role of roles) keys.set(role, await product.keyOf([role]));
}, 240_000);
afterAll(() => product?.close());

/** Path parameters that name nothing; acts without a key for their idempotency, so that none of them is carried out. */
async function knock(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<readonly [number, string]> {
  const target = path.replace(/\{\w+\}/g, '999999999');
  const response = await fetch(`${product.url}${target}`, { method, headers });
  if (response.headers.get('content-type') === 'application/problem+json') {
    return [response.status, ((await response.json()) as { code: string }).code];
  }
  await response.body?.cancel();
  return [response.status, ''];
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('the document has every route with its permission', () => {
  const told = operationsOf(product.document).map(({ operation }) => [
    operation.operationId,
    operation['x-permission'],
  ]);
  expect(told.length).toBeGreaterThan(100);
  expect(new Map(told as [string, Permission][])).toEqual(new Map(product.routes.map((r) => [r.id, r.permission])));
  expect(new Set(told.map(([id]) => id)).size).toBe(told.length);
});

test.each([
  ['without a key', {}],
  ['with a key that is none', bearer('jsk_aaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')],
  ['with a key of another kind', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
  ['with a cookie that is no session', { cookie: 'session=1; better-auth.session_token=abc.def' }],
])('%s nobody comes in anywhere', async (_, headers) => {
  const wrong: string[] = [];
  for (const { method, path } of operationsOf(product.document)) {
    const [status, code] = await knock(method, path, headers);
    // An act that comes with a cookie and not from our pages is refused even before it is known whose it is.
    const ok = (status === 401 && code === 'sign_in_needed') || ('cookie' in headers && code === 'request_forged');
    if (!ok) wrong.push(`${method} ${path}: ${status} ${code}`);
  }
  expect(wrong).toEqual([]);
});

test.each(roles)('%s may do what the role allows, and nothing else', async (role) => {
  const wrong: string[] = [];
  const may = new Set<Permission>(rolePermissions[role]);
  for (const { method, path, operation } of operationsOf(product.document)) {
    const [status, code] = await knock(method, path, bearer(keys.get(role) ?? ''));
    const isIn = status !== 401 && code !== 'permission_missing';
    if (isIn !== may.has(operation['x-permission'])) wrong.push(`${method} ${path}: ${status} ${code}`);
    if (!isIn && status !== 403) wrong.push(`${method} ${path}: ${status} ${code}`);
    if (status >= 500) wrong.push(`${method} ${path}: ${status} ${code}`);
  }
  expect(wrong).toEqual([]);
});

test.each(permissions)('a key with %s alone opens the routes that need it, and no other', async (permission) => {
  const owner = roles.filter((role) => rolePermissions[role].includes(permission));
  const key = await product.keyOf(owner, [permission]);
  const wrong: string[] = [];
  for (const { method, path, operation } of operationsOf(product.document)) {
    const [status, code] = await knock(method, path, bearer(key));
    const isIn = status !== 401 && code !== 'permission_missing';
    if (isIn !== (operation['x-permission'] === permission)) wrong.push(`${method} ${path}: ${status} ${code}`);
  }
  expect(wrong).toEqual([]);
});
