import { wonToJson } from '../kernel/money.ts';
import { type ClaimProvider, claimKey, claimProviders } from './differential-claims.ts';
import type { ClaimEnd, Fate } from './differential-fates.ts';
import { WorldFile } from './world-file.ts';

/** Where a claim stands in the product. Won are signed; accepted: what the provider pays, or takes back. */
export type StandingClaim = {
  readonly provider: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly status: string;
  readonly reason: string | null;
  readonly differenceWon: bigint | null;
  readonly acceptedWon: bigint | null;
};

/** A claim that does not stand where it has to end: in words of both. */
export type Deviation = {
  readonly provider: string;
  readonly claim: string;
  readonly expected: string;
  readonly found: string;
};

export type Fates = Readonly<Record<ClaimProvider, ReadonlyMap<string, Fate>>>;

/**
 * 대조. Compares where the product's claims stand with where they have to end: each of them once, and none besides. What
 * we claim is compared too, where a claim could be priced at all.
 */
export function deviationsOf(fates: Fates, standing: readonly StandingClaim[]): readonly Deviation[] {
  const found = new Map(standing.map((claim) => [`${claim.provider} ${claimKey(claim)}`, claim]));
  const deviations: Deviation[] = [];
  for (const provider of claimProviders) {
    for (const [key, fate] of fates[provider]) {
      const claim = found.get(`${provider} ${key}`);
      found.delete(`${provider} ${key}`);
      const is = claim === undefined ? 'no claim' : textOf(claim);
      const wanted = expectedText(fate.end);
      const isRight = claim !== undefined && standsWhere(claim, fate.end);
      if (!isRight) deviations.push({ provider, claim: key, expected: wanted, found: is });
      const ours = claim?.differenceWon;
      if (ours !== undefined && ours !== null && ours !== fate.claim.differenceWon) {
        deviations.push({ provider, claim: key, expected: `claimed ${fate.claim.differenceWon}`, found: `${ours}` });
      }
    }
  }
  for (const claim of found.values()) {
    const { provider } = claim;
    deviations.push({ provider, claim: claimKey(claim), expected: 'no claim', found: textOf(claim) });
  }
  return deviations;
}

function standsWhere({ status, reason, acceptedWon }: StandingClaim, end: ClaimEnd): boolean {
  if (status !== end.status) return false;
  if (end.wonAccepted !== undefined) return acceptedWon === end.wonAccepted;
  return end.reasons?.includes(reason ?? '') ?? true;
}

const textOf = ({ status, reason, acceptedWon }: StandingClaim): string =>
  [status, reason, acceptedWon].filter((part) => part !== null).join(' ');

const expectedText = ({ status, wonAccepted, reasons }: ClaimEnd): string =>
  [status, wonAccepted ?? reasons?.join(' or ')].join(' ');

/** Writes where each claim has to end, one JSON object a line, in the order of the payments. */
export async function writeClaimTruth(file: string, fates: Fates): Promise<void> {
  const truth = await WorldFile.create(file);
  try {
    for (const provider of claimProviders) {
      for (const { claim, end } of fates[provider].values()) {
        const line = {
          provider,
          channel: claim.channel,
          providerTid: claim.providerTid,
          cancelSeq: claim.cancelSeq,
          claimedWon: wonToJson(claim.differenceWon),
          status: end.status,
          ...(end.wonAccepted === undefined ? {} : { acceptedWon: wonToJson(end.wonAccepted) }),
          ...(end.reasons === undefined ? {} : { reasons: end.reasons }),
        };
        if (truth.write(`${JSON.stringify(line)}\n`)) await truth.flush();
      }
    }
  } finally {
    await truth.close();
  }
}
