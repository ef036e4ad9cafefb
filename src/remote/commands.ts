import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { isProblem, type Language, Problem } from '../kernel/problem.ts';
import type { ApiClient } from '../platform/api-client.ts';
import { exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { statusOf } from './answer-status.ts';
import { printEvents, printText, save } from './answer-streams.ts';
import { answerText } from './answer-text.ts';
import { commandOperations } from './command-operations.ts';
import { type ApiDocument, findOperation, type Operation } from './operation.ts';
import { type ApiRequest, intoFile, type Typed, toRequest, type Wording, wordingFor } from './request.ts';
import { outcomeOf } from './run-outcome.ts';
import { shownColumns } from './shown-columns.ts';

export type RemotePorts = { readonly client: ApiClient; readonly language: Language; readonly output?: Writable };

/**
 * Makes every command ask a server instead of the database: its arguments and options become a request to the operation
 * that does the same there. What only makes sense beside the database says so.
 */
export function remoteCommands(program: Command, ports: RemotePorts): void {
  for (const { command, path } of leaves(program, [])) {
    command.action(async (...given: unknown[]) => {
      const wording = commandOperations[path];
      if (wording === undefined || 'local' in wording) throw new Problem('remote_command_local', { command: path });
      await ask(wording, typedOf(command, given), ports);
    });
  }
}

type Leaf = { readonly command: Command; readonly path: string };

/** The commands that do something, by what is typed for them. */
export function leaves(command: Command, path: readonly string[]): Leaf[] {
  if (command.commands.length === 0) return path.length === 0 ? [] : [{ command, path: path.join(' ') }];
  return command.commands
    .filter((each) => each.name() !== 'help')
    .flatMap((each) => leaves(each, [...path, each.name()]));
}

function typedOf(command: Command, given: readonly unknown[]): Typed {
  return {
    args: command.registeredArguments.map((argument, n) => ({
      name: argument.name().replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value: given[n] as string | readonly string[] | undefined,
    })),
    options: command.opts(),
    isLimited: command.options.some((option) => option.attributeName() === 'limit'),
  };
}

async function ask(wording: Wording, typed: Typed, ports: RemotePorts): Promise<void> {
  const document = (await (await ports.client.send({ method: 'GET', path: '/v1/openapi.json' })).json()) as ApiDocument;
  const chosen = wordingFor(wording, typed);
  await refuseAnother(document, typed, ports.client);
  const [first, ...others] = typed.args;
  const many = chosen.each && Array.isArray(first?.value) ? first.value : undefined;
  for (const value of many ?? [undefined]) {
    const one =
      first === undefined || value === undefined ? typed : { ...typed, args: [{ ...first, value }, ...others] };
    await askOne(document, chosen, one, ports);
  }
}

/** As beside the database: who acts in somebody's name has their key. @throws Problem `by_another` */
async function refuseAnother(document: ApiDocument, { options: { by } }: Typed, client: ApiClient): Promise<void> {
  if (typeof by !== 'string') return;
  const answer = await client.send({
    method: 'GET',
    path: `${basePath(document)}${operationOf(document, { operation: 'showMe' }).path}`,
  });
  const { who } = (await answer.json()) as { readonly who: string };
  if (by.trim() !== who) throw new Problem('by_another', { by, who });
}

/** With the option that the server knows where it was not typed. */
async function completed(document: ApiDocument, { before }: Wording, typed: Typed, client: ApiClient): Promise<Typed> {
  if (before === undefined || typed.options[before.option] !== undefined) return typed;
  const { path } = toRequest(operationOf(document, before.wording), before.wording, typed);
  const answer = await client.send({ method: 'GET', path: `${basePath(document)}${path}` });
  const { [before.field]: value } = (await answer.json()) as Readonly<Record<string, unknown>>;
  return { ...typed, options: { ...typed.options, [before.option]: value } };
}

function operationOf(document: ApiDocument, { operation: id }: Wording): Operation {
  const operation = findOperation(document, id);
  if (operation === undefined) throw new Problem('remote_operation_unknown', { operation: id });
  return operation;
}

async function askOne(document: ApiDocument, wording: Wording, given: Typed, ports: RemotePorts): Promise<void> {
  const { client, language, output = process.stdout } = ports;
  const operation = operationOf(document, wording);
  const typed = await completed(document, wording, given, client);
  const made = toRequest(operation, wording, typed);
  const path = operation.paged && operation.method === 'GET' ? pageOf(made.path, typed) : made.path;
  const request = { ...made, path: `${basePath(document)}${path}` };
  let response: Response;
  try {
    response = await client.send({
      ...request,
      ...(operation.events ? { accept: 'text/event-stream' } : {}),
      ifMatch: operation.edits && request.method !== 'GET' ? await versionOf(client, request) : undefined,
    });
  } catch (error) {
    if (wording.orElse === undefined || !isProblem(error, 'not_found')) throw error;
    return await askOne(document, wording.orElse, typed, ports);
  }
  const isJson = typed.options['json'] === true;
  const file = intoFile(wording, typed);
  if (operation.events) return endAs(operation.id, await printEvents(response, output, isJson, language));
  const mediaType = response.headers.get('content-type') ?? '';
  if (file !== undefined) return await save(response, file);
  if (/^(text\/|application\/x-ndjson)/.test(mediaType)) return await printText(response, output, rowsMost(typed));
  if (!mediaType.startsWith('application/json')) {
    throw new Problem('server_answer_unreadable', { status: response.status, text: mediaType });
  }
  const answer: unknown = await response.json();
  const asking = { client, document, base: basePath(document) };
  const ended = wording.shows && (await outcomeOf(wording.shows, answer, asking));
  endAs(operation.id, ended ?? answer);
  const rows = async (id: string, first?: unknown): Promise<readonly unknown[]> => {
    const listed = operationOf(document, { operation: id });
    const at = {
      path: `${basePath(document)}${pageOf(toRequest(listed, { ...wording, operation: id }, typed).path, typed)}`,
    };
    const page = first ?? (await (await client.send({ method: 'GET', ...at })).json());
    return await allPages(client, at, page, { typed, language });
  };
  if (operation.paged) return await print(await rows(operation.id, answer), operation.id);
  if (wording.along === undefined) return await print(ended ?? answer, operation.id);
  return await print(
    { ...(answer as object), [wording.along.field]: await rows(wording.along.operation) },
    operation.id,
  );

  async function print(shown: unknown, id: string): Promise<void> {
    const said = wording.says === undefined ? undefined : (shown as Readonly<Record<string, unknown>>)[wording.says];
    if (said !== undefined && !isJson && typeof said === 'string') {
      await writeOut(output, `${said}\n`);
      process.stderr.write(notesText(wording, shown, language));
      return;
    }
    const all = Array.isArray(said) ? said : soleList(shown);
    await writeOut(output, isJson ? `${JSON.stringify(all, null, 2)}\n` : answerText(all, language, shownColumns[id]));
  }
}

function notesText({ notes }: Wording, answer: unknown, language: Language): string {
  const fields = answer as Readonly<Record<string, unknown>>;
  if (notes === undefined || fields[notes[0]] === null || fields[notes[0]] === undefined) return '';
  return answerText(Object.fromEntries(notes.map((name) => [name, fields[name]])), language);
}

/** An answer that is nothing but a list is that list, as commands print it beside the database. */
function soleList(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer;
  const [only, ...others] = Object.values(answer);
  return others.length === 0 && Array.isArray(only) ? only : answer;
}

function endAs(operation: string, answer: unknown): void {
  const status = statusOf(operation, answer);
  if (status !== exitStatus.done) process.exitCode = status;
}

/** `/v1`, where the document's paths do not have it already. */
function basePath({ servers = [], paths }: ApiDocument): string {
  if (Object.keys(paths).every((path) => path.startsWith('/v1/'))) return '';
  const [server] = servers;
  return server === undefined ? '/v1' : server.url.replace(/^https?:\/\/[^/]+/, '').replace(/\/+$/, '');
}

/**
 * What is changed is the version that stands there now, as a person sees it who types a command: of what is changed itself,
 * or of what it is a part of.
 */
async function versionOf(client: ApiClient, { path }: Pick<ApiRequest, 'path'>): Promise<string | undefined> {
  const [own = ''] = path.split('?');
  const see = (place: string) => client.send({ method: 'GET', path: place });
  const seen = await see(own).catch((error: unknown) => {
    if (!isProblem(error, 'method_unknown', 'route_unknown')) throw error;
    return see(own.replace(/\/[^/]+$/, ''));
  });
  await seen.arrayBuffer();
  return seen.headers.get('etag') ?? undefined;
}

/** The rows of a list, page after page, as many as were asked for. */
async function allPages(
  client: ApiClient,
  { path }: Pick<ApiRequest, 'path'>,
  first: unknown,
  { typed, language }: { readonly typed: Typed; readonly language: Language },
): Promise<readonly unknown[]> {
  const most = rowsWanted(typed);
  let page = first as { readonly rows: readonly unknown[]; readonly next?: string | null };
  const rows = [...page.rows];
  while (page.next && rows.length < most) {
    const next = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(page.next)}`;
    page = (await (await client.send({ method: 'GET', path: next })).json()) as typeof page;
    rows.push(...page.rows);
  }
  const isCut = page.next || rows.length > most;
  if (isCut && typed.options['limit'] === undefined) {
    process.stderr.write(language === 'ko' ? `처음 ${most}건만 표시\n` : `only the first ${most} are shown\n`);
  }
  return rows.slice(0, most);
}

const rowsOfTable = 100;
const mostRows = 100_000;
const rowsOfPage = 1_000;

function rowsWanted({ options: { limit, all, json }, isLimited = false }: Typed): number {
  return Number(limit ?? (all === true || json === true || !isLimited ? mostRows : rowsOfTable));
}

/** A page is as long as is wanted, and never longer than the server gives. */
function pageOf(path: string, typed: Typed): string {
  const [place = '', asked = ''] = path.split('?');
  const query = new URLSearchParams(asked);
  query.set('limit', String(Math.min(rowsWanted(typed), rowsOfPage)));
  return `${place}?${query}`;
}

/** How many rows of a file were asked for; all of it where nobody says. */
function rowsMost({ options }: Typed): number | undefined {
  return options['limit'] === undefined ? undefined : Number(options['limit']);
}
