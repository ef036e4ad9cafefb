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

/** SQL: whether a line pays by its tier: what is accepted without one, by a provider that states tiers, does not. */
export function smallTier({ differential: { answers } }: DifferentialProvider, { line }: Names): string {
  const states = answers.layout.data.columns.some(({ name, source }) => name === 'tier' && source.from !== 'nowhere');
  return states ? `${line}tier in ('0', '1', '2', '3')` : 'true';
}

/** SQL: the tier and card type of a line, as a claim has them; null where there is no such. */
export const tierOf = ({ line }: Names) =>
  `case when ${line}tier in ('0', '1', '2', '3') then ${line}tier::smallint end`;
export const cardTypeOf = ({ line }: Names) =>
  `case when ${line}card_type is null then null when ${line}card_type = '1' then 'K'::"char" else 'C' end`;

/** More won than any capture has: what states as much states nothing, so that no working with it is out of range. */
const wonMost = 10n ** 16n;

/** SQL of a lateral row: what a line `l` states as the difference, split, or nulls where it does not or contradicts itself. */
export function stated(provider: DifferentialProvider): string {
  const supply = supplyOf('l.difference_won', provider.differential.rounding);
  const isWon = ['difference', 'supply', 'vat']
    .map((name) => `coalesce(l.${name}_won, 0) between -${wonMost} and ${wonMost}`)
    .join(' and ');
  return `(select case when not (${isWon}) then null
                       when l.difference_won = coalesce(l.supply_won + l.vat_won, l.difference_won) then l.difference_won
                       when l.difference_won is null then l.supply_won + l.vat_won end as theirs_won,
                  case when ${isWon} then coalesce(l.supply_won, l.difference_won - l.vat_won, ${supply}) end as supply_now)`;
}

/** SQL: how what is accepted differs from ours: 1 by its won, 2 in its split, 4 in the tier, 8 in the card type. */
export function differencesOf({ differential: { rounding } }: DifferentialProvider, names: Names): string {
  const { line, claim, stated: own } = names;
  return `(case when ${own}theirs_won <> ${claim}difference_won then 1 else 0 end
         + case when (${line}supply_won is not null or ${line}vat_won is not null)
                     and ${own}supply_now <> ${supplyOf(`${own}theirs_won`, rounding)} then 2 else 0 end
         + case when ${line}tier <> ${claim}tier::text then 4 else 0 end
         + case when ${cardTypeOf(names)} <> ${claim}card_type then 8 else 0 end)::smallint`;
}
