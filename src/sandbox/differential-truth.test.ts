import { expect, test } from 'vitest';
import type { DueClaim } from './differential-claims.ts';
import type { ClaimEnd, Fate } from './differential-fates.ts';
import { deviationsOf, type StandingClaim } from './differential-truth.ts';

const due = (providerTid: string, differenceWon: bigint): DueClaim => ({
  provider: 'nice',
  channel: 'nice',
  providerTid,
  cancelSeq: 0,
  type: 'A',
  tradedOn: '2026-08-06',
  originalOn: '2026-08-06',
  capturedOn: '2026-08-06',
  amountWon: 100_000n,
  originalWon: 100_000n,
  chargedWon: 2_200n,
  differenceWon,
  tier: 1,
  cardType: 'credit',
  merchantNo: 0,
  isSubMerchant: true,
  merchantId: 'D4000001',
  mid: 'nice000001',
  acquirer: '신한카드',
  finalNo: '1018100001',
  intermediaryNo: undefined,
  binListed: 'always',
});
const fates = (ends: Readonly<Record<string, ClaimEnd>>) => ({
  ksnet: new Map<string, Fate>(),
  welcome: new Map<string, Fate>(),
  nice: new Map(
    Object.entries(ends).map(([tid, end]) => [`${tid}/0`, { claim: due(tid, 1_100n), verdicts: [undefined], end }]),
  ),
});
const standing = (providerTid: string, change: Partial<StandingClaim> = {}): StandingClaim => ({
  provider: 'nice',
  providerTid,
  cancelSeq: 0,
  status: 'paid',
  reason: null,
  differenceWon: 1_100n,
  acceptedWon: 1_100n,
  ...change,
});

const paid: ClaimEnd = { status: 'paid', wonAccepted: 1_100n };
const held: ClaimEnd = { status: 'held', reasons: ['original_held', 'original_rejected'] };
const rejected = standing('B', { status: 'held', reason: 'original_rejected', acceptedWon: null });

test('claims that stand where they have to end deviate in nothing', () => {
  expect(deviationsOf(fates({ A: paid, B: held }), [standing('A'), rejected])).toEqual([]);
});

test.each([
  ['a claim that was never made', [rejected], 'A/0', 'no claim'],
  ['a won too little', [standing('A', { acceptedWon: 1_099n }), rejected], 'A/0', 'paid 1099'],
  ['another end', [standing('A', { status: 'waiting', acceptedWon: null }), rejected], 'A/0', 'waiting'],
  ['another reason', [standing('A'), { ...rejected, reason: 'too_old' }], 'B/0', 'held too_old'],
  ['a won claimed wrongly', [standing('A', { differenceWon: 1_101n }), rejected], 'A/0', '1101'],
  ['a claim of nothing', [standing('A'), rejected, standing('Z')], 'Z/0', 'paid 1100'],
] as const)('%s is seen', (_, claims, claim, found) => {
  expect(deviationsOf(fates({ A: paid, B: held }), claims)).toEqual([
    expect.objectContaining({ provider: 'nice', claim, found }),
  ]);
});
