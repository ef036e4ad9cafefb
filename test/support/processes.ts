import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A real process of a test's own; it is killed when the test ends, unless told otherwise. */
export type TestProcess = {
  readonly pid: number;
  /** The next line of its standard output; fails when it ends without one. */
  line(): Promise<string>;
  /** Writes a line to its standard input. */
  tell(text: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Its exit status, or the signal it died of. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** All it wrote to standard error so far. */
  errors(): string;
};

/** When what is told is called: after a test, or after all tests of a file. */
export type AtEnd = (end: () => void) => void;

/** Runs a TypeScript file with this Node. */
export function runProcess(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  atEnd: AtEnd = onTestFinished,
): TestProcess {
  const child: ChildProcess = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr || child.pid === undefined) throw new Error(`${file} did not start`);
  let errors = '';
  stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit').then(([status, signal]) => (status ?? signal) as number | NodeJS.Signals);
  atEnd(() => {
    child.kill('SIGKILL');
  });
  return {
    pid: child.pid,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${file} ended without a line: ${errors}`);
      return value as string;
    },
    tell: (text) => void stdin.write(`${text}\n`),
    kill: (signal) => void child.kill(signal),
    ended,
    errors: () => errors,
  };
}

/** An empty folder that goes with the test. When root runs the tests, the server's account may pass through it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jeongsan-'));
  chmodSync(folder, 0o711);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
