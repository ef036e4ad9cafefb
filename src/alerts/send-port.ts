import type { Pool } from 'pg';
import type { Cipher } from '../platform/cipher.ts';
import { type PostLimits, type PostOutcome, sendSignedPost } from '../platform/http-signed-post.ts';
import type { Log } from '../platform/log.ts';
import { createMailSender, type MailFile, type MailSender } from '../platform/mail.ts';
import type { MailAddress } from '../platform/mail-address.ts';
import { type ChannelTarget, channelTarget } from './channel-store.ts';
import type { Content } from './content.ts';
import { messageOf, slackBody, webhookBody } from './message.ts';
import { noteTry, type Sent, type TakenDelivery, takeDeliveries } from './outbox-store.ts';

export type SendPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly cipher: Cipher;
  now(): Temporal.Instant;
  /** Names this process in the log of tries. */
  readonly node: string;
  /** Undefined where this process reaches no mail server. */
  readonly mail: { readonly sender: MailSender; readonly domain: string } | undefined;
  readonly post: PostLimits;
  /** The files of a run's report, as many as a mail may hold, and where the others lie. */
  reportFiles(runId: string): Promise<{ readonly files: readonly MailFile[]; readonly folder: string | null }>;
};

/** Longer than mail and posts may take together with all that is around them. */
const holdMs = 180_000;

/** Sends what is due; returns how many were tried. Any number of processes may, at any time. */
export async function sendDue(ports: SendPorts): Promise<number> {
  const holder = crypto.randomUUID();
  const taken = await takeDeliveries(ports.pool, { now: ports.now(), holder, node: ports.node, holdMs });
  await Promise.all(taken.map((each) => sendOne(ports, each)));
  return taken.length;
}

async function sendOne(ports: SendPorts, taken: TakenDelivery): Promise<void> {
  const sent = await trySending(ports, taken).catch((error: unknown): Sent => {
    ports.log.error({ err: error, delivery: taken.key }, 'an alert could not be sent');
    return { outcome: 'deferred', answer: error instanceof Error ? error.message : String(error) };
  });
  await noteTry(ports.pool, taken, sent, ports.now());
}

async function trySending(ports: SendPorts, taken: TakenDelivery): Promise<Sent> {
  const target = await channelTarget(ports.pool, ports.cipher, taken.channel);
  if (target === undefined) return { outcome: 'deferred', answer: 'the channel is switched off' };
  return target.kind === 'smtp' ? await mail(ports, taken, target) : await post(ports, taken, target);
}

async function mail(ports: SendPorts, taken: TakenDelivery, target: ChannelTarget): Promise<Sent> {
  if (ports.mail === undefined) return { outcome: 'deferred', answer: 'JEONGSAN_SMTP_URL is not set' };
  if (target.recipients.length === 0) return { outcome: 'deferred', answer: 'the channel has no recipients' };
  const { sender, domain } = ports.mail;
  const { content, key, about } = taken;
  const { readers } = content;
  const to = readers === undefined ? target.recipients : among(target.recipients, readers);
  if (to.length === 0) return { outcome: 'refused', answer: 'no reader of the channel any more', unreached: [] };
  const { files, folder } = content.type === 'report' ? await reportOf(ports, content.runId) : none;
  const message = messageOf(content, target.language, { attached: files.map(({ name }) => name), folder });
  const sent = await sender.send({
    ...message,
    messageId: `${key}@${domain}`,
    ...(about === key ? {} : { about: `${about}@${domain}` }),
    to,
    at: ports.now(),
    urgent: isUrgent(content),
    language: target.language,
    files,
  });
  if (sent.kind === 'failed') {
    const outcome = sent.lasting ? 'refused' : sent.mayHaveLeft ? 'unclear' : 'deferred';
    return { outcome, answer: sent.reason };
  }
  return {
    outcome: 'sent',
    answer: sent.answer,
    ...(sent.refused.length === 0 ? {} : { unreached: among(to, sent.refused) }),
  };
}

/** Mailboxes that are among others, which the mail library may have brought into another form. */
function among(mailboxes: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others.map((each) => each.toLowerCase()));
  return mailboxes.filter((each) => known.has(each.toLowerCase()));
}

const none = { files: [], folder: null };

/** A report that cannot be read is no reason to tell nobody how the day went. */
async function reportOf(ports: SendPorts, runId: string) {
  try {
    return await ports.reportFiles(runId);
  } catch (error) {
    ports.log.warn({ err: error, run: runId }, 'a report could not be attached');
    return none;
  }
}

function isUrgent(content: Content): boolean {
  return content.type === 'alert' && content.severity === 'urgent' && content.word !== 'all_clear';
}

async function post(ports: SendPorts, taken: TakenDelivery, target: ChannelTarget): Promise<Sent> {
  const { url, secret, kind, language } = target;
  if (url === undefined) return { outcome: 'refused', answer: 'the channel has no address' };
  const message = messageOf(taken.content, language, { attached: [], folder: null });
  const body = kind === 'slack' ? slackBody(message) : webhookBody(taken.content, message.subject);
  const secrets = secret === undefined ? [] : [secret];
  return sentOf(await sendSignedPost({ url: url.reveal(), id: taken.key, body, secrets, at: ports.now() }, ports.post));
}

/** Only what the message itself is refused for is final: an address or a secret can be put right. */
function sentOf(outcome: PostOutcome): Sent {
  if (outcome.kind === 'refused') return { outcome: 'refused', answer: outcome.reason };
  if (outcome.kind === 'failed') return { outcome: 'unclear', answer: outcome.reason };
  const { status, answer, retryAfterMs } = outcome;
  const said = { answer: `${status} ${answer}`.trim(), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (status >= 200 && status < 300) return { outcome: 'sent', ...said };
  return { outcome: [400, 410, 413, 422].includes(status) ? 'refused' : 'deferred', ...said };
}

/** Mail as the configuration has it; the sender's domain also stands behind each Message-ID. */
export function mailPort(
  mail: { readonly address: MailAddress; readonly from: string } | undefined,
): SendPorts['mail'] {
  if (mail === undefined) return undefined;
  const domain = mail.from.replace(/>$/, '').split('@').at(-1) ?? 'localhost';
  return { sender: createMailSender(mail.address, mail.from), domain };
}
