import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { Problem } from '../kernel/problem.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { type Outcome, outcomes } from './act.ts';
import { type EntryFilter, entriesFrom, findEntry, pageOfEntries, verifyChain } from './chain-store.ts';
import { type NotedHead, parseHead } from './entry.ts';
import { entryRows, entryToJson, exportLine, headText, listColumns, listRow, verificationText } from './rows.ts';

type ListOptions = {
  readonly who?: string;
  readonly act?: string;
  readonly subject?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
  readonly before?: string;
  readonly limit: string;
  readonly json?: true;
};

/** `jeongsan audit`: who did what, and that nobody took any of it back. */
export function auditCommands(program: Command, context: CommandContext, output: Writable = process.stdout): void {
  const audit = program.command('audit').description('who did what: the audit trail / 감사 추적');
  addList(audit, context, output);
  audit
    .command('show')
    .description('one entry: what was before, what after / 한 건')
    .argument('<number>')
    .option('--json', 'JSON output / JSON 출력')
    .action((number: string, { json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const entry = await findEntry(pool, numberOf('<number>', number));
        const columns = [{ title: context.language === 'ko' ? '감사 항목' : 'Audit entry' }, { title: '' }];
        await writeOut(
          output,
          json
            ? `${JSON.stringify(entryToJson(entry), null, 2)}\n`
            : formatTable(columns, entryRows(entry, context.language)),
        );
      }),
    );
  audit
    .command('verify')
    .description('compute the whole chain again / 체인 전체를 다시 계산')
    .option('--head <number:hash>', 'a head that was noted elsewhere: the chain must still hold it / 적어 둔 체인의 끝')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ head, json }: { head?: string; json?: true }) => {
      const noted = headOf(head);
      return context.withDatabase(async (pool) => {
        const found = await verifyChain(pool, { noted, signal: context.signal });
        if (!found.sound) process.exitCode = exitStatus.failed;
        await writeOut(
          output,
          json
            ? `${JSON.stringify({ ...found, head: headText(found.head) })}\n`
            : verificationText(found, context.language),
        );
      });
    });
  audit
    .command('export')
    .description('every entry as NDJSON, verified without the product / 전체 내보내기')
    .option('--from <number>', 'from this entry on / 이 번호부터', '1')
    .option('--out <file>', 'a new file instead of standard output / 파일')
    .action(({ from, out }: { from: string; out?: string }) => {
      const first = numberOf('--from', from);
      return context.withDatabase((pool) => exportTo(pool, first, out, output));
    });
}

function addList(audit: Command, context: CommandContext, output: Writable): void {
  audit
    .command('list', { isDefault: true })
    .description('entries, newest first / 목록')
    .option('--who <who>', 'by whom / 행위자')
    .option('--act <act>', 'this act; a star at the end stands for anything / 행위')
    .option('--subject <subject>', 'about this; a star at the end stands for anything / 대상')
    .option('--outcome <outcomes>', `${outcomes.join(',')} / 결과`)
    .option('--since <instant>', 'from then on, ISO 8601 / 이후')
    .option('--until <instant>', 'before then, ISO 8601 / 이전')
    .option('--before <number>', 'entries before this one: the next page / 이 번호 앞의 항목')
    .option('--limit <rows>', 'at most so many, 1000 at most / 최대 건수', '50')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: ListOptions) => {
      const filter = filterOf(options);
      const limit = numberOf('--limit', options.limit);
      if (limit > 1000) throw new Problem('usage', { reason: `--limit ${options.limit} (1–1000)` });
      const after =
        options.before === undefined ? undefined : JSON.stringify([String(numberOf('--before', options.before))]);
      return context.withDatabase(async (pool) => {
        const { rows } = await pageOfEntries(pool, filter, { after, limit, sort: 'number', descending: true });
        const { language } = context;
        await writeOut(
          output,
          options.json
            ? `${JSON.stringify(rows.map(entryToJson), null, 2)}\n`
            : formatTable(
                listColumns[language],
                rows.map((entry) => listRow(entry, language)),
              ),
        );
      });
    });
}

async function exportTo(pool: Pool, first: number, out: string | undefined, output: Writable): Promise<void> {
  try {
    const target = out === undefined ? output : await openNew(out);
    for await (const batch of entriesFrom(pool, first)) await writeOut(target, batch.map(exportLine).join(''));
    if (out !== undefined) {
      target.end();
      await finished(target);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (out === undefined || code === undefined || !/^E[A-Z]+$/.test(code)) throw error;
    throw new Problem('usage', { reason: `--out ${out}: ${message}` }, { cause: error });
  }
}

async function openNew(file: string): Promise<Writable> {
  const opened = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await once(opened, 'open');
  // Whoever writes is told what goes wrong from here on; without a listener the process would end.
  opened.on('error', () => {});
  return opened;
}

/** @throws Problem `usage` */
function filterOf({ who, act, subject, outcome, since, until }: ListOptions): EntryFilter {
  const wanted = outcome?.split(',');
  const strange = wanted?.find((each) => !outcomes.includes(each as Outcome));
  if (strange !== undefined) throw new Problem('usage', { reason: `--outcome ${strange} (${outcomes.join(', ')})` });
  return {
    who,
    act,
    subject,
    outcome: wanted as Outcome[] | undefined,
    since: instantOf('--since', since),
    until: instantOf('--until', until),
  };
}

function instantOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return Temporal.Instant.from(text).toString();
  } catch (error) {
    throw new Problem('usage', { reason: `${option} ${text} (2026-11-20T09:00:00+09:00)` }, { cause: error });
  }
}

/** @throws Problem `usage` */
function numberOf(option: string, text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Problem('usage', { reason: `${option} ${text} (1, 2, …)` });
  return Number(text);
}

/** @throws Problem `usage` */
function headOf(text: string | undefined): NotedHead | undefined {
  if (text === undefined) return undefined;
  const head = parseHead(text);
  if (head === undefined) throw new Problem('usage', { reason: `--head ${text} (number:hash)` });
  return head;
}
