import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../kernel/problem.ts';
import { holderRequest, inquiryRequest, transferRequest, vanPaths } from '../payout/banks/van-messages.ts';
import { isSignature, isTimely, signatureHeaders, signatureOf } from '../payout/banks/van-signature.ts';
import { opensAt } from '../payout/opening-hours.ts';
import type { BankAddress } from '../platform/bank-address.ts';
import { Secret } from '../platform/secret.ts';
import { type Callbacks, openCallbacks } from './bank-callbacks.ts';
import { type BankDesk, type Order, openDesk } from './bank-desk.ts';
import { type BankJournal, type BankTransfer, keyOf, openJournal } from './bank-journal.ts';
import { type BankMoods, type MoodDice, moodDice, type WireMood } from './bank-moods.ts';
import { certificateIn } from './certificate.ts';

export type BankServerOptions = {
  /** The bank's id with its customer; `json-van` if not given. */
  readonly bank?: string;
  /** Certificate and journal are kept here, so that a restart forgets nothing. */
  readonly folder: string;
  readonly key: string;
  readonly secret: string;
  readonly seed: string;
  readonly moods: BankMoods;
  /** 0 or none for any free port. */
  readonly port?: number;
  /** Maintenance by the bank's clock; none: never closed. */
  readonly closed?: { readonly from: string; readonly to: string };
  readonly now?: () => Temporal.Instant;
  /** Whose an account is; undefined where there is none. */
  readonly holderOf: (bankCode: string, accountNo: string) => string | undefined;
  /** Told how long each request is made to wait. */
  readonly onLatency?: (latencyMs: number) => void;
  /** Origin of who is called back; undefined: nobody. */
  readonly callbackUrl?: () => string | undefined;
};

export type BankServer = {
  readonly port: number;
  /** How the product reaches it. */
  readonly address: BankAddress;
  /** All transfers that reached the bank: the truth that the product has to come to. */
  transfers(): readonly BankTransfer[];
  /** Ends at once, as when it is killed: connections are cut, callbacks stay to be made. */
  close(): Promise<void>;
};

export const journalFile = (folder: string): string => path.join(folder, 'journal.ndjson');

const mostBodyBytes = 64 * 1024;

