import { expect, test } from 'vitest';
import { auditableBody } from './audit-port.ts';

test('what may be secret is named in the trail and not shown', () => {
  const body = {
    channel: 'ops',
    url: 'https://hooks.slack.com/services/T0/B0/sEcReT',
    secret: 'sEcReT',
    nested: [{ apiKey: 'sEcReT' }, 'sftp://kim:sEcReT@vps.example:22/in', 'https://kim:sEcReT@['],
    enabled: true,
    amountWon: 12n,
    reason: 'see https://wiki.example/x',
  };
  expect(auditableBody(body)).toEqual({
    channel: 'ops',
    url: 'https://hooks.slack.com/***',
    secret: '***',
    nested: [{ apiKey: '***' }, 'sftp://vps.example:22/***', '***'],
    enabled: true,
    amountWon: '12',
    reason: 'see https://wiki.example/x',
  });
});
