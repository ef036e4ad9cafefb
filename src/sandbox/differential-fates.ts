import type { Codes } from '../providers/differential.ts';
import { type ClaimProvider, claimKey, claimProviders, type DueClaim, played } from './differential-claims.ts';
import { unwritableMerchant } from './differential-facts.ts';
import { draw, drawBase } from './draw.ts';
import type { World } from './world.ts';

/** What the provider says of a claim in one answer; undefined: nothing at all. */
export type Verdict = {
  readonly code: string;
  /** The amount and the difference as they stand in the answer; not stated: as they are. */
  readonly amountWon?: bigint;
  readonly differenceWon?: bigint;
  readonly tier?: number;
  /** Said by the validation already, where the provider gives one. */
  readonly early?: boolean;
};

/** What becomes of a claim: what is said to each try, the last one again and again, and how it has to end. */
export type Fate = {
  readonly claim: DueClaim;
  readonly verdicts: readonly (Verdict | undefined)[];
  /** Instead of the first verdict, in the first version of an answer that is corrected later. */
  readonly mistaken?: Verdict;
  readonly end: ClaimEnd;
};

/** Where a claim has to end; `reasons`: any of these, where two ways lead to the same. */
export type ClaimEnd = {
  readonly status: 'paid' | 'clawed_back' | 'rejected' | 'held';
  readonly wonAccepted?: bigint;
  readonly reasons?: readonly string[];
};

export const accepted: Verdict = { code: '00' };

/** How an answer file comes. `rest`: half of it, and then the other half alone; the others say what they are. */
export const fileMoods = [
  'plain',
  'half',
  'unknown_claim',
  'same_twice',
  'corrected',
  'truncated',
  'reordered',
  'answered_twice',
  'late',
  'after_deadline',
  'unreadable',
  'rest',
] as const;
/** Of files with a frame: control totals and a day that are not theirs. */
export const framedMoods = [...fileMoods, 'wrong_total', 'other_day', 'plain'] as const;
export type FileMood = (typeof framedMoods)[number];

/**
 * The mood of the answer to a provider's file of a day, and of a MID where there is one for each. Answers of all MIDs of a
 * day are late together.
 */
export function moodOf(provider: ClaimProvider, day: number, mid: number): FileMood {
  const of = claimProviders.indexOf(provider);
  const moods: readonly FileMood[] = provider === 'ksnet' ? fileMoods : framedMoods;
  const [whole, own] = [0, mid].map((no) => moods[(day * 7 + no * 5 + of * 4) % moods.length] as FileMood);
  if (whole !== undefined && isLate(whole)) return whole;
  return own === undefined || isLate(own) ? 'plain' : own;
}

const isLate = (mood: FileMood): boolean => mood === 'late' || mood === 'after_deadline';

/** The day of the world on which claims of a provider meet with silence. */
const silentDay = 9;

/** Merchants that no card company registers, and those that it registers when asked again. */
export const registersNever = (merchantNo: number): boolean => merchantNo % 12 === 7;
export const registersLater = (merchantNo: number): boolean => merchantNo % 12 === 10;

type CodeLists = { readonly final: readonly string[]; readonly correct: readonly string[] };

function codeLists(codes: Codes): CodeLists {
  const of = (means: string): string[] => Object.keys(codes).filter((code) => codes[code]?.means === means);
  return { final: of('final'), correct: of('correct') };
}

/**
 * The fates of all claims of a provider by their keys. Codes go round, so that each of the provider's table is answered;
 * a cancel follows its approval.
 */
export function fatesOf(
  world: World,
  provider: ClaimProvider,
  due: readonly DueClaim[],
  codes: Codes,
): ReadonlyMap<string, Fate> {
  const lists = codeLists(codes);
  const base = drawBase(world.spec.seed, 'fates', provider);
  const turns = { final: 0, correct: 0 };
  const next = (list: 'final' | 'correct'): string => {
    turns[list] += 1;
    return lists[list][turns[list] % lists[list].length] as string;
  };
  const fates = new Map<string, Fate>();
  for (const [n, claim] of due.entries()) {
    const chance = draw(base, n, 1) % 1_000;
    const rest = { world, claim, next, chance, codeOf: (code: string) => `${provider}:${code}` };
    const approval = fates.get(claimKey({ ...claim, cancelSeq: 0 }));
    const fate = heldBack(claim) ?? (approval === undefined ? approvalFate(rest) : cancelFate(rest, approval));
    fates.set(claimKey(claim), { claim, ...fate });
  }
  return fates;
}

type Drawing = {
  readonly world: World;
  readonly claim: DueClaim;
  readonly chance: number;
  next(list: 'final' | 'correct'): string;
  codeOf(code: string): string;
};
type Drawn = Omit<Fate, 'claim'>;

