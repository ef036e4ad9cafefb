import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { actOnPayout, type PayoutCommandPorts, parsePayoutId } from './commands.ts';
import { decideSettle, handOutcomes, proposeSettle } from './hand-settle-store.ts';

type Options = { readonly by?: string; readonly json?: true };
type ProposeOptions = Options & { readonly as: string; readonly reason: string };
type DecideOptions = Options & { readonly why?: string };

/** `jeongsan payout settle`: what became of a payout where the bank does not say, by two people. Added to `payout`. */
export function handSettleCommands(payout: Command, context: CommandContext, ports: PayoutCommandPorts): void {
  const settle = payout.command('settle').description('in the stead of the bank, by two people / 수기 확정');
  const add = (name: string, description: string, isDefault = false): Command =>
    settle
      .command(name, { isDefault })
      .description(description)
      .argument('<id>', 'payout ID / 지급 번호')
      .option('--by <who>', 'who acts / 처리자')
      .option('--json', 'JSON output / JSON 출력');
  add('propose', 'propose what became of it, with the evidence / 수기 확정 요청', true)
    .requiredOption('--as <outcome>', `${handOutcomes.join(', ')} / 결과`)
    .requiredOption('--reason <text>', 'the evidence, kept / 근거')
    .action((text: string, options: ProposeOptions) => {
      const id = parsePayoutId(text);
      const as = handOutcomes.find((each) => each === options.as);
      if (as === undefined) throw new Problem('usage', { reason: `--as ${options.as} (${handOutcomes.join(', ')})` });
      const reason = options.reason.trim();
      if (reason === '') throw new Problem('usage', { reason: '--reason TEXT' });
      const who = options.by ?? context.who;
      return actOnPayout(context, ports, options, async (pool) => {
        await proposeSettle(pool, id, { as, who, reason });
        return { id };
      });
    });
  for (const [name, decision, description] of [
    ['approve', 'approved', 'the second person agrees: it ends as proposed / 승인'],
    ['refuse', 'refused', 'the second person refuses: the bank goes on being asked / 거절'],
  ] as const) {
    add(name, description)
      .option('--why <text>', 'the reason, kept / 사유')
      .action((text: string, options: DecideOptions) => {
        const id = parsePayoutId(text);
        const note = options.why === undefined ? {} : { note: options.why };
        const by = { who: options.by ?? context.who, decision, ...note };
        return actOnPayout(context, ports, options, async (pool) => {
          await decideSettle(pool, id, by, ports.now());
          return { id };
        });
      });
  }
}
