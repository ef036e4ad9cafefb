import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.ts';
import { pathOf } from '../src/identity/command-guard.ts';
import { commandPermissions } from '../src/identity/command-permissions.ts';
import { loadConfig } from '../src/platform/config.ts';
import { createLog } from '../src/platform/log.ts';

/** `serve` is added by the entrance itself: it takes no part in what a command line shares. */
const byTheEntrance = ['serve'];

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test('every command names what it needs, and nothing else does', () => {
  const program = createProgram(loadConfig({}), createLog({ logLevel: 'silent' }), new AbortController().signal);
  const there = [...leaves(program).map(pathOf), ...byTheEntrance].sort();
  const named = Object.keys(commandPermissions).sort();
  expect(there.filter((path) => !named.includes(path))).toEqual([]);
  expect(named.filter((path) => !there.includes(path))).toEqual([]);
});

test('an option by which a command needs something else is one that it has', () => {
  const program = createProgram(loadConfig({}), createLog({ logLevel: 'silent' }), new AbortController().signal);
  const missing = leaves(program).flatMap((command) => {
    const need = commandPermissions[pathOf(command)];
    const options = command.options.map((option) => option.attributeName());
    return typeof need === 'object' ? Object.keys(need.withOption).filter((name) => !options.includes(name)) : [];
  });
  expect(missing).toEqual([]);
});
