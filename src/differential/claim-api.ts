import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { day, flag, instant, reason, rowId, someOf, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { differentialProviderOf, differentialProviders } from '../providers/differential-registry.ts';
import { pageOfClaimBreaks, resolveClaimBreak } from './break-store.ts';
import { pageOfClaims } from './claim-page-store.ts';
import { claimRow, providerIds, shownClaim } from './claim-schemas.ts';
import { claimStatuses } from './claim-words.ts';
import { batchIdOf, type ClaimFilter, leavesOf, sumClaims } from './list-store.ts';
import { queueResend, type Resent } from './resend-store.ts';
import { claimsOf } from './show-store.ts';
import { verifyClaims } from './verify-store.ts';

const tiers = ['0', '1', '2', '3'] as const;
const claimQuery = z.object({
  on: day().optional(),
  from: day().optional(),
  to: day().optional(),
  provider: someOf(providerIds),
  state: someOf(claimStatuses),
  /** `not_registered`, or a provider's code: `welcome:09`. */
  reason: term().optional(),
  merchant: term().optional(),
  tier: someOf(tiers),
  /** The number of a batch, its run, or a file of it. */
  batch: term().optional(),
});
const claimBreak = z.object({
  id: rowId(),
  provider: z.string(),
  kind: z.string(),
  subject: z.string(),
  providerTid: z.string().nullable(),
  cancelSeq: z.number().int().nullable(),
  tradedOn: day().nullable(),
  answer: z.string().nullable(),
  line: z.number().int().nullable(),
  oursWon: won().nullable(),
  theirsWon: won().nullable(),
  detail: z.record(z.string(), z.unknown()),
  openedAt: instant(),
  closedAt: instant().nullable(),
  closedBy: z.string().nullable(),
  resolution: z.string().nullable(),
});
const resent = z.object({
  channel: z.string(),
  tradedOn: day(),
  providerTid: z.string(),
  cancelSeq: z.number().int(),
  merchantId: z.string(),
  reason: z.string().nullable(),
  attempt: z.number().int(),
  beforeWon: won().nullable(),
  afterWon: won().nullable(),
  refused: z.string().nullable(),
});
/** Claims of an act whose outcome is told one by one; all are counted. */
const resentShown = 1000;

/** 신청 건. `/differential/claims`: where each stands and its whole way; what is sent again, what differs, and whether all agrees. */
export function claimRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const common = { tag: 'differential' } as const;
  const filterOf = async (asked: z.output<typeof claimQuery>): Promise<ClaimFilter> => {
    const batchId = asked.batch === undefined ? undefined : await batchIdOf(pool, asked.batch);
    if (asked.batch !== undefined && batchId === undefined) {
      throw new Problem('not_found', { what: 'batch', id: asked.batch });
    }
    const [from, to] = [asked.on ?? asked.from, asked.on ?? asked.to];
    return {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(asked.provider === undefined ? {} : { providers: asked.provider }),
      ...(asked.state === undefined ? {} : { statuses: asked.state }),
      ...(asked.tier === undefined ? {} : { tiers: asked.tier.map(Number) }),
      ...(asked.reason === undefined ? {} : { reason: asked.reason }),
      ...(asked.merchant === undefined ? {} : { merchantId: asked.merchant }),
      ...(batchId === undefined ? {} : { batch: await leavesOf(pool, batchId) }),
    };
  };
  return [
    list({
      ...common,
      id: 'listClaims',
      path: '/differential/claims',
      summary: { ko: '신청 건 목록', en: 'Claims with where each stands' },
      permission: 'read',
      problems: ['not_found'],
      filter: claimQuery,
      row: claimRow,
      sorts: ['tradedOn'],
      page: async ({ query }, request) => pageOfClaims(pool, await filterOf(query), request),
    }),
    route({
      ...common,
      id: 'sumClaims',
      path: '/differential/claims/sum',
      summary: { ko: '신청 건수와 차액 합계', en: 'How many claims a filter takes in, and what they come to' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      query: claimQuery,
      answer: z.object({ count: z.number().int(), differenceWon: won(), acceptedWon: won() }),
      handle: async ({ query }) => sumClaims(pool, await filterOf(query)),
    }),
    route({
      ...common,
      id: 'resendClaims',
      path: '/differential/claims/resend',
      summary: {
        ko: '재신청: 한 건, 또는 원천사의 반려 코드·보류 사유별',
        en: 'Send rejected or held claims again with the next batch: one, or all of a code or a reason',
      },
      permission: 'act',
      problems: [
        'not_found',
        'resend_accepted',
        'resend_state',
        'resend_attempts_used',
        'resend_too_old',
        'resend_not_eligible',
        'resend_same_reason',
      ],
      method: 'post',
      body: z.union([
        z.strictObject({
          claim: z.strictObject({ providerTid: term(), cancelSeq: z.number().int().min(0).max(9999).default(0) }),
          provider: z.enum(providerIds).optional(),
          reason: reason(),
        }),
        z.strictObject({ provider: z.enum(providerIds), code: term(), reason: reason() }),
        z.strictObject({ provider: z.enum(providerIds), heldFor: term(), reason: reason() }),
      ]),
      answer: z.object({
        queued: z.number().int(),
        refused: z.number().int(),
        /** The first thousand. */
        claims: z.array(resent),
      }),
      subject: ({ body }) =>
        'claim' in body
          ? `claim ${body.claim.providerTid}/${body.claim.cancelSeq}`
          : `claims ${body.provider} ${'code' in body ? body.code : body.heldFor}`,
      async handle({ actor, body }) {
        const which =
          'claim' in body ? body.claim : { reason: 'code' in body ? `${body.provider}:${body.code}` : body.heldFor };
        const providers = body.provider === undefined ? differentialProviders : [differentialProviderOf(body.provider)];
        const on = now().toZonedDateTimeISO(seoul).toPlainDate().toString();
        const found: Resent[] = [];
        for (const provider of providers) {
          const act = { by: actor.who, because: body.reason, on };
          found.push(...(await inTransaction(pool, (tx) => queueResend(tx, provider, which, act))));
        }
        if ('claim' in body) refuseAlone(`${body.claim.providerTid}/${body.claim.cancelSeq}`, found);
        const queued = found.filter(({ refused }) => refused === null).length;
        return { queued, refused: found.length - queued, claims: found.slice(0, resentShown) };
      },
    }),
    route({
      ...common,
      id: 'showClaims',
      path: '/differential/claims/{tid}',
      summary: {
        ko: '거래의 신청 건과 전 과정',
        en: "A transaction's claims, each with its working and its whole way",
      },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ tid: term() }),
      answer: z.object({ claims: z.array(shownClaim) }),
      async handle({ params, language }) {
        const claims = await claimsOf(pool, params.tid);
        if (claims.length === 0) {
          throw new Problem('not_found', { what: language === 'ko' ? '신청 건' : 'claim', id: params.tid });
        }
        return { claims };
      },
    }),
    list({
      ...common,
      id: 'listClaimBreaks',
      path: '/differential/breaks',
      summary: {
        ko: '차액정산 불일치 (기본: 미해소)',
        en: 'What answers say otherwise than we do; open ones unless told otherwise',
      },
      permission: 'read',
      filter: z.object({ closed: flag().optional(), provider: someOf(providerIds), kind: term().optional() }),
      row: claimBreak,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfClaimBreaks(pool, query, request),
    }),
    route({
      ...common,
      id: 'resolveClaimBreak',
      path: '/differential/breaks/{id}/resolve',
      summary: { ko: '차액정산 불일치 해소', en: 'Close a break that a person has dealt with' },
      permission: 'act',
      problems: ['not_found', 'break_closed'],
      method: 'post',
      params: z.object({ id: rowId() }),
      body: z.object({ reason: reason() }),
      answer: claimBreak,
      handle: ({ actor, params, body }) =>
        resolveClaimBreak(pool, BigInt(params.id), { by: actor.who, because: body.reason }),
    }),
    route({
      ...common,
      id: 'verifyClaims',
      path: '/differential/verification',
      summary: { ko: '차액정산 검증', en: 'Compute again that claims and the ledger agree' },
      permission: 'read',
      method: 'get',
      answer: z.object({
        clean: z.boolean(),
        claims: z.number().int(),
        accepted: z.number().int(),
        deviations: z.number().int(),
        named: z.array(
          z.object({
            check: z.string(),
            subject: z.string(),
            /** Digits: what is wrong may be of any size. */
            expectedWon: z.string().nullable(),
            foundWon: z.string().nullable(),
          }),
        ),
      }),
      async handle() {
        const { claims, accepted, deviations, counts } = await verifyClaims(pool);
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0n);
        const digits = (amount: bigint | null): string | null => (amount === null ? null : String(amount));
        return {
          clean: total === 0n,
          claims,
          accepted,
          deviations: total,
          named: deviations.map((one) => ({
            ...one,
            expectedWon: digits(one.expectedWon),
            foundWon: digits(one.foundWon),
          })),
        };
      },
    }),
  ];
}

/** Who asks for one claim is told why it may not go; what concerns a person has been noted. */
function refuseAlone(claim: string, found: readonly Resent[]): void {
  const [one] = found;
  if (one === undefined) throw new Problem('not_found', { what: 'claim', id: claim });
  if (one.refused === null || found.some(({ refused }) => refused === null)) return;
  throw new Problem(one.refused, { claim, state: one.reason ?? '', attempt: one.attempt });
}
