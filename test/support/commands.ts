import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import type { Language } from '../../src/kernel/problem.ts';
import type { CommandContext } from '../../src/platform/command.ts';
import type { Pool } from '../../src/platform/database/pool.ts';

/** Runs a command line in this process, against a test's database; gives what it wrote and its exit status. */
export async function runCommand(
  pool: Pool,
  line: readonly string[],
  add: (program: Command, context: CommandContext, output: PassThrough) => void,
  { language = 'en' }: { readonly language?: Language } = {},
): Promise<{ readonly said: string; readonly exitCode: number }> {
  const output = new PassThrough();
  const chunks: Buffer[] = [];
  output.on('data', (chunk: Buffer) => chunks.push(chunk));
  const program = new Command().exitOverride();
  program.configureOutput({ writeOut: (text) => output.write(text), writeErr: (text) => output.write(text) });
  const context: CommandContext = {
    withDatabase: (work) => work(pool),
    language,
    who: 'operator',
    signal: new AbortController().signal,
  };
  add(program, context, output);
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await program.parseAsync(line, { from: 'user' });
    return { said: Buffer.concat(chunks).toString(), exitCode: Number(process.exitCode) };
  } finally {
    process.exitCode = before;
  }
}
