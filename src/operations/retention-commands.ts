import { hostname } from 'node:os';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { actingAs } from '../audit/store.ts';
import type { CommandContext } from '../platform/command.ts';
import { inTransaction, type Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import type { Expiring } from './retention.ts';
import { changeRetention, retentionRules } from './retention-store.ts';
import { readNumber } from './run-options.ts';

export type RetentionCommandPorts = { expiring(pool: Pool): readonly Expiring[]; readonly output?: Writable };

/** `jeongsan retention`: how long records of operation are kept. The job `retention` removes what is older. */
export function retentionCommands(
  program: Command,
  context: CommandContext,
  { expiring, output = process.stdout }: RetentionCommandPorts,
): void {
  const { language } = context;
  const retention = program.command('retention').description('how long records of operation are kept / 보존 기한');
  const show = async (pool: Pool, json: boolean): Promise<void> => {
    const rules = await retentionRules(pool);
    const rows = expiring(pool).map(({ kind, words, keepDays }) => ({
      kind,
      words: words[language],
      keepDays: rules.get(kind) ?? keepDays,
      keepDaysDefault: keepDays,
    }));
    const columns = (
      language === 'ko' ? ['종류', '내용', '보존(일)', '기본(일)'] : ['Kind', 'What', 'Days', 'Default']
    ).map((title, n) => (n < 2 ? { title } : { title, align: 'right' as const }));
    const table = rows.map((row) => [row.kind, row.words, String(row.keepDays), String(row.keepDaysDefault)]);
    await writeOut(output, json ? `${JSON.stringify(rows, null, 2)}\n` : formatTable(columns, table));
  };
  retention
    .command('list', { isDefault: true })
    .description('what is kept, and for how long / 목록')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ json }: { json?: true }) => context.withDatabase((pool) => show(pool, json ?? false)));
  retention
    .command('set')
    .description('keep a kind for so many days / 변경')
    .argument('<kind>')
    .argument('<days>')
    .requiredOption('--reason <text>', 'why / 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((kind: string, days: string, { reason, by = context.who, json }: Said) =>
      context.withDatabase(async (pool) => {
        const keepDays = readNumber('<days>', days, 36_500);
        await inTransaction(pool, async (tx) => {
          await actingAs(tx, { who: by, from: `cli@${hostname()}` }, reason);
          await changeRetention(tx, expiring(pool), { kind, keepDays });
        });
        await show(pool, json ?? false);
      }),
    );
}

type Said = { readonly reason: string; readonly by?: string; readonly json?: true };
