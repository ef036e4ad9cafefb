import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { type ClaimProvider, claimProviders } from './differential-claims.ts';
import { type Deviation, deviationsOf, type Fates, type StandingClaim } from './differential-truth.ts';

/** What a provider's claims came to. Won are signed; accepted: what it pays, less what it takes back. */
export type ProviderSum = {
  readonly provider: ClaimProvider;
  readonly claims: number;
  readonly claimedWon: bigint;
  readonly paid: number;
  readonly paidWon: bigint;
  readonly clawedBack: number;
  readonly clawedBackWon: bigint;
  readonly rejected: number;
  readonly held: number;
  readonly waiting: number;
  /** What the ledger says that it owes. */
  readonly bookedWon: bigint;
};

export type MonthOutcome = {
  readonly sums: readonly ProviderSum[];
  readonly deviations: readonly Deviation[];
  /** What a provider was asked for and does not owe. */
  readonly strays: readonly string[];
  /** Of the ledger's own check, and where it says another sum than the claims. */
  readonly ledgerDeviations: number;
};

/** Sums up where the claims stand, and compares that with where they have to end. */
export function monthOutcome(
  fates: Fates,
  standing: readonly StandingClaim[],
  ledger: { readonly booked: ReadonlyMap<string, bigint>; readonly deviations: number },
  strays: readonly string[],
): MonthOutcome {
  const sums = claimProviders.map((provider) => sumOf(provider, standing, ledger.booked.get(provider) ?? 0n));
  const unequal = sums.filter(({ paidWon, clawedBackWon, bookedWon }) => paidWon + clawedBackWon !== bookedWon);
  return {
    sums,
    deviations: deviationsOf(fates, standing),
    strays,
    ledgerDeviations: ledger.deviations + unequal.length,
  };
}

function sumOf(provider: ClaimProvider, standing: readonly StandingClaim[], bookedWon: bigint): ProviderSum {
  const own = standing.filter((claim) => claim.provider === provider);
  const of = (status: string) => own.filter((claim) => claim.status === status);
  const won = (claims: readonly StandingClaim[], column: 'differenceWon' | 'acceptedWon') =>
    claims.reduce((sum, claim) => sum + (claim[column] ?? 0n), 0n);
  const [paid, clawedBack] = [of('paid'), of('clawed_back')];
  return {
    provider,
    claims: own.length,
    claimedWon: won(own, 'differenceWon'),
    paid: paid.length,
    paidWon: won(paid, 'acceptedWon'),
    clawedBack: clawedBack.length,
    clawedBackWon: won(clawedBack, 'acceptedWon'),
    rejected: of('rejected').length,
    held: of('held').length,
    waiting: of('waiting').length,
    bookedWon,
  };
}

export const endsWell = ({ deviations, strays, ledgerDeviations }: MonthOutcome): boolean =>
  deviations.length + strays.length + ledgerDeviations === 0;

export function outcomeToJson(outcome: MonthOutcome): object {
  return {
    providers: outcome.sums.map(({ claimedWon, paidWon, clawedBackWon, bookedWon, ...counts }) => ({
      ...counts,
      claimedWon: wonToJson(claimedWon),
      paidWon: wonToJson(paidWon),
      clawedBackWon: wonToJson(clawedBackWon),
      bookedWon: wonToJson(bookedWon),
    })),
    deviations: outcome.deviations,
    strays: outcome.strays,
    ledgerDeviations: outcome.ledgerDeviations,
  };
}

/** So many deviations are shown to people; `--json` holds all. */
const shown = 20;

export function outcomeToText(outcome: MonthOutcome, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const titles = [
    say('원천사', 'provider'),
    say('신청', 'claims'),
    say('신청 차액', 'claimed won'),
    say('지급', 'paid'),
    say('지급액', 'paid won'),
    say('환수', 'clawed back'),
    say('환수액', 'won'),
    say('반려', 'rejected'),
    say('보류', 'held'),
    say('대기', 'waiting'),
    say('원장', 'in the ledger'),
  ];
  const table = formatTable(
    titles.map((title, n) => ({ title, align: n === 0 ? 'left' : 'right' })),
    outcome.sums.map((sum) => [
      sum.provider,
      formatCount(sum.claims),
      formatWon(sum.claimedWon),
      formatCount(sum.paid),
      formatWon(sum.paidWon),
      formatCount(sum.clawedBack),
      formatWon(sum.clawedBackWon),
      formatCount(sum.rejected),
      formatCount(sum.held),
      formatCount(sum.waiting),
      formatWon(sum.bookedWon),
    ]),
  );
  const { deviations, strays, ledgerDeviations } = outcome;
  const lines = [
    ...deviations
      .slice(0, shown)
      .map(({ provider, claim, expected, found }) =>
        say(`${provider} ${claim}: ${expected}이어야 하나 ${found}`, `${provider} ${claim}: ${expected}, but ${found}`),
      ),
    ...strays.slice(0, shown),
    endsWell(outcome)
      ? say(
          '모든 신청 건이 끝나야 할 곳에서 끝났고 원장이 맞습니다',
          'every claim ended where it must, and the ledger verifies',
        )
      : say(
          `어긋남: 신청 건 ${deviations.length} · 잘못된 청구 ${strays.length} · 원장 ${ledgerDeviations}`,
          `deviations: ${deviations.length} of claims, ${strays.length} claimed wrongly, ${ledgerDeviations} of the ledger`,
        ),
  ];
  return `${table}${lines.join('\n')}\n`;
}
