import { describe, expect, onTestFinished, test } from 'vitest';
import { type MailManner, openMailServer } from '../../test/support/mail-server.ts';
import { temporaryFolder } from '../../test/support/processes.ts';
import { certificateIn } from '../sandbox/certificate.ts';
import { createMailSender, type Mail, type MailPatience } from './mail.ts';
import { isMailbox, isSender, type MailAddress, parseMailAddress } from './mail-address.ts';

/** Of those who wait for what never comes, and of those who wait for what does. */
const patience: MailPatience = { connectMs: 400, idleMs: 400, wholeMs: 1_500 };
const patient: MailPatience = { connectMs: 20_000, idleMs: 20_000, wholeMs: 40_000 };
const mail: Mail = {
  messageId: 'alert.12.x.in-charge.update.1@pg.example',
  about: 'alert.12.x.in-charge@pg.example',
  to: ['kim@pg.example', 'lee@pg.example'],
  subject: '[긴급] 은행 연결 차단: bank:json-van',
  text: '정산\n',
  html: '<p>정산</p>',
  at: Temporal.Instant.from('2026-11-21T00:00:00Z'),
  urgent: true,
  language: 'ko',
  files: [{ name: '대사-2026-11-20.csv', mediaType: 'text/csv; charset=utf-8', bytes: Buffer.from('가,나\n') }],
};

function addressOf(url: string): MailAddress {
  const address = parseMailAddress(url);
  if ('faults' in address) throw new Error(address.faults.join());
  return address;
}

async function serve(options: Parameters<typeof openMailServer>[0] = {}) {
  const server = await openMailServer(options);
  onTestFinished(() => server.close());
  return server;
}

test('a mail arrives whole, with its name, what it is about and its files', async () => {
  const server = await serve();
  const sender = createMailSender(addressOf(server.url), '정산 <ops@pg.example>', patient);
  expect(await sender.send(mail)).toMatchObject({ kind: 'sent', refused: [] });
  const got = await server.mail(0);
  expect(got).toMatchObject({
    messageId: '<alert.12.x.in-charge.update.1@pg.example>',
    inReplyTo: '<alert.12.x.in-charge@pg.example>',
    references: '<alert.12.x.in-charge@pg.example>',
    subject: mail.subject,
    from: { name: '정산', address: 'ops@pg.example' },
    text: expect.stringMatching(/^정산\n+$/),
    html: '<p>정산</p>',
    date: '2026-11-21T00:00:00.000Z',
    envelopeTo: mail.to,
  });
  const header = (name: string) => got.headers.find(({ key }) => key === name)?.value;
  expect([header('auto-submitted'), header('content-language'), header('importance')]).toEqual([
    'auto-generated',
    'ko',
    'High',
  ]);
  const [file] = got.attachments;
  expect(file).toMatchObject({ filename: '대사-2026-11-20.csv', mimeType: 'text/csv' });
  expect(Buffer.from(file?.content as ArrayBuffer).toString()).toBe('가,나\n');
});

describe('what goes wrong', () => {
  test.each<readonly [MailManner, object]>([
    ['defer', { kind: 'failed', lasting: false, mayHaveLeft: false }],
    ['refuse', { kind: 'failed', lasting: true, mayHaveLeft: false }],
    ['hang', { kind: 'failed', lasting: false, mayHaveLeft: true }],
    ['cut-midway', { kind: 'failed', lasting: false }],
    ['drop', { kind: 'failed', lasting: false, mayHaveLeft: true }],
    ['hang-at-greeting', { kind: 'failed', lasting: false, mayHaveLeft: false }],
  ])('a server that does %s', async (manner, outcome) => {
    const server = await serve({ manner });
    const waits = manner.startsWith('hang') ? patience : patient;
    const sender = createMailSender(addressOf(server.url), 'ops@pg.example', waits);
    expect(await sender.send(mail)).toMatchObject(outcome);
  });

  test('one of two readers is not known', async () => {
    const server = await serve({ manner: 'refuse-recipient' });
    const sender = createMailSender(addressOf(server.url), 'ops@pg.example', patient);
    const sent = await sender.send({ ...mail, to: ['gone@pg.example', 'lee@pg.example'] });
    expect(sent).toMatchObject({ kind: 'sent', refused: ['gone@pg.example'] });
    expect(await sender.send({ ...mail, to: ['gone@pg.example'] })).toMatchObject({ kind: 'failed', lasting: true });
  });

  test('nobody listens', async () => {
    const server = await openMailServer();
    await server.close();
    const sender = createMailSender(addressOf(server.url), 'ops@pg.example', patient);
    expect(await sender.send(mail)).toMatchObject({ kind: 'failed', lasting: false, mayHaveLeft: false });
  });
});

