import fc from 'fast-check';

/** A sale of a merchant, captured on the day it is made; `late`: its approval comes in later than its capture, or never. */
export type RandomSale = { readonly merchant: number; readonly won: number; readonly late: boolean };
/** Takes back of some sale so many quarters of what it was. */
export type RandomCancel = { readonly of: number; readonly quarters: number; readonly late: boolean };

/** What a bank does with a transfer when it gets it, and what is heard of that. */
export const bankMoods = [
  'succeeds',
  'rejects',
  'moves_unheard',
  'refuses_unheard',
  'lost',
  'late',
  'not_sent',
  'closed',
  'duplicate',
  'processing',
] as const;
export type BankMoodName = (typeof bankMoods)[number];

export type Step =
  | { readonly does: 'bring'; readonly sales: readonly RandomSale[]; readonly cancels: readonly RandomCancel[] }
  | { readonly does: 'slot'; readonly skips: number }
  | { readonly does: 'withdraw'; readonly merchant: number; readonly percent: number }
  | { readonly does: 'hold'; readonly merchant: number; readonly percent: number }
  | { readonly does: 'release'; readonly which: number }
  | { readonly does: 'adjust'; readonly merchant: number; readonly won: number }
  | { readonly does: 'callback'; readonly which: number; readonly times: number }
  | { readonly does: 'list' }
  | { readonly does: 'decide'; readonly decision: 'approved' | 'refused' }
  | { readonly does: 'rest' }
  | { readonly does: 'later' }
  | { readonly does: 'cancel'; readonly which: number }
  | { readonly does: 'restart' };

export type RandomHistory = { readonly steps: readonly Step[]; readonly moods: readonly BankMoodName[] };

const merchant = fc.nat(6);
const sale = fc.record({
  merchant,
  won: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1_000, max: 3_000_000 })),
  late: fc.nat(9).map((n) => n === 0),
});
const cancel = fc.record({
  of: fc.nat(500),
  quarters: fc.integer({ min: 1, max: 4 }),
  late: fc.nat(9).map((n) => n === 0),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('bring' as const),
      sales: fc.array(sale, { minLength: 1, maxLength: 12 }),
      cancels: fc.array(cancel, { maxLength: 5 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('slot' as const), skips: fc.constantFrom(0, 0, 0, 1, 7) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('withdraw' as const),
      merchant,
      percent: fc.integer({ min: 1, max: 110 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('hold' as const), merchant, percent: fc.constantFrom(0, 0, 30, 100) }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('release' as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('adjust' as const),
      merchant,
      won: fc.integer({ min: -20_000, max: 20_000 }).filter((won) => won !== 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('callback' as const),
      which: fc.nat(99),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('list' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('decide' as const),
      decision: fc.constantFrom('approved' as const, 'refused' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('rest' as const) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('later' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('cancel' as const), which: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('restart' as const) }) },
);

/** 무작위 이력. What may happen to a gateway in half an hour, in any order, and how its bank is in the meantime. */
export const randomHistory: fc.Arbitrary<RandomHistory> = fc.record({
  steps: fc.array(step, { minLength: 15, maxLength: 40 }),
  moods: fc.array(fc.constantFrom(...bankMoods), { minLength: 5, maxLength: 20 }),
});
