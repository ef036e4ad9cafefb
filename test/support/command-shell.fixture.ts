// Runs command lines one after the other as `jeongsan` runs one, each with a database connection and a guard of its own:
// starting Node takes far longer than most commands do. A line in is JSON; what a command prints goes out as it is, and a
// line that begins with the mark says that it is over.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createCommandLine } from '../../src/cli.ts';
import { fail } from '../../src/operations/failure-commands.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { createLog } from '../../src/platform/log.ts';
import { reconciledProviders } from '../../src/providers/registry.ts';
import { overMark } from './command-shell.ts';

const providers = reconciledProviders.map(({ id }) => id);
let refusal = '';
process.stderr.write = (text: string | Uint8Array) => {
  refusal += String(text);
  return true;
};

for await (const line of createInterface({ input: process.stdin })) {
  const { words, typed, env } = JSON.parse(line) as { words: string[]; typed: string; env: Record<string, string> };
  Object.defineProperty(process, 'stdin', { value: Readable.from([typed]), configurable: true });
  Object.assign(process.env, env);
  refusal = '';
  process.exitCode = 0;
  try {
    const config = loadConfig(process.env, providers);
    await createCommandLine(config, createLog({ logLevel: 'error' }), new AbortController().signal).run([
      ...['node', 'jeongsan'],
      ...words,
    ]);
  } catch (error) {
    fail(error);
  }
  process.stdout.write(`\n${overMark}${JSON.stringify({ status: process.exitCode, refusal })}\n`);
}
process.exitCode = 0;
