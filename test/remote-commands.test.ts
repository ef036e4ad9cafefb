import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiRoutes } from '../src/api.ts';
import type { App } from '../src/app.ts';
import { createProgram } from '../src/cli.ts';
import { isProblem } from '../src/kernel/problem.ts';
import { openApiDocument } from '../src/platform/http/openapi-document.ts';
import { createLog } from '../src/platform/log.ts';
import { commandOperations } from '../src/remote/command-operations.ts';
import { leaves } from '../src/remote/commands.ts';
import { type ApiDocument, findOperation, type Operation } from '../src/remote/operation.ts';
import { toRequest, type Wording, wordingFor } from '../src/remote/request.ts';
import { createInstallation, type Installation } from './support/installation.ts';

let installation: Installation;
let app: App;
let document: ApiDocument;
let program: Command;
beforeAll(async () => {
  installation = await createInstallation();
  app = await installation.open();
  document = JSON.parse(JSON.stringify(openApiDocument(apiRoutes(app), { version: 'test' }))) as ApiDocument;
  program = createProgram(installation.config, createLog({ logLevel: 'silent' }), new AbortController().signal);
});
afterAll(async () => {
  await app.close();
  await installation.close();
});

test('every command says how it is asked of a server, or why it is not', () => {
  const there = leaves(program, []).map(({ path }) => path);
  const known = Object.keys(commandOperations);
  expect(there.filter((path) => !known.includes(path))).toEqual([]);
  expect(known.filter((path) => !there.includes(path))).toEqual([]);
});

/** A wording with those that it may give way to. */
function ways(wording: Wording): Wording[] {
  const others = [wording.orElse, wording.before?.wording, ...(wording.when ?? []).map(([, other]) => other)].filter(
    (other) => other !== undefined,
  );
  return [wording, ...others.flatMap(ways)];
}

test('every operation that a command is said by is there', () => {
  const missing = Object.entries(commandOperations).flatMap(([path, wording]) =>
    'local' in wording
      ? []
      : ways(wording)
          .filter(({ operation }) => findOperation(document, operation) === undefined)
          .map(({ operation }) => `${path}: ${operation}`),
  );
  expect(missing).toEqual([]);
});

/** What is typed for words that have a form of their own. */
const typedFor: Readonly<Record<string, string | readonly string[]>> = {
  capture: 'T1/0',
  capturedOn: '2026-11-20',
  line: ['wallet:M1=-1000', 'suspense=1000'],
  longerThan: '90s',
  shorterThan: '1h',
  until: '2026-11-21T18:00',
  days: '30',
  misfire: 'run-all:3',
  overlap: 'queue-one',
  parameters: '{}',
  continues: 'yes',
  quiet: '22:00-07:00',
  gather: '30s',
  kind: 'smtp',
  also: 'digest',
  language: 'ko',
  secret: 'PATH',
  slack: '5m',
  stuckAfter: '2h',
  severities: 'urgent',
};

/** What of a command has no field at the server: its arguments, and each option beside those it must have. */
function unsaid(command: Command, wording: Wording): string[] {
  const args = command.registeredArguments.map((argument) => {
    const name = argument.name().replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const [value] = [typedFor[name] ?? '1'].flat();
    return { name, value: argument.variadic && !wording.each ? [value as string] : (value as string) };
  });
  const typed = (option: Command['options'][number]) => {
    const name = option.attributeName();
    // A schedule's days are a rule, a key's a number.
    const text = name === 'days' && wording.operation.endsWith('Schedule') ? 'business-days' : (typedFor[name] ?? '1');
    return { [name]: option.isBoolean() ? true : text };
  };
  const needed = Object.assign({}, ...command.options.filter((option) => option.mandatory).map(typed)) as object;
  const captured = command.options.some((option) => option.attributeName() === 'capturedOn');
  return [{}, ...command.options.map(typed)].flatMap((options) => {
    const [option = 'arguments'] = Object.keys(options);
    const all = { ...needed, ...(captured ? { capturedOn: '2026-11-20' } : {}), ...options };
    const chosen = wordingFor(wording, { args, options: all });
    if (chosen.before !== undefined) Object.assign(all, { [chosen.before.option]: '1' });
    const operation = findOperation(document, chosen.operation);
    if (operation === undefined || chosen.beside?.includes(option)) return [];
    try {
      toRequest(operation, chosen, { args, options: all });
      return [];
    } catch (error) {
      if (!isProblem(error)) throw error;
      // Whoever names one thing says nothing of others.
      const isOther = wording.when?.some(([given]) => args.some(({ name }) => name === given));
      return isOther && option !== 'arguments' ? [] : [`${option}: ${error.message}`];
    }
  });
}

test('whatever can be typed has its field at the server', () => {
  const unmapped = leaves(program, []).flatMap(({ command, path }) => {
    const wording = commandOperations[path];
    if (wording === undefined || 'local' in wording) return [];
    return unsaid(command, wording).map((each) => `${path} ${each}`);
  });
  expect(unmapped).toEqual([]);
});

test('an act by a filter has each of its options', () => {
  for (const path of ['runs cancel', 'runs restart']) {
    const { command } = leaves(program, []).find((each) => each.path === path) as { command: Command };
    const wording = commandOperations[path] as Wording;
    const operation = findOperation(document, wording.operation) as Operation;
    for (const option of command.options) {
      const name = option.attributeName();
      const options = { [name]: option.isBoolean() ? true : (typedFor[name] ?? '1') };
      expect(() => toRequest(operation, wording, { args: [], options }), `${path} --${name}`).not.toThrow();
    }
  }
});
