// What SQL says of a line of an answer: how its columns are read, and how it differs from our claim.
import { escapeLiteral } from 'pg';
import type { Codes, DifferentialProvider } from '../providers/differential.ts';
import { supplyOf } from './price-store.ts';

/** SQL: codes with one of these meanings, as a list for `in`. */
export function codesThat(codes: Codes, ...meanings: readonly string[]): string {
  const list = Object.keys(codes).filter((code) => meanings.includes(codes[code]?.means ?? ''));
  return list.length === 0 ? 'null' : list.map((code) => escapeLiteral(code)).join(', ');
}

/** SQL: how the columns of a line, of its claim and of what it states are called. */
export type Names = { readonly line: string; readonly claim: string; readonly stated: string };
export const joined: Names = { line: 'l.', claim: 'c.', stated: 'd.' };
export const paired: Names = { line: '', claim: 'ours_', stated: '' };

type StatedColumn = 'tier' | 'cardType' | 'differenceWon' | 'supplyWon' | 'vatWon';

/** Whether the provider's lines hold the column: what none of them says is not asked of each. */
function holds({ differential: { answers } }: DifferentialProvider, column: StatedColumn): boolean {
  return answers.layout.data.columns.some(({ name, source }) => name === column && source.from !== 'nowhere');
}

/** SQL: whether a line pays by its tier: what is accepted without one, by a provider that states tiers, does not. */
export function smallTier(provider: DifferentialProvider, { stated: own }: Names): string {
  return holds(provider, 'tier') ? `${own}tier_now is not null` : 'true';
}

/** More won than any capture has: what states as much states nothing, so that no working with it is out of range. */
const wonMost = 10n ** 16n;

/**
 * SQL of a lateral row: what a line `l` states as the difference, split (`theirs_won`, `supply_now`), or nulls where it
 * does not or contradicts itself, and its tier and card type as a claim has them, or null (`tier_now`, `card_now`).
 */
export function stated(provider: DifferentialProvider): string {
  const { difference, supply } = statedWon(provider);
  const tiers = [0, 1, 2, 3].map((tier) => `when '${tier}' then ${tier}`).join(' ');
  return `(select ${difference} as theirs_won, ${supply} as supply_now,
                  ${holds(provider, 'tier') ? `(case l.tier ${tiers} end)::smallint` : 'null::smallint'} as tier_now,
                  case when l.card_type = '1' then 'K'::"char" when l.card_type is not null then 'C' end as card_now)`;
}

function statedWon(provider: DifferentialProvider): { readonly difference: string; readonly supply: string } {
  const won = { difference: 'l.difference_won', supply: 'l.supply_won', vat: 'l.vat_won' };
  const within = (...columns: readonly string[]) =>
    `(${columns.map((column) => `${column} between -${wonMost} and ${wonMost}`).join(' and ')}) is not false`;
  if (!holds(provider, 'differenceWon')) {
    const sum = `case when ${within(won.supply, won.vat)} then ${won.supply} + ${won.vat} end`;
    return { difference: sum, supply: won.supply };
  }
  const ofDifference = supplyOf(won.difference, provider.differential.rounding);
  if (!holds(provider, 'supplyWon') && !holds(provider, 'vatWon')) {
    const isWon = within(won.difference);
    return {
      difference: `case when ${isWon} then ${won.difference} end`,
      supply: `case when ${isWon} then ${ofDifference} end`,
    };
  }
  const isWon = within(won.difference, won.supply, won.vat);
  return {
    difference: `case when ${isWon} then
                   case when ${won.difference} = coalesce(${won.supply} + ${won.vat}, ${won.difference}) then ${won.difference}
                        when ${won.difference} is null then ${won.supply} + ${won.vat} end end`,
    supply: `case when ${isWon} then coalesce(${won.supply}, ${won.difference} - ${won.vat}, ${ofDifference}) end`,
  };
}

/** SQL: how what is accepted differs from ours: 1 by its won, 2 in its split, 4 in the tier, 8 in the card type. */
export function differencesOf(provider: DifferentialProvider, { line, claim, stated: own }: Names): string {
  const split = `${own}supply_now <> ${supplyOf(`${own}theirs_won`, provider.differential.rounding)}`;
  const said = [
    [1, `${own}theirs_won <> ${claim}difference_won`],
    ...(holds(provider, 'supplyWon') || holds(provider, 'vatWon')
      ? [[2, `(${line}supply_won is not null or ${line}vat_won is not null) and ${split}`]]
      : []),
    ...(holds(provider, 'tier') ? [[4, `${own}tier_now <> ${claim}tier`]] : []),
    ...(holds(provider, 'cardType') ? [[8, `${own}card_now <> ${claim}card_type`]] : []),
  ];
  return `(${said.map(([bit, differs]) => `case when ${differs} then ${bit} else 0 end`).join(' + ')})::smallint`;
}
