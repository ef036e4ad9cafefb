import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { needOf } from '../identity/command-permissions.ts';
import { Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { listNodes } from './node-store.ts';
import { assertNoMaintenance, everything, pause, pausesInForce, resume } from './pause-store.ts';
import { pauseQueue, unpauseQueue } from './queue-store.ts';
import { byOf } from './schedule-change-commands.ts';
import { pauseToJson } from './schedule-json.ts';
import { momentOf } from './schedule-options.ts';
import { pauseText } from './schedule-text.ts';

type Said = { readonly why?: string; readonly by?: string; readonly json?: true };
type On = Said & { readonly until?: string; readonly queue?: string };

type Ports = { readonly banks: readonly string[]; readonly output?: Writable; now?(): Temporal.Instant };

/** `jeongsan maintenance`: nothing new starts, what runs ends; of everything, or of one queue. */
export function maintenanceCommands(
  program: Command,
  context: CommandContext,
  { banks, output = process.stdout, now = () => Temporal.Now.instant() }: Ports,
): void {
  const { language } = context;
  const noun = program.command('maintenance').description('nothing new starts, what runs ends / 점검');
  const show = async (pool: Pool, json: boolean) => {
    const pauses = (await pausesInForce(pool, now())).filter(({ kind }) => kind !== 'schedule');
    const nodes = await listNodes(pool, { all: false });
    const running = nodes.reduce((sum, { runsInAll }) => sum + runsInAll, 0);
    const on = pauses.some(({ kind }) => kind === 'everything');
    if (json) return writeOut(output, `${JSON.stringify({ on, running, pauses: pauses.map(pauseToJson) }, null, 2)}\n`);
    const head = on
      ? { ko: `점검 중 (끝나지 않은 실행 ${running}건)`, en: `maintenance is on (${running} runs have not ended)` }
      : { ko: '점검 중이 아닙니다', en: 'no maintenance' };
    const titles =
      language === 'ko' ? ['대상', '상태', '시작', '처리자', '사유'] : ['What', 'State', 'Since', 'Who', 'Why'];
    const table = formatTable(
      titles.map((title) => ({ title })),
      pauses.map((each) => [
        each.subject || '*',
        pauseText(each, language),
        formatSeoulTime(each.since),
        each.who,
        each.reason,
      ]),
    );
    return writeOut(output, `${head[language]}\n${pauses.length === 0 ? '' : table}`);
  };
  const bankOf = (bank: string): string => {
    if (!banks.includes(bank)) throw new Problem('usage', { reason: `--queue ${bank} (${banks.join(', ')})` });
    return bank;
  };
  const said = (command: Command) =>
    command
      .option('--queue <bank>', "only this bank's payouts / 은행별 큐")
      .option('--why <text>', 'the reason, kept / 사유')
      .option('--by <who>', 'who says so / 처리자')
      .option('--json', 'one JSON object / JSON 출력');
  noun
    .command('show', { isDefault: true })
    .description('whether it is on, and what has not ended / 상태')
    .option('--json', 'one JSON object / JSON 출력')
    .action(({ json }: Said) => context.withDatabase((pool) => show(pool, json === true)));
  said(noun.command('on').description('begin it; heeded by every server within seconds / 시작'))
    .option('--until <moment>', 'ends by itself at YYYY-MM-DDTHH:MM / 종료 예정')
    .action(({ until, queue, json, ...options }: On) => {
      const by = byOf(options, context);
      const end = until === undefined ? undefined : momentOf('--until', until);
      const bank = queue === undefined ? undefined : bankOf(queue);
      return context.withDatabase(async (pool) => {
        if (bank === undefined) await pause(pool, everything, { by, until: end, now: now() });
        else await pauseQueue(pool, bank, { by, until: end, now: now() });
        await show(pool, json === true);
      });
    });
  said(noun.command('off').description('end it: policies decide on what was held / 종료')).action(
    ({ queue, json, ...options }: On) => {
      const by = byOf(options, context);
      const bank = queue === undefined ? undefined : bankOf(queue);
      return context.withDatabase(async (pool) => {
        if (bank === undefined) await resume(pool, everything, { by });
        else await unpauseQueue(pool, bank, by);
        await show(pool, json === true);
      });
    },
  );
}

/**
 * Lets no command start a run while maintenance is on: whatever takes the permission `run`, but for cancelling. `path` is
 * the command's: `runs restart`. @throws Problem `maintenance_on`
 */
export async function heedMaintenance(
  path: string,
  { pool, now }: { pool(): Promise<Pool>; now(): Temporal.Instant },
): Promise<void> {
  if (needOf(path, {}) === 'run' && path !== 'runs cancel') await assertNoMaintenance(await pool(), now());
}