/** 은행 모의 서버. A VAN of the sample format over real HTTPS on 127.0.0.1, with moods. Throws `sandbox_port_taken`. */
export async function startBankServer(options: BankServerOptions): Promise<BankServer> {
  const { bank = 'json-van', folder, key, secret, now = () => Temporal.Now.instant(), holderOf, moods } = options;
  const journal = openJournal(journalFile(folder));
  const { certificatePath, ...pem } = certificateIn(folder);
  const dice = moodDice(options.seed, moods);
  const desk = openDesk({ journal, dice, moods, holderOf, now });
  const url = options.callbackUrl ?? (() => undefined);
  const callbacks = openCallbacks({ bank, key, secret, url, journal, desk, dice, moods });
  const closing = new AbortController();
  const counter: Counter = {
    ...options,
    journal,
    desk,
    dice,
    callbacks,
    clock: now,
    deliveries: new Map(),
    ended: closing.signal,
  };
  const server = createServer({ key: pem.key, cert: pem.certificate }, (request, response) => {
    // A caller who is gone, or the bank's own end, ends an exchange; neither may end the process.
    serve(counter, request, response).catch(() => response.destroy());
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: {
      host: '127.0.0.1',
      port,
      path: '',
      key,
      secret: new Secret(secret),
      caPath: certificatePath,
      ...(options.closed === undefined ? {} : { closed: options.closed }),
    },
    transfers: () => journal.all(),
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await callbacks.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      journal.close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Problem('sandbox_port_taken', { port }) : error),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}

type Counter = BankServerOptions & {
  readonly journal: BankJournal;
  readonly desk: BankDesk;
  readonly dice: MoodDice;
  readonly callbacks: Callbacks;
  readonly clock: () => Temporal.Instant;
  /** How often each message and question came since the start. */
  readonly deliveries: Map<string, number>;
  readonly ended: AbortSignal;
};

/** An exchange: how it is answered, and how that answer is lost. */
type Exchange = { readonly counter: Counter; readonly response: ServerResponse; readonly requestSignature: string };

async function serve(counter: Counter, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  const { method = '', url = '/', headers } = request;
  const signature = headers[signatureHeaders.signature];
  const timestamp = headers[signatureHeaders.timestamp];
  const requestSignature = typeof signature === 'string' ? signature : '';
  const exchange: Exchange = { counter, response, requestSignature };
  const isGenuine =
    headers[signatureHeaders.key] === counter.key &&
    isTimely(timestamp, Date.now()) &&
    isSignature(counter.secret, { kind: 'request', method, path: url, timestamp }, body, signature);
  if (!isGenuine) return answer(exchange, 401, { code: '4001', text: '서명 오류' });
  const delivery = deliveryOf(counter, `${url}\n${body}`);
  const latencyMs = counter.dice.within(counter.moods.latencyMs, url + body, delivery);
  counter.onLatency?.(latencyMs);
  await wait(latencyMs, undefined, { signal: counter.ended });
  if (counter.closed !== undefined && opensAt(counter.closed, counter.clock()) !== undefined) {
    return answer(exchange, 503, { state: 'closed', code: '9001', text: '은행 점검 시간' });
  }
  return route(exchange, method, new URL(url, 'https://bank'), body, delivery);
}

async function route(exchange: Exchange, method: string, url: URL, body: string, delivery: number): Promise<void> {
  const { desk, dice } = exchange.counter;
  const json = parseJson(body);
  switch (`${method} ${url.pathname}`) {
    case `POST ${vanPaths.holder}`: {
      const asked = holderRequest.safeParse(json);
      if (asked.success) return answer(exchange, 200, desk.holder(asked.data));
      break;
    }
    case `POST ${vanPaths.transfers}`: {
      const order = transferRequest.safeParse(json);
      if (order.success) return takeOrder(exchange, order.data, dice.wire(keyOf(order.data), delivery));
      break;
    }
    case `POST ${vanPaths.inquiries}`: {
      const asked = inquiryRequest.safeParse(json);
      if (!asked.success) break;
      return answerAs(exchange, dice.inquiryTrouble(keyOf(asked.data), delivery), desk.inquire(asked.data));
    }
    case `GET ${vanPaths.transfers}`:
      return answer(exchange, 200, desk.list(url.searchParams.get('on') ?? '', url.searchParams.get('after') ?? ''));
  }
  answer(exchange, 400, { code: '4000', text: '전문 오류' });
}

async function takeOrder(exchange: Exchange, order: Order, mood: WireMood | undefined): Promise<void> {
  const { counter, response } = exchange;
  const { desk, journal, callbacks, dice, moods, ended } = counter;
  const key = keyOf(order);
  const take = () => {
    const isNew = journal.find(key) === undefined;
    const said = desk.transfer(order, mood === 'processing');
    return { said, isNew, transfer: journal.find(key) as BankTransfer };
  };
  if (mood === 'drop_before') return void response.destroy();
  if (mood === 'late_arrival') {
    response.destroy();
    await wait(dice.within(moods.lateMs, key, 2), undefined, { signal: ended });
    const { isNew, transfer } = take();
    if (isNew) callbacks.later(transfer);
    return;
  }
  const { said, isNew, transfer } = take();
  if (isNew) await callbacks.early(transfer);
  if (mood === 'duplicate') answer(exchange, 200, take().said);
  else await answerAs(exchange, mood === 'processing' ? undefined : mood, said);
  if (isNew) callbacks.later(transfer);
}

/** Answers, or loses the answer in the way of a mood. */
async function answerAs(exchange: Exchange, mood: WireMood | undefined, value: object): Promise<void> {
  const { response } = exchange;
  switch (mood) {
    case 'drop_after':
      return void response.destroy();
    case 'no_answer':
      // Until the caller has had enough; the callbacks do not wait for that.
      return;
    case 'garbage':
      return answerText(exchange, 200, JSON.stringify(value).slice(0, -9));
    case 'wrong_signature':
      return answerText({ ...exchange, requestSignature: 'f'.repeat(64) }, 200, JSON.stringify(value));
    case 'other_message':
      return answer(exchange, 200, { ...value, messageNo: '999999999999' });
    default:
      return answer(exchange, 200, value);
  }
}

function answer(exchange: Exchange, status: number, value: object): void {
  answerText(exchange, status, JSON.stringify(value));
}

function answerText({ counter, response, requestSignature }: Exchange, status: number, text: string): void {
  const timestamp = String(Date.now());
  const signature = signatureOf(counter.secret, { kind: 'answer', requestSignature, status, timestamp }, text);
  response.writeHead(status, {
    'content-type': 'application/json',
    [signatureHeaders.timestamp]: timestamp,
    [signatureHeaders.signature]: signature,
  });
  response.end(text);
}

function deliveryOf({ deliveries }: Counter, what: string): number {
  const n = deliveries.get(what) ?? 0;
  deliveries.set(what, n + 1);
  return n;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBodyBytes) throw new Error('a body that is too large');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
