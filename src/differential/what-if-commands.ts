import type { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { parseDay } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { type Rounding, roundings } from '../kernel/rounding.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { createProgress } from '../platform/terminal.ts';
import { differentialProviderNamed, differentialProviders } from '../providers/differential-registry.ts';
import { readSupposedRates, readSupposedTiers } from './what-if-files.ts';
import { whatIfText, whatIfToJson } from './what-if-rows.ts';
import { whatIf } from './what-if-store.ts';

type Options = {
  readonly from: string;
  readonly to: string;
  readonly provider?: readonly string[];
  readonly tiers?: string;
  readonly rates?: string;
  readonly rounding?: Rounding;
  readonly json?: true;
};

/** `jeongsan differential what-if`: other tiers, rates or rounding over past days, without touching anything. */
export function addWhatIfCommand(
  differential: Command,
  context: CommandContext,
  { output = process.stdout }: { readonly output?: Writable } = {},
): void {
  differential
    .command('what-if')
    .description('what other tiers, rates or rounding would have claimed; touches nothing / 가정 계산')
    .requiredOption('--from <day>', 'first day of capture YYYY-MM-DD / 시작 매입일')
    .requiredOption('--to <day>', 'last day of capture YYYY-MM-DD / 종료 매입일')
    .option('--provider <id...>', `only these (${differentialProviders.map(({ id }) => id).join(', ')}) / 원천사`)
    .option('--tiers <file>', 'as if this tier list had been imported / 가정할 등급 파일')
    .option('--rates <file>', 'as if this rate table had been imported / 가정할 요율 파일')
    .addOption(new Option('--rounding <rule>', 'of fee and VAT / 가정할 끝수 처리').choices(roundings))
    .option('--json', 'one JSON document / JSON 출력')
    .action(async (options: Options) => {
      const [from, to] = [dayOf('--from', options.from), dayOf('--to', options.to)];
      if (Temporal.PlainDate.compare(from, to) > 0) throw new Problem('usage', { reason: `--from ${from} --to ${to}` });
      const supposed = {
        ...(options.tiers === undefined ? {} : { tiers: await readSupposedTiers(options.tiers, context.language) }),
        ...(options.rates === undefined ? {} : { rates: await readSupposedRates(options.rates, context.language) }),
        ...(options.rounding === undefined ? {} : { rounding: options.rounding }),
      };
      if (Object.keys(supposed).length === 0) throw new Problem('usage', { reason: '--tiers | --rates | --rounding' });
      const providers = options.provider?.map((id) => differentialProviderNamed(id)) ?? differentialProviders;
      const progress = createProgress(process.stderr);
      const found = await context
        .withDatabase((pool) =>
          whatIf(pool, {
            ...{ from: from.toString(), to: to.toString(), providers, supposed },
            onDay: (provider, day) => progress.update('what-if', `${provider} ${day}`),
          }),
        )
        .finally(() => progress.close());
      const { language } = context;
      await writeOut(
        output,
        options.json ? `${JSON.stringify(whatIfToJson(found), null, 2)}\n` : whatIfText(found, language),
      );
    });
}

function dayOf(option: string, text: string): Temporal.PlainDate {
  const day = parseDay(text);
  if (day === undefined) throw new Problem('usage', { reason: `${option} ${text} (YYYY-MM-DD)` });
  return day;
}
