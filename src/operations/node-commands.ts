import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { forgetNode, listNodes } from './node-store.ts';
import { byOf } from './schedule-change-commands.ts';
import { nodeColumns, nodeRow } from './schedule-text.ts';

type Said = { readonly why?: string; readonly by?: string; readonly json?: true };

/** `jeongsan nodes`: the processes that work, how they are, and on what. */
export function nodeCommands(
  program: Command,
  context: CommandContext,
  { output = process.stdout }: { readonly output?: Writable } = {},
): void {
  const { language } = context;
  const noun = program.command('nodes').description('the servers: clock, disk, load, and what runs there / 노드');
  noun
    .command('list', { isDefault: true })
    .description('how they are / 목록')
    .option('--all', 'those of the last day that have ended, too / 종료된 것도')
    .option('--json', 'one JSON array / JSON 출력')
    .action(async ({ all, json }: { readonly all?: true; readonly json?: true }) => {
      const nodes = await context.withDatabase((pool) => listNodes(pool, { all: all === true }));
      const plain = nodes.map((node) => ({
        ...node,
        diskFreeBytes: Number(node.diskFreeBytes),
        diskAllBytes: Number(node.diskAllBytes),
        memoryBytes: Number(node.memoryBytes),
      }));
      const text = json
        ? `${JSON.stringify(plain, null, 2)}\n`
        : formatTable(
            nodeColumns(language),
            nodes.map((node) => nodeRow(node, language)),
          );
      await writeOut(output, text);
    });
  noun
    .command('forget')
    .description('look no more for one that is lost and will not come back / 응답 없는 노드 잊기')
    .argument('<id>', 'host:pid, as the list and its finding name it / 노드')
    .option('--why <text>', 'the reason, kept / 사유')
    .option('--by <who>', 'who says so / 처리자')
    .option('--json', 'one JSON object / JSON 출력')
    .action(async (id: string, { json, ...options }: Said) => {
      const by = byOf(options, context);
      const forgotten = await context.withDatabase((pool) => forgetNode(pool, id, by));
      const { node, closedFindings } = forgotten;
      const text =
        language === 'ko'
          ? `노드 ${node}을(를) 더 찾지 않습니다 (종결한 발견 ${closedFindings}건)`
          : `node ${node} is looked for no more (${closedFindings} findings closed)`;
      await writeOut(output, json ? `${JSON.stringify(forgotten, null, 2)}\n` : `${text}\n`);
    });
}
