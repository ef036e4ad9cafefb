import type { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { isProblem, Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { writeOut } from '../platform/output.ts';
import { runOfBatch } from './batch-end-store.ts';
import { type ClaimFile, claimFile } from './file-store.ts';
import { registrationRunId } from './registration-workflow.ts';
import { decideFile } from './send-decision-store.ts';

type Engine = { readonly pool: Pool; readonly durable: Pick<Durable, 'restart'> };
type Options = {
  readonly again?: true;
  readonly sent?: true;
  readonly reason: string;
  readonly by?: string;
  readonly json?: true;
};

/** How long the command stays to see a file go out; what takes longer goes on in whichever process runs. */
const patienceMs = 60_000;
const lookEveryMs = 200;

/** `differential send`: a person knows of a file what we do not, and its run goes on. */
export function addSendCommand(
  noun: Command,
  context: CommandContext,
  withEngine: <T>(work: (engine: Engine) => Promise<T>) => Promise<T>,
  {
    output = process.stdout,
    now = () => Temporal.Now.instant(),
  }: { readonly output?: Writable; now?(): Temporal.Instant } = {},
): void {
  noun
    .command('send')
    .description('decide about a file that could not be sent, or of which nobody knows / 송신 결정')
    .argument('<file>', 'its name / 파일 이름')
    .option('--again', 'the provider does not have it: send it / 다시 보내기')
    .option('--sent', 'the provider has it: wait for its answers / 이미 도착함')
    .requiredOption('--reason <why>', 'who said so, and what / 사유')
    .option('--by <who>', 'who decides / 결정자')
    .option('--json', 'one JSON object / JSON 출력')
    .action((fileName: string, options: Options) => {
      if (options.again === options.sent)
        throw new Problem('usage', { reason: 'differential send FILE --again | --sent' });
      const decision = options.again ? ('again' as const) : ('sent' as const);
      return withEngine(async ({ pool, durable }) => {
        const decided = { fileName, decision, by: options.by ?? context.who, reason: options.reason, at: now() };
        const file = await decideFile(pool, decided);
        await durable.restart(await runOf(pool, file)).catch((error: unknown) => {
          // It still runs, for the day's other files, and takes this one up with its next look.
          if (!isProblem(error, 'run_not_restartable')) throw error;
        });
        const left = await whenGone(pool, file, context.signal);
        const { state, foundThere, reason } = left;
        const said = context.language === 'ko' ? words.ko : words.en;
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify({ file: fileName, state, foundThere, reason }, null, 2)}\n`
            : `${fileName}: ${said[state]}\n`,
        );
        if (state === 'failed') process.exitCode = exitStatus.failed;
      });
    });
}

const words: Readonly<Record<'ko' | 'en', Readonly<Record<ClaimFile['state'], string>>>> = {
  ko: {
    written: '다음 조회 때 보냅니다',
    sent: '송신했습니다',
    answered: '회신 완료',
    expired: '기한 경과',
    failed: '보내지 못했습니다',
  },
  en: {
    written: 'goes out with the next look',
    sent: 'sent',
    answered: 'answered',
    expired: 'expired',
    failed: 'not sent',
  },
};

async function runOf(pool: Pool, { batchId, provider, on }: ClaimFile): Promise<string> {
  return batchId === null ? registrationRunId({ provider, on }) : await runOfBatch(pool, batchId);
}

/** The file once it is decided by its run, or after a while as it is. */
async function whenGone(pool: Pool, { fileId }: ClaimFile, signal: AbortSignal): Promise<ClaimFile> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    const file = await claimFile(pool, fileId);
    if (file.state !== 'written' || waitedMs >= patienceMs || signal.aborted) return file;
    await wait(lookEveryMs);
  }
}
