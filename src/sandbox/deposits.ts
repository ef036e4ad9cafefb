import { wonToJson } from '../kernel/money.ts';
import type { Difference } from './difference.ts';
import { draw, drawBase } from './draw.ts';
import type { Promised } from './tally.ts';
import type { World } from './world.ts';

export const depositColumns = 'provider,depositedOn,bankRef,amountWon';

/**
 * 입금. The bank deposits of the world's days as lines of `deposits.csv`: for each provider and pay-in day what its
 * settlement statements promise, sometimes in two transfers; about a third of them (one at least) differ.
 */
export function* depositLines(
  world: World,
  promises: readonly Promised[],
  plant: (difference: Difference) => void,
): Generator<string> {
  const base = drawBase(world.spec.seed, 'deposits');
  const lastOn = world.days.at(-1)?.on ?? '';
  const promised = promises
    .filter(({ payInOn, netWon }) => payInOn <= lastOn && netWon > 0n)
    .sort((a, b) => (a.payInOn < b.payInOn ? -1 : a.payInOn > b.payInOn ? 1 : 0));
  const plants = promised.map((_, n) => world.spec.breaks > 0 && draw(base, n, 0) % 3 === 0);
  if (world.spec.breaks > 0 && !plants.includes(true)) plants[0] = true;
  for (const [n, { provider, payInOn, netWon }] of promised.entries()) {
    const off =
      plants[n] === true ? BigInt(draw(base, n, 1) % 2 === 0 ? 1 : -1) * BigInt(1 + (draw(base, n, 2) % 50_000)) : 0n;
    // Never more than half, however small the world: a deposit stays a deposit.
    const differenceWon = -off * 2n > netWon ? -off : off;
    const deposited = netWon + differenceWon;
    if (differenceWon !== 0n) {
      plant({
        provider,
        stage: 'deposit',
        on: payInOn,
        kind: 'deposit_differs',
        providerTid: null,
        line: null,
        differenceWon: wonToJson(differenceWon),
      });
    }
    const ref = `${payInOn.replaceAll('-', '')}-${provider}`;
    const first = draw(base, n, 3) % 2 === 0 ? deposited : (deposited * 3n) / 5n;
    if (first !== 0n) yield `${provider},${payInOn},${ref}-1,${first}\n`;
    if (first !== deposited) yield `${provider},${payInOn},${ref}-2,${deposited - first}\n`;
  }
}
