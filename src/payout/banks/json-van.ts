import type { z } from 'zod';
import { wonToJson } from '../../kernel/money.ts';
import { Problem } from '../../kernel/problem.ts';
import type { BankAddress } from '../../platform/bank-address.ts';
import type { HttpClient, HttpOutcome } from '../../platform/http-client.ts';
import type { Bank, BankAnswer, BankCallback, CallbackHeaders, ListedTransfer, NoWord } from '../bank-port.ts';
import {
  callbackBody,
  closedAnswer,
  holderAnswer,
  inquiryAnswer,
  listPage,
  transferAnswer,
  vanPaths,
} from './van-messages.ts';
import { callbackPath, isSignature, isTimely, signatureHeaders, signatureOf } from './van-signature.ts';

/** What this bank is, apart from where it is reached. */
export type JsonVanFacts = Pick<Bank, 'id' | 'name' | 'closed' | 'settlingMs' | 'patienceMs'>;

/** The clock that signatures are dated by is the machine's, whatever day the business has. */
export type JsonVanPorts = {
  readonly http: HttpClient;
  readonly address: BankAddress;
  readonly clockMs?: () => number;
};

/** A page is asked for so often before a list counts as unavailable. */
const pageTries = 3;
/** Ten million transfers: a bank that goes on beyond it is not listing a day. */
const mostPages = 10_000;

/**
 * JSON over HTTPS to a VAN, in a sample message format of our own that stands for those that real ones have: see
 * docs/banks.md. Requests, answers and callbacks are signed; an answer counts only if its signature is right, it is
 * dated now, it answers this very request and speaks of the message that was asked about. All else is `unknown`.
 */
export function createJsonVan(facts: JsonVanFacts, ports: JsonVanPorts): Bank {
  const ask = <Answer>(call: Call<Answer>) => askVan(ports, call);
  return {
    ...facts,
    async holder({ bankCode, accountNo }) {
      const said = await ask({ path: vanPaths.holder, body: { bankCode, accountNo }, schema: holderAnswer });
      if (said.outcome !== 'said') return said;
      const { state, ...rest } = said.value;
      return said.value.state === 'found'
        ? { outcome: 'found', holder: said.value.holder }
        : { outcome: 'no_account', code: rest.code, text: rest.text };
    },
    async transfer({ amountWon, messageNo, messageOn, bankCode, accountNo, holder }) {
      const body = { messageNo, messageOn, bankCode, accountNo, holder, amountWon: wonToJson(amountWon) };
      const said = await ask({ path: vanPaths.transfers, body, schema: transferAnswer });
      if (said.outcome !== 'said') return said;
      if (said.value.messageNo !== messageNo) return otherMessage(said.value.messageNo);
      return answerOf(said.value);
    },
    async inquire({ messageNo, messageOn }) {
      const said = await ask({ path: vanPaths.inquiries, body: { messageNo, messageOn }, schema: inquiryAnswer });
      if (said.outcome !== 'said') return said;
      if (said.value.messageNo !== messageNo || said.value.messageOn !== messageOn) {
        return otherMessage(said.value.messageNo);
      }
      return answerOf(said.value);
    },
    transfers: (on) => listTransfers(facts.id, ports, on),
    readCallback: (headers, body) => readCallback(facts.id, ports, headers, body),
  };
}

type Call<Answer> = { readonly path: string; readonly body?: unknown; readonly schema: z.ZodType<Answer> };
type Said<Answer> = { readonly outcome: 'said'; readonly value: Answer } | NoWord;

async function askVan<Answer>(ports: JsonVanPorts, { path, body, schema }: Call<Answer>): Promise<Said<Answer>> {
  const { http, address, clockMs = Date.now } = ports;
  const method = body === undefined ? 'GET' : 'POST';
  const text = body === undefined ? '' : JSON.stringify(body);
  const full = address.path + path;
  const timestamp = String(clockMs());
  const signature = signatureOf(address.secret.reveal(), { kind: 'request', method, path: full, timestamp }, text);
  const headers = {
    'content-type': 'application/json',
    [signatureHeaders.key]: address.key,
    [signatureHeaders.timestamp]: timestamp,
    [signatureHeaders.signature]: signature,
  };
  const got = await http.send({ method, path: full, headers, body: text });
  if (got.kind === 'failed') return { outcome: got.mayHaveLeft ? 'unknown' : 'not_sent', reason: got.reason };
  return readAnswer(got, schema, signature, { secret: address.secret.reveal(), nowMs: clockMs() });
}

