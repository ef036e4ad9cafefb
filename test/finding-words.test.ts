import { globSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { findingKinds, kindCommand } from '../src/alerts/finding-words.ts';
import { createProgram } from '../src/cli.ts';
import { nodeFindings } from '../src/operations/node-store.ts';
import { scheduleFindings } from '../src/operations/schedule-rows.ts';
import { loadConfig } from '../src/platform/config.ts';
import { createLog } from '../src/platform/log.ts';

/** What is no command of ours in a line that a message tells people to type; empty where all of it is. */
function unknownPart(program: Command, line: string): string | undefined {
  let command = program;
  const [, ...words] = line.split(' ');
  for (const [n, word] of words.entries()) {
    if (word.startsWith('--')) {
      if (!command.options.some(({ long }) => long === word)) return `${line}: ${word}`;
    } else if (!words[n - 1]?.startsWith('--')) {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) return `${line}: ${word}`;
      command = next;
    }
  }
  return command.commands.length === 0 ? undefined : `${line}: no command yet`;
}

test('where people are told to look there is a command', () => {
  const program = createProgram(loadConfig({}), createLog({ logLevel: 'silent' }), new AbortController().signal);
  const lines = [...new Set([...findingKinds, 'a_kind_without_words'].map(kindCommand))];
  expect(lines.flatMap((line) => unknownPart(program, line) ?? [])).toEqual([]);
});

/** Kinds that the source names where it opens findings: `kind: 'bank_circuit_open'`, or a constant beside. */
function kindsIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  if (!/\b(openFinding|settle)\(/.test(text) || !text.includes('openFinding')) return [];
  const constants = new Map([...text.matchAll(/const (\w+) = '(\w+)'/g)].map(([, name, value]) => [name, value]));
  const named = [...text.matchAll(/\bkind: (\w+)|openFinding\(\w+, \{ (kind)\b/g)].flatMap(
    ([, name, plain]) => constants.get(name ?? plain ?? '') ?? [],
  );
  const said = [...text.matchAll(/\bkind: '(\w+)'|\bsettle\(\w+, '(\w+)'|const kind = .*?'(\w+)' : '(\w+)'/g)];
  const of = [...text.matchAll(/\bkinds = \{(.*?)\}/gs)].flatMap(([, members = '']) =>
    [...members.matchAll(/'(\w+)'/g)].map(([, kind]) => kind ?? ''),
  );
  return [...named, ...of, ...said.flatMap(([, ...kinds]) => kinds.filter((kind) => kind !== undefined))];
}

test('every kind of finding that is opened has words', () => {
  const files = globSync('src/**/*.ts', { exclude: ['**/*.test.ts', '**/*.fixture.ts'] });
  const opened = files.flatMap(kindsIn);
  expect(opened).toEqual(expect.arrayContaining(['payout_unknown', 'breaks_old', 'ledger_deviates']));
  const all = [...opened, ...Object.values(scheduleFindings), ...Object.values(nodeFindings)];
  expect(all.filter((kind) => kind.includes('_') && !findingKinds.includes(kind))).toEqual([]);
});