/** Claims that are never sent. */
function heldBack(claim: DueClaim): Drawn | undefined {
  const held = (...reasons: string[]): Drawn => ({ verdicts: [undefined], end: { status: 'held', reasons } });
  const cancel = claim.cancelSeq === 0 ? [] : ['original_held'];
  if (claim.binListed === 'never') return held('card_type_unknown', ...cancel);
  // Priced at last, and it was not overcharged after all.
  const isVain = claim.cancelSeq === 0 ? claim.differenceWon <= 0n : claim.differenceWon >= 0n;
  if (isVain) return { verdicts: [undefined], end: { status: 'rejected', reasons: ['not_overcharged'] } };
  const { registers } = played[claim.provider];
  const isWritable = claim.isSubMerchant && claim.merchantNo !== unwritableMerchant;
  return registers && (!isWritable || registersNever(claim.merchantNo)) ? held('not_registered', ...cancel) : undefined;
}

function approvalFate({ world, claim, next, chance, codeOf }: Drawing): Drawn {
  const paid = (wonAccepted = claim.differenceWon): ClaimEnd => ({ status: 'paid', wonAccepted });
  const held = (reason: string): ClaimEnd => ({ status: 'held', reasons: [reason] });
  const { differenceWon, chargedWon } = claim;
  const day = world.days.findIndex(({ on }) => on === claim.capturedOn);
  if (day === silentDay && chance % 10 < 3 && claim.binListed === 'always' && !registersLater(claim.merchantNo)) {
    return { verdicts: [undefined], end: held('unanswered') };
  }
  if (chance < 15) {
    const code = next('final');
    const end: ClaimEnd = { status: 'rejected', reasons: [codeOf(code)] };
    return { verdicts: [{ code, early: chance % 2 === 0 }], mistaken: accepted, end };
  }
  if (chance < 45) {
    return {
      verdicts: [{ code: next('correct'), early: chance % 2 === 0 }, accepted],
      mistaken: accepted,
      end: paid(),
    };
  }
  if (chance < 50) return { verdicts: [{ code: next('correct') }, { code: next('correct') }, accepted], end: paid() };
  if (chance < 55) {
    const tries = [{ code: next('correct') }, { code: next('correct') }, { code: next('correct') }];
    return { verdicts: tries, end: { status: 'rejected', reasons: [codeOf(tries.at(-1)?.code ?? '')] } };
  }
  if (chance < 60) {
    const code = next('correct');
    return { verdicts: [{ code }], end: { status: 'held', reasons: [codeOf(code)] } };
  }
  if (chance < 80) {
    const off = differenceWon < chargedWon && (chance % 2 === 0 || differenceWon < 2n) ? 1n : -1n;
    if (differenceWon + off === 0n) return { verdicts: [accepted], end: paid() };
    return { verdicts: [{ ...accepted, differenceWon: differenceWon + off }], end: paid(differenceWon + off) };
  }
  if (chance < 85) {
    return { verdicts: [{ ...accepted, differenceWon: chargedWon + 7n }], end: held('difference_impossible') };
  }
  if (chance < 88) {
    return { verdicts: [{ ...accepted, differenceWon: -differenceWon }], end: held('difference_impossible') };
  }
  if (chance < 93) {
    return { verdicts: [{ ...accepted, amountWon: claim.amountWon + 10n }], end: held('amount_changed') };
  }
  if (chance < 97) return { verdicts: [{ code: 'Z9' }], end: held('unknown_code') };
  if (chance < 101) return { verdicts: [{ ...accepted, tier: (claim.tier + 1) % 4 }], end: paid() };
  return { verdicts: [accepted], mistaken: mistakeOf(claim, chance, next), end: paid() };
}

/** What a first version says of a claim that is accepted in the end: another amount, or a refusal that may be final. */
function mistakeOf({ differenceWon, chargedWon }: DueClaim, chance: number, next: Drawing['next']): Verdict {
  if (chance < 250) return { ...accepted, differenceWon: differenceWon + 2n <= chargedWon ? differenceWon + 2n : 1n };
  if (chance < 330) return { code: next('final') };
  return chance < 350 ? { code: next('correct') } : accepted;
}

/** A cancel of what was paid has a fate of its own; of what was not, it cannot take anything back. */
function cancelFate({ claim, next, chance, codeOf }: Drawing, { end }: Fate): Drawn {
  if (end.status !== 'paid') {
    const reasons = ['original_rejected', 'original_held', 'original_not_paid'];
    return { verdicts: [accepted], end: { status: 'held', reasons } };
  }
  const { differenceWon } = claim;
  const clawedBack = (wonAccepted = differenceWon): ClaimEnd => ({ status: 'clawed_back', wonAccepted });
  if (chance < 40) {
    const code = next('final');
    return { verdicts: [{ code }], end: { status: 'rejected', reasons: [codeOf(code)] } };
  }
  if (chance < 100) return { verdicts: [{ code: next('correct') }, accepted], end: clawedBack() };
  if (chance < 140 && differenceWon > claim.chargedWon) {
    return { verdicts: [{ ...accepted, differenceWon: differenceWon - 1n }], end: clawedBack(differenceWon - 1n) };
  }
  return { verdicts: [accepted], end: clawedBack() };
}