describe('TLS', () => {
  test.each([
    ['STARTTLS', false],
    ['from the first byte', true],
  ])('%s, with a password, the certificate being checked', async (_, wrapped) => {
    const pem = certificateIn(temporaryFolder());
    const server = await serve({ pem, wrapped, user: { name: 'ops', password: 'p@ss/word' } });
    const url = `${wrapped ? 'smtps' : 'smtp'}://ops:p%40ss%2Fword@127.0.0.1:${server.port}`;
    const trusting = createMailSender(addressOf(`${url}?ca=${pem.certificatePath}`), 'ops@pg.example', patient);
    expect(await trusting.send(mail)).toMatchObject({ kind: 'sent' });
    const sender = createMailSender(addressOf(url), 'ops@pg.example', patient);
    expect(await sender.send(mail)).toMatchObject({ kind: 'failed', lasting: false, mayHaveLeft: false });
    expect(server.mails).toHaveLength(1);
  });

  test('a server without it is told nothing', async () => {
    const server = await serve();
    const sender = createMailSender(addressOf(`smtp://127.0.0.1:${server.port}`), 'ops@pg.example', patient);
    expect(await sender.send(mail)).toMatchObject({ kind: 'failed', lasting: false, mayHaveLeft: false });
    expect(server.mails).toEqual([]);
  });
});

test.each([
  ['smtp://mail.pg.example', { host: 'mail.pg.example', port: 587, tls: 'starttls' }],
  ['smtps://mail.pg.example', { host: 'mail.pg.example', port: 465, tls: 'wrapped' }],
  ['smtp://[::1]:25?tls=none', { host: '::1', port: 25, tls: 'none' }],
  ['http://mail.pg.example', { faults: [expect.stringContaining('http:')] }],
  ['smtp://kim:x@mail.pg.example?tls=none', { faults: ['would send its password without TLS'] }],
  ['smtp://kim@mail.pg.example', { faults: [expect.stringContaining('without a password')] }],
  ['smtps://mail.pg.example?tls=none', { faults: [expect.stringContaining('smtps')] }],
  [
    'smtp://mail.pg.example?ca=x.pem&a=b',
    { faults: [expect.stringContaining('absolute'), expect.stringContaining('"a"')] },
  ],
])('%s', (text, address) => {
  expect(parseMailAddress(text)).toEqual(address);
});

test.each([
  ['ops@pg.example', true],
  ['김@예시.한국', true],
  ['ops+정산@pg.example', true],
  ['ops', false],
  ['ops@pg', false],
  ['ops@127.0.0.1', false],
  ['a@b.c,d@e.f', false],
  ['Ops <ops@pg.example>', false],
  ['ops@pg.example\r\nBcc: x@y.z', false],
  ['o\0ps@pg.example', false],
  [`${'a'.repeat(250)}@pg.example`, false],
])('%j is a mailbox: %s', (text, isOne) => {
  expect(isMailbox(text)).toBe(isOne);
  expect(isSender(`정산 <${text}>`)).toBe(isOne);
});
