import { expect, test } from 'vitest';
import { readOidc } from './oidc-address.ts';

const whole = {
  JEONGSAN_OIDC_ISSUER: 'https://login.pg.example/realms/pg/',
  JEONGSAN_OIDC_CLIENT_ID: 'jeongsan',
  JEONGSAN_OIDC_CLIENT_SECRET: 'hidden',
};

test('all three, or none', () => {
  expect(readOidc({})).toEqual({ address: undefined, faults: [] });
  const { address, faults } = readOidc(whole);
  expect(faults).toEqual([]);
  expect(address).toMatchObject({ issuer: 'https://login.pg.example/realms/pg', clientId: 'jeongsan' });
  expect(address?.clientSecret.reveal()).toBe('hidden');
  expect(JSON.stringify(address)).not.toContain('hidden');
});

test.each([
  ['no secret', { ...whole, JEONGSAN_OIDC_CLIENT_SECRET: undefined }],
  ['in the clear', { ...whole, JEONGSAN_OIDC_ISSUER: 'http://login.pg.example' }],
  ['no address', { ...whole, JEONGSAN_OIDC_ISSUER: 'login' }],
  ['with a query', { ...whole, JEONGSAN_OIDC_ISSUER: 'https://login.pg.example/?a=b' }],
])('refused: %s', (_, set) => {
  const { address, faults } = readOidc(set);
  expect(address).toBeUndefined();
  expect(faults).toHaveLength(1);
  expect(faults[0]).not.toContain('hidden');
});

test.each(['http://127.0.0.1:9000', 'http://localhost:9000/x'])('%s is this machine', (issuer) => {
  expect(readOidc({ ...whole, JEONGSAN_OIDC_ISSUER: issuer }).faults).toEqual([]);
});