function readAnswer<Answer>(
  { status, headers, body }: Extract<HttpOutcome, { kind: 'answered' }>,
  schema: z.ZodType<Answer>,
  requestSignature: string,
  { secret, nowMs }: { readonly secret: string; readonly nowMs: number },
): Said<Answer> {
  const timestamp = headers[signatureHeaders.timestamp];
  const unknown = (reason: string): NoWord => ({ outcome: 'unknown', reason: `${reason} (HTTP ${status})` });
  if (!isTimely(timestamp, nowMs)) return unknown('the answer is not dated now');
  const signed = { kind: 'answer', requestSignature, status, timestamp } as const;
  if (!isSignature(secret, signed, body, headers[signatureHeaders.signature])) {
    return unknown("the answer's signature is wrong");
  }
  const json = parseJson(body);
  if (status === 503) {
    const closed = closedAnswer.safeParse(json);
    if (closed.success) return { outcome: 'closed', reason: `${closed.data.code} ${closed.data.text}` };
  }
  const read = status === 200 ? schema.safeParse(json) : undefined;
  return read?.success ? { outcome: 'said', value: read.data } : unknown('the answer cannot be read');
}

function answerOf({
  state,
  code,
  text,
  bankRef,
}: z.infer<typeof transferAnswer> | z.infer<typeof inquiryAnswer>): BankAnswer {
  return { outcome: state, code, text, ...(bankRef === undefined ? {} : { bankRef }) };
}

function otherMessage(messageNo: string): NoWord {
  return { outcome: 'unknown', reason: `the answer speaks of message ${messageNo}` };
}

async function* listTransfers(id: string, ports: JsonVanPorts, on: Temporal.PlainDate): AsyncIterable<ListedTransfer> {
  const day = on.toString();
  let after = '';
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = await listPageAfter(id, ports, day, after);
    for (const { messageNo, amountWon, state } of page.transfers) {
      // In order, so that no number comes twice and the list comes to its end.
      if (messageNo <= after) throw listProblem(id, day, `${messageNo} after ${after}`);
      after = messageNo;
      yield { messageNo, amountWon, outcome: state };
    }
    if (page.next === null) return;
    if (page.next !== after) throw listProblem(id, day, `next ${page.next} after ${after}`);
  }
  throw listProblem(id, day, `more than ${mostPages} pages`);
}

async function listPageAfter(
  id: string,
  ports: JsonVanPorts,
  on: string,
  after: string,
): Promise<z.infer<typeof listPage>> {
  let reason = '';
  for (let tries = 0; tries < pageTries; tries += 1) {
    const query = new URLSearchParams({ on, after });
    const said = await askVan(ports, { path: `${vanPaths.transfers}?${query}`, schema: listPage });
    if (said.outcome === 'said' && said.value.on === on) return said.value;
    reason = said.outcome === 'said' ? `a list of ${said.value.on}` : `${said.outcome}: ${said.reason}`;
  }
  throw listProblem(id, on, reason);
}

function listProblem(bank: string, on: string, reason: string): Problem {
  return new Problem('bank_list_unavailable', { bank, on, reason });
}

function readCallback(
  bank: string,
  { address, clockMs = Date.now }: JsonVanPorts,
  headers: CallbackHeaders,
  body: Buffer,
): BankCallback | Problem {
  const timestamp = headers[signatureHeaders.timestamp];
  const refused = (reason: string) => new Problem('callback_signature', { bank, reason });
  if (headers[signatureHeaders.key] !== address.key) return refused('key');
  if (!isTimely(timestamp, clockMs())) return refused('timestamp');
  const signed = { kind: 'request', method: 'POST', path: callbackPath(bank), timestamp } as const;
  if (!isSignature(address.secret.reveal(), signed, body, headers[signatureHeaders.signature])) {
    return refused('signature');
  }
  const read = callbackBody.safeParse(parseJson(body));
  if (!read.success) return new Problem('callback_unreadable', { bank });
  const { messageNo, amountWon, state, code, text, bankRef } = read.data;
  const answer: BankAnswer = { outcome: state, code, text, ...(bankRef === undefined ? {} : { bankRef }) };
  return { messageNo, amountWon, answer };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
