import type { Writable } from 'node:stream';
import { CommanderError } from 'commander';
import { failureText, isProblem } from '../kernel/problem.ts';
import { exitStatus } from '../platform/command.ts';
import { languageOf } from '../platform/config.ts';
import { failureJson, shown } from './usage-words.ts';

/** Says why a command failed, with `json` also as the document that was asked for, and leaves its exit status. */
export function fail(error: unknown, { json = false }: { readonly json?: boolean } = {}): void {
  const language = languageOf(process.env);
  const byParser = error instanceof CommanderError;
  if (byParser && error.exitCode === 0) {
    process.exitCode = exitStatus.done;
    return;
  }
  if (json) process.stdout.write(failureJson(error, language));
  // The parser has said so already.
  if (!byParser)
    process.stderr.write(`${isProblem(error) ? shown(failureText(error, language)) : failureText(error, language)}\n`);
  process.exitCode = byParser || isProblem(error, 'usage') ? exitStatus.usage : exitStatus.failed;
}

/** Says afterwards whether anything was written: a document that was begun cannot be followed by another. */
export function watchOutput(output: Writable): () => boolean {
  const write = output.write;
  let isWritten = false;
  output.write = (...given: unknown[]) => {
    isWritten = true;
    return write.apply(output, given as Parameters<typeof write>);
  };
  return () => isWritten;
}
