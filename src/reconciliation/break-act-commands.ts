import type { Command } from 'commander';
import { businessCalendar } from '../calendar/store.ts';
import { wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount } from '../platform/terminal.ts';
import {
  type ActOutcome,
  actOnBreaks,
  type BreakAct,
  type BreakTarget,
  countTargets,
  type RefusedBreak,
} from './break-act-store.ts';
import { namesNothing } from './break-filter.ts';
import { addFilterOptions, type FilterOptions, type FilterWorld, toFilter, wholeNumber } from './break-options.ts';
import { formatDifference } from './break-rows.ts';
import type { BreakSurroundings } from './break-surroundings.ts';
import { actionWords, resolutionsByHand, resolutionWords, stateWords, type Words, wordOf } from './words.ts';

type ActOptions = FilterOptions & {
  readonly all?: true;
  readonly dryRun?: true;
  readonly by?: string;
  readonly why?: string;
  readonly json?: true;
  readonly assignee?: string;
  readonly nobody?: true;
  readonly as?: string;
};

/** What became of the breaks, as an operator reads it. */
const doneWords: Readonly<Record<BreakAct['action'], Words>> = {
  assign: actionWords.assigned,
  comment: actionWords.commented,
  investigate: actionWords.investigating,
  resolve: actionWords.resolved,
};

/** Adds `assign`, `comment`, `investigate` and `resolve`, each for named breaks or for all that a filter takes in. */
export function addActCommands(breaks: Command, context: CommandContext, surroundings: () => BreakSurroundings): void {
  const add = (name: BreakAct['action'], description: string): Command =>
    addFilterOptions(breaks.command(name).description(description).argument('[ids...]', 'break IDs / 불일치 번호'))
      .option('--all', 'every unresolved break / 미종결 전체')
      .option('--dry-run', 'only count what would be done / 건수만 확인')
      .option('--by <who>', 'who acts / 처리자')
      .option('--why <text>', 'the reason, kept in the trail / 사유')
      .option('--json', 'JSON output / JSON 출력')
      .action((ids: string[], options: ActOptions) => {
        const { output, world } = surroundings();
        const act = toAct(name, options);
        const targetOf = toTarget(ids, options, world);
        const by = { who: options.by ?? context.who, why: options.why ?? null };
        return context.withDatabase(async (pool) => {
          const dryRun = options.dryRun ?? false;
          const target = targetOf(await businessCalendar(pool));
          const outcome = dryRun ? await countTargets(pool, target, act) : await actOnBreaks(pool, target, act, by);
          if (outcome.refused.length > 0) process.exitCode = exitStatus.failed;
          const said = options.json
            ? `${JSON.stringify(outcomeToJson(act, dryRun, outcome))}\n`
            : outcomeText(act, dryRun, outcome, context.language);
          await writeOut(output, said);
        });
      });
  add('assign', 'give to a person / 담당 지정')
    .option('--assignee <who>', 'the person / 담당자')
    .option('--nobody', 'take it from whoever has it / 담당 해제');
  add('comment', 'say something in the trail (--why) / 의견');
  add('investigate', 'somebody looks into it / 조사 시작');
  add('resolve', 'bring to its end (--as, --why) / 종결').option('--as <resolution>', resolutionsByHand.join(', '));
}

/** @throws Problem `usage` where something that the act needs is missing */
function toAct(action: BreakAct['action'], { assignee, nobody, as, why }: ActOptions): BreakAct {
  const said = why !== undefined && why.trim() !== '';
  switch (action) {
    case 'assign':
      if ((assignee === undefined) === (nobody === undefined))
        throw new Problem('usage', { reason: '--assignee WHO | --nobody' });
      return { action, to: assignee ?? null };
    case 'comment':
      if (!said) throw new Problem('usage', { reason: '--why TEXT' });
      return { action };
    case 'investigate':
      return { action };
    case 'resolve': {
      const resolution = resolutionsByHand.find((known) => known === as);
      if (resolution === undefined) throw new Problem('usage', { reason: `--as ${resolutionsByHand.join(' | ')}` });
      if (!said) throw new Problem('usage', { reason: '--why TEXT' });
      return { action, as: resolution };
    }
  }
}

/** @throws Problem `usage`; `breaks_too_wide` where nothing says which breaks are meant */
function toTarget(
  ids: readonly string[],
  options: ActOptions,
  world: FilterWorld,
): (holidays: ReadonlySet<string>) => BreakTarget {
  const filterOf = toFilter(options, world);
  // Whether anything is named does not depend on the calendar.
  const filter = filterOf(new Set());
  const filtered = !namesNothing(filter) || options.state !== undefined;
  if (ids.length > 0) {
    if (filtered || options.all) throw new Problem('usage', { reason: 'ID… | --filter' });
    const target = { ids: [...new Set(ids.map((id) => wholeNumber('ID', id, 999_999_999)))] };
    return () => target;
  }
  if (namesNothing(filter) && !options.all) throw new Problem('breaks_too_wide');
  return (holidays) => ({ filter: filterOf(holidays) });
}

function outcomeToJson(act: BreakAct, dryRun: boolean, { changed, differenceWon, refused }: ActOutcome): unknown {
  return { action: act.action, dryRun, changed, differenceWon: wonToJson(differenceWon), refused };
}

function outcomeText(act: BreakAct, dryRun: boolean, outcome: ActOutcome, language: Language): string {
  const count = formatCount(outcome.changed);
  const done = doneWords[act.action][language];
  const difference = formatDifference(outcome.differenceWon);
  const first =
    language === 'ko'
      ? `${done}: ${count}건 · 차액 합계 ${difference}원${dryRun ? ' (실제로 처리하지 않음)' : ''}`
      : `${done}: ${count} ${outcome.changed === 1 ? 'break' : 'breaks'} · total difference ${difference} won${dryRun ? ' (nothing was done)' : ''}`;
  return [first, ...outcome.refused.map((refused) => refusedText(refused, language)), ''].join('\n');
}

function refusedText({ id, state, resolution, assignedTo, by, at }: RefusedBreak, language: Language): string {
  const stands = [
    wordOf(stateWords, state, language),
    ...(resolution === null ? [] : [wordOf(resolutionWords, resolution, language)]),
    ...(assignedTo === null ? [] : [assignedTo]),
  ].join(' · ');
  const since = by === null || at === null ? '' : ` (${by}, ${formatSeoulTime(at)})`;
  return language === 'ko'
    ? `  ${id} 처리하지 않음: 이미 ${stands}${since}`
    : `  ${id} left alone: already ${stands}${since}`;
}
