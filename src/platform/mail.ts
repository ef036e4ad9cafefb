import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import { Problem } from '../kernel/problem.ts';
import type { MailAddress } from './mail-address.ts';

/** 메일. One message as it leaves; the caller says who it is by, so that a repeated one is known as the same. */
export type Mail = {
  /** Without angle brackets: the same for every attempt at the same message. */
  readonly messageId: string;
  /** The first message about the same matter: mail programs show them together. */
  readonly about?: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly at: Temporal.Instant;
  readonly urgent?: boolean;
  readonly language: 'ko' | 'en';
  readonly files: readonly MailFile[];
};

export type MailFile = { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array };

/**
 * `sent`: the server took it, for all but those named in `refused`. `failed`: `lasting` where the server said that it will
 * never take it; `mayHaveLeft` where it may have taken it and its answer did not reach us.
 */
export type MailOutcome =
  | { readonly kind: 'sent'; readonly answer: string; readonly refused: readonly string[] }
  | { readonly kind: 'failed'; readonly lasting: boolean; readonly mayHaveLeft: boolean; readonly reason: string };

export type MailSender = { send(mail: Mail): Promise<MailOutcome> };

export type MailPatience = { readonly connectMs: number; readonly idleMs: number; readonly wholeMs: number };

const defaults: MailPatience = { connectMs: 10_000, idleMs: 20_000, wholeMs: 60_000 };

/**
 * Mail through one server (SMTP), a connection per message. TLS is verified against `caPath` or the authorities that Node
 * knows. `from` is `ops@pg.example` or `정산 <ops@pg.example>`. Throws Problem `certificate_unreadable`.
 */
export function createMailSender(
  address: MailAddress,
  from: string,
  { connectMs, idleMs, wholeMs }: MailPatience = defaults,
): MailSender {
  const { host, port, tls, user, password, caPath } = address;
  const transport = createTransport({
    host,
    port,
    secure: tls === 'wrapped',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: {
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(caPath === undefined ? {} : { ca: readCertificate(caPath) }),
    },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password.reveal() } }),
    dnsTimeout: connectMs,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: idleMs,
    socketCloseTimeout: 0,
    // What a message names is only ever bytes that we hand over.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      let hasBegun = false;
      try {
        const sent = await transport.sendMail({
          from,
          to: [...mail.to],
          subject: mail.subject,
          // Read when the server has said that it takes the message: what fails before has told nobody anything.
          text: Readable.from(
            (function* () {
              hasBegun = true;
              yield Buffer.from(mail.text);
            })(),
          ),
          html: mail.html,
          date: new Date(mail.at.epochMilliseconds),
          messageId: `<${mail.messageId}>`,
          ...(mail.about === undefined ? {} : { inReplyTo: `<${mail.about}>`, references: `<${mail.about}>` }),
          ...(mail.urgent === true ? { priority: 'high' as const } : {}),
          // So that no absence note answers it (RFC 3834).
          headers: {
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'Content-Language': mail.language,
          },
          attachments: mail.files.map(({ name, mediaType, bytes }) => ({
            filename: name,
            contentType: mediaType,
            content: Buffer.from(bytes),
          })),
          signal: AbortSignal.timeout(wholeMs),
        });
        return { kind: 'sent', answer: sent.response, refused: sent.rejected.map(addressOf) };
      } catch (error) {
        return failure(error as SmtpError, { hasBegun, wholeMs });
      }
    },
  };
}

type SmtpError = Error & { readonly responseCode?: number; readonly command?: string };

/** Only a word about the message itself or its readers is the server's last word: a wrong password can be put right. */
function failure(
  error: SmtpError,
  { hasBegun, wholeMs }: { readonly hasBegun: boolean; readonly wholeMs: number },
): MailOutcome {
  const { responseCode, command = '' } = error;
  const answered = responseCode !== undefined;
  return {
    kind: 'failed',
    lasting: answered && responseCode >= 500 && ['MAIL FROM', 'RCPT TO', 'DATA'].includes(command),
    mayHaveLeft: hasBegun && !answered,
    reason: error.name === 'AbortError' ? `no answer within ${wholeMs} ms` : error.message,
  };
}

function addressOf(given: string | { readonly address: string }): string {
  return typeof given === 'string' ? given : given.address;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Problem('certificate_unreadable', { file, reason: (error as Error).message }, { cause: error });
  }
}
