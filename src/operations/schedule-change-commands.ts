import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import type { Pool } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import type { Jobs } from './job.ts';
import { ofSchedule, pause, resume } from './pause-store.ts';
import { scheduleToJson, slotToJson, usualTerms } from './schedule-json.ts';
import { countOf, momentOf, readTerms, type TermOptions } from './schedule-options.ts';
import { pageOfSlots, requestRun, scheduleOverviews } from './schedule-overview-store.ts';
import { addSchedule, type ChangedBy, changeSchedule, removeSchedule, scheduleNamed } from './schedule-store.ts';
import { scheduleFacts, slotStateText } from './schedule-text.ts';

type Said = { readonly why?: string; readonly by?: string; readonly json?: true };
type Engine = { readonly pool: Pool; readonly jobs: Jobs };
type Ports = {
  readonly output?: Writable;
  now?(): Temporal.Instant;
  /** A process that knows the jobs: it says whether their parameters are right. */
  withJobs<T>(work: (engine: Engine) => Promise<T>): Promise<T>;
};

/** `schedule add|edit|remove|pause|resume|run-now`: heeded by every node within a second or so, without a restart. */
export function scheduleChangeCommands(noun: Command, context: CommandContext, ports: Ports): void {
  const { output = process.stdout, now = () => Temporal.Now.instant(), withJobs } = ports;
  const { language } = context;
  const show = async (pool: Pool, name: string, json: boolean) => {
    const [found] = await scheduleOverviews(pool, now(), name);
    if (found === undefined) throw new Problem('not_found', { what: 'schedule', id: name });
    const text = () =>
      formatTable([{ title: language === 'ko' ? '항목' : 'Field' }, { title: '' }], scheduleFacts(found, language));
    await writeOut(output, json ? `${JSON.stringify(scheduleToJson(found), null, 2)}\n` : text());
  };
  const by = (options: Said): ChangedBy => byOf(options, context);
  withTerms(said(noun.command('add').description('add a schedule / 등록').argument('<name>')))
    .requiredOption('--job <job>', 'what it starts / 작업')
    .action((name: string, { job, json, ...options }: Said & TermOptions & { readonly job: string }) => {
      const { cron, ...terms } = readTerms(options);
      if (cron === undefined) throw new Problem('usage', { reason: '--cron PATTERN' });
      const added = { name, terms: usualTerms({ ...terms, cron, job }), by: by(options) };
      return withJobs(async ({ pool, jobs }) => {
        await addSchedule(pool, jobs, { ...added, now: now() });
        await show(pool, name, json === true);
      });
    });
  withTerms(said(noun.command('edit').description('change a schedule / 변경').argument('<name>')))
    .option('--seen <version>', 'refuse where it is another one meanwhile / 본 버전')
    .action((name: string, { seen: version, json, ...options }: Said & TermOptions & { readonly seen?: string }) => {
      const change = readTerms(options);
      if (Object.keys(change).length === 0) throw new Problem('usage', { reason: '--cron | --zone | --days | …' });
      const seen = version === undefined ? undefined : countOf('--seen', version, 1_000_000);
      const changed = { name, version: seen, change, by: by(options) };
      return withJobs(async ({ pool, jobs }) => {
        await changeSchedule(pool, jobs, { ...changed, now: now() });
        await show(pool, name, json === true);
      });
    });
  said(noun.command('remove').description('remove a schedule; its slots stay / 삭제').argument('<name>')).action(
    (name: string, options: Said) =>
      context.withDatabase(async (pool) => {
        const removed = await removeSchedule(pool, { name, version: undefined, by: by(options), now: now() });
        const text = language === 'ko' ? `${name}: 삭제했습니다\n` : `${name}: removed\n`;
        const json = { name: removed.name, version: removed.version };
        await writeOut(output, options.json ? `${JSON.stringify(json, null, 2)}\n` : text);
      }),
  );
  said(noun.command('pause').description('hold its slots until it goes on / 중지').argument('<name>'))
    .option('--until <moment>', 'goes on by itself at YYYY-MM-DDTHH:MM / 재개 시각')
    .action((name: string, { until, ...options }: Said & { readonly until?: string }) => {
      const end = until === undefined ? undefined : momentOf('--until', until);
      return context.withDatabase(async (pool) => {
        const { id } = await scheduleNamed(pool, name);
        await pause(pool, ofSchedule(id), { by: by(options), until: end, now: now() });
        await show(pool, name, options.json === true);
      });
    });
  said(noun.command('resume').description('let it go on / 재개').argument('<name>')).action(
    (name: string, options: Said) =>
      context.withDatabase(async (pool) => {
        const { id } = await scheduleNamed(pool, name);
        await resume(pool, ofSchedule(id), { by: by(options) });
        await show(pool, name, options.json === true);
      }),
  );
  said(noun.command('run-now').description('run it now, on some server / 즉시 실행').argument('<name>')).action(
    (name: string, options: Said) =>
      context.withDatabase(async (pool) => {
        const { actor } = by(options);
        const { nominalAt } = await requestRun(pool, undefined, { name, who: actor.who, now: now() });
        const since = nominalAt.toString();
        const { rows } = await pageOfSlots(
          pool,
          { schedule: name, since },
          { after: undefined, limit: 1, descending: false },
        );
        const [slot] = rows;
        if (slot === undefined) return;
        const text = `${name} ${since}: ${slotStateText(slot, language)}\n`;
        await writeOut(output, options.json ? `${JSON.stringify(slotToJson(slot), null, 2)}\n` : text);
      }),
  );
}

function said(command: Command): Command {
  return command
    .option('--why <text>', 'the reason, kept / 사유')
    .option('--by <who>', 'who says so / 처리자')
    .option('--json', 'one JSON object / JSON 출력');
}

function withTerms(command: Command): Command {
  return command
    .option('--cron <pattern>', 'five fields, or six with seconds first / 시각')
    .option('--zone <name>', 'time zone, Asia/Seoul unless told otherwise / 시간대')
    .option('--days <rule>', 'every-day, business-days, roll-forward, roll-backward / 영업일 규칙')
    .option('--misfire <policy>', 'skip, run-once, run-all:N / 누락 처리')
    .option('--overlap <policy>', 'skip, queue-one, allow / 중복 처리')
    .option('--late-after <seconds>', 'a start so late is told of; never / 지연 기준')
    .option('--long-after <seconds>', 'a run so long is told of; never / 장시간 기준')
    .option('--parameters <json>', 'what the job is asked for / 매개변수')
    .option('--enable', 'switch it on / 켜기')
    .option('--disable', 'switch it off: no slots at all / 끄기');
}

/** @throws Problem `usage` without a reason */
export function byOf({ why, by }: Pick<Said, 'why' | 'by'>, context: Pick<CommandContext, 'who'>): ChangedBy {
  const reason = why?.trim() ?? '';
  if (reason === '') throw new Problem('usage', { reason: '--why TEXT' });
  return { actor: { who: by?.trim() || context.who, from: 'cli' }, reason };
}
