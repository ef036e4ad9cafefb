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
import { toRequest, type Wording } from '../src/remote/request.ts';
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

test('every operation that a command is said by is there', () => {
  const missing = Object.entries(commandOperations).flatMap(([path, wording]) =>
    'local' in wording || findOperation(document, wording.operation) !== undefined
      ? []
      : [`${path}: ${wording.operation}`],
  );
  expect(missing).toEqual([]);
});

/** What of a command has no field at the server: its arguments, and each option beside those it must have. */
function unsaid(command: Command, operation: Operation, wording: Wording, withArguments: boolean): string[] {
  const args = command.registeredArguments.map((argument) => ({
    name: argument.name().replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value: withArguments ? (argument.variadic ? ['1'] : '1') : undefined,
  }));
  const typed = (option: Command['options'][number]) => ({ [option.attributeName()]: option.isBoolean() ? true : '1' });
  const needed = Object.assign({}, ...command.options.filter((option) => option.mandatory).map(typed)) as object;
  return [{}, ...command.options.map(typed)].flatMap((options) => {
    const [option = 'arguments'] = Object.keys(options);
    if (wording.beside?.includes(option)) return [];
    try {
      toRequest(operation, wording, { args, options: { ...needed, ...options } });
      return [];
    } catch (error) {
      if (!isProblem(error)) throw error;
      return [`${option}: ${error.message}`];
    }
  });
}

test('whatever can be typed has its field at the server', () => {
  const unmapped = leaves(program, []).flatMap(({ command, path }) => {
    const wording = commandOperations[path];
    if (wording === undefined || 'local' in wording) return [];
    const operation = findOperation(document, wording.operation);
    if (operation === undefined) return [];
    return unsaid(command, operation, wording, wording.one === undefined).map((each) => `${path} ${each}`);
  });
  expect(unmapped).toEqual([]);
});

test('a command that may name one thing asks for just that', () => {
  const unmapped = leaves(program, []).flatMap(({ command, path }) => {
    const wording = commandOperations[path];
    if (wording === undefined || 'local' in wording || wording.one === undefined) return [];
    const operation = findOperation(document, wording.one);
    const optionless = Object.assign(Object.create(command), { options: [] }) as Command;
    return operation === undefined ? [`${path}: ${wording.one}`] : unsaid(optionless, operation, wording, true);
  });
  expect(unmapped).toEqual([]);
});
