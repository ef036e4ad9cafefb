import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { changeOrPropose, decideLimit } from './bank-limit-store.ts';
import { type BankControl, type ControlChange, ensureControl, listControls } from './control-store.ts';
import { controlColumns, controlRow, controlToJson } from './payout-rows.ts';

type SetOptions = {
  readonly limit?: string;
  readonly pause?: true;
  readonly resume?: true;
  readonly approvalOver?: string;
  readonly by?: string;
  readonly why?: string;
  readonly json?: true;
};

/** `jeongsan bank`: how payouts go through each bank, and what an operator changes about it while they run. */
export function bankCommands(
  program: Command,
  context: CommandContext,
  { banks, output = process.stdout }: { readonly banks: readonly string[]; readonly output?: Writable },
): void {
  const { language } = context;
  const bank = program.command('bank').description('banks that payouts go through / 은행');
  bank
    .command('show', { isDefault: true })
    .description('limits, what is in hand and waits / 현황')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: { readonly json?: true }) =>
      context.withDatabase(async (pool) => {
        for (const id of banks) await ensureControl(pool, id);
        const controls = await listControls(pool);
        const text = options.json
          ? `${JSON.stringify(controls.map(controlToJson), null, 2)}\n`
          : formatTable(
              controlColumns(language),
              controls.map((control) => controlRow(control, language)),
            );
        await writeOut(output, text);
      }),
    );
  bank
    .command('set')
    .description('heeded by all processes at once / 변경')
    .argument('<bank>', 'bank ID / 은행')
    .option('--limit <transfers>', 'transfers at the same time, over all processes / 동시 이체 한도')
    .option('--pause', 'send nothing new; what was sent is still asked about / 중지')
    .option('--resume', 'send again / 재개')
    .option('--approval-over <won>', 'above this a second person approves; raised by two people / 승인 기준 금액')
    .option('--by <who>', 'who changes it / 변경자')
    .option('--why <text>', 'the reason / 사유')
    .option('--json', 'one JSON object, `waits`: the approval that a higher amount waits for / JSON 출력')
    .action((id: string, options: SetOptions) => {
      const change = toChange(options);
      const why = options.why?.trim() ?? '';
      if (why === '') throw new Problem('usage', { reason: '--why TEXT' });
      return context.withDatabase(async (pool) => {
        if (banks.includes(id)) await ensureControl(pool, id);
        const waits = await changeOrPropose(pool, id, change, { who: options.by ?? context.who, reason: why });
        const control = await controlOf(pool, id);
        if (options.json) {
          await writeOut(output, `${JSON.stringify({ ...controlToJson(control), waits: waits ?? null }, null, 2)}\n`);
          return;
        }
        await writeOut(output, formatTable(controlColumns(language), [controlRow(control, language)]));
        const word = language === 'ko' ? '승인 대기' : 'waits for a second person';
        if (waits !== undefined) await writeOut(output, `${word}: ${waits}\n`);
      });
    });
  addDecisions(bank, context, output);
}

function addDecisions(bank: Command, context: CommandContext, output: Writable): void {
  const { language } = context;
  for (const [name, decision, description] of [
    ['approve', 'approved', 'the second person agrees that the limit is raised / 승인'],
    ['refuse', 'refused', 'the second person refuses / 거절'],
  ] as const) {
    bank
      .command(name)
      .description(description)
      .argument('<bank>', 'bank ID / 은행')
      .option('--by <who>', 'who decides / 처리자')
      .option('--why <text>', 'the reason, kept / 사유')
      .option('--json', 'one JSON object / JSON 출력')
      .action((id: string, { by, why, json }: Pick<SetOptions, 'by' | 'why' | 'json'>) =>
        context.withDatabase(async (pool) => {
          const note = why === undefined ? {} : { note: why };
          await decideLimit(pool, id, { who: by ?? context.who, decision, ...note });
          const control = await controlOf(pool, id);
          const text = json
            ? `${JSON.stringify(controlToJson(control), null, 2)}\n`
            : formatTable(controlColumns(language), [controlRow(control, language)]);
          await writeOut(output, text);
        }),
      );
  }
}

async function controlOf(pool: Pool, bank: string): Promise<BankControl> {
  const control = (await listControls(pool)).find((each) => each.bank === bank);
  check(control, `what was changed of ${bank} is there`);
  return control;
}

/** @throws Problem `usage` where nothing, or something that cannot be, is to be changed */
function toChange({ limit, pause, resume, approvalOver }: SetOptions): ControlChange {
  if (pause && resume) throw new Problem('usage', { reason: '--pause | --resume' });
  if (limit !== undefined && (!/^\d{1,5}$/.test(limit) || Number(limit) > 10_000)) {
    throw new Problem('usage', { reason: `--limit ${limit} (0–10000)` });
  }
  if (approvalOver !== undefined && !/^\d{1,15}$/.test(approvalOver)) {
    throw new Problem('usage', { reason: `--approval-over ${approvalOver}` });
  }
  const change = {
    ...(limit === undefined ? {} : { transferLimit: Number(limit) }),
    ...(pause || resume ? { paused: pause === true } : {}),
    ...(approvalOver === undefined ? {} : { approvalOverWon: BigInt(approvalOver) }),
  };
  if (Object.keys(change).length === 0) {
    throw new Problem('usage', { reason: '--limit | --pause | --resume | --approval-over' });
  }
  return change;
}
