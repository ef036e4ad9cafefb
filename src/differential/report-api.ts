import { open } from 'node:fs/promises';
import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { isBusinessNo } from '../kernel/business-no.ts';
import { check } from '../kernel/check.ts';
import { Problem } from '../kernel/problem.ts';
import { parseRate } from '../kernel/rate.ts';
import { roundings } from '../kernel/rounding.ts';
import { cardTypeCodes, cardTypes } from '../merchants/card-bin-records.ts';
import { day, rowId, won } from '../platform/http/fields.ts';
import { download, type Route, route } from '../platform/http/route.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import { providerIds } from './claim-schemas.ts';
import { groupBy, sumGroups } from './report-data.ts';
import { type ReportFormat, reportFormats, writeDifferentialReport } from './report-files.ts';
import { claimGroups } from './report-store.ts';
import { approveRefund, proposeRefund } from './retroactive-store.ts';
import { type Supposed, type WhatIfLine, whatIf } from './what-if-store.ts';

export type ReportApiPorts = { readonly pool: Pool; readonly home: string; now(): Temporal.Instant };

const mediaTypes: Readonly<Record<ReportFormat, string>> = {
  html: 'text/html; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};
/** Facts that may be supposed at once. */
const supposedMost = 20_000;

const half = z.string().regex(/^20\d{2}H[12]$/);
const period = z.object({
  /** Of trade, `2026-11`; this month if nothing is given. */
  month: z
    .string()
    .regex(/^20\d{2}-(0[1-9]|1[0-2])$/)
    .optional(),
  from: day().optional(),
  to: day().optional(),
});
const counted = z.object({ claims: z.number().int(), won: won() });
const sums = z.object({
  claimed: counted,
  accepted: counted,
  paid: counted,
  clawedBack: counted,
  rejected: counted,
  held: counted,
  waiting: counted,
  differing: counted,
});
const supposedLine = {
  claims: z.number().int(),
  differenceWon: won(),
  supposedClaims: z.number().int(),
  supposedWon: won(),
  changeWon: won(),
};
const refund = z.object({
  half: z.string(),
  /** waits: a second person has to approve it; nothing: nothing is owed. */
  state: z.enum(['waits', 'nothing', 'posted']),
  refundId: rowId().nullable(),
  subject: z.string().nullable(),
  lines: z.array(
    z.object({
      provider: z.string(),
      merchantId: z.string(),
      claims: z.number().int(),
      refundWon: won(),
      clawbackWon: won(),
      differenceWon: won(),
    }),
  ),
});
const supposed = z
  .object({
    from: day(),
    to: day(),
    providers: z.array(z.enum(providerIds)).min(1).optional(),
    /** As if this tier list had been imported. */
    tiers: z
      .array(
        z.strictObject({
          businessNo: z.string().refine(isBusinessNo, 'a business number, ten digits'),
          half,
          tier: z.number().int().min(0).max(4),
        }),
      )
      .max(supposedMost)
      .optional(),
    /** As if this rate table had been imported. */
    rates: z
      .array(
        z.strictObject({
          validFrom: day(),
          tier: z.number().int().min(0).max(3),
          cardType: z.enum(cardTypes),
          rate: z.string().refine((text) => parseRate(text) !== undefined, 'a rate: 0.5%'),
        }),
      )
      .max(supposedMost)
      .optional(),
    rounding: z.enum(roundings).optional(),
  })
  .strict();

/** 보고와 가정. What came of a month's claims, what other facts would have claimed, and what is refunded retroactively. */
export function differentialReportRoutes({ pool, home, now }: ReportApiPorts): Route[] {
  const common = { tag: 'differential' } as const;
  const today = () => now().toZonedDateTimeISO(seoul).toPlainDate();
  const acts = (by: string) => ({ by, today: today().toString(), providers: differentialProviders });
  return [
    route({
      ...common,
      id: 'sumDifferential',
      path: '/differential/report',
      summary: { ko: '거래월의 신청과 결과 집계', en: "What was claimed of a month's trades and what became of it" },
      permission: 'read',
      problems: ['usage'],
      method: 'get',
      query: period,
      answer: sums.extend({ from: day(), to: day(), providers: z.record(z.string(), sums) }),
      async handle({ query }) {
        const { from, to } = periodOf(query, today());
        const groups = await claimGroups(pool, from, to);
        const byProvider = [...groupBy(groups, ({ provider }) => provider)];
        const providers = Object.fromEntries(byProvider.map(([provider, of]) => [provider, sumGroups(of)]));
        return { from, to, ...sumGroups(groups), providers };
      },
    }),
    download({
      ...common,
      id: 'downloadDifferentialReport',
      path: '/differential/report/{format}',
      summary: { ko: '차액정산 보고서 내려받기', en: 'The report by provider, tier, code and month' },
      permission: 'read',
      problems: ['usage', 'disk_full'],
      params: z.object({ format: z.enum(reportFormats) }),
      query: period,
      gives: Object.values(mediaTypes),
      async handle({ params: { format }, query, language }) {
        const { from, to } = periodOf(query, today());
        const asked = { pool, home, from, to, formats: [format], now: now(), language };
        const [file] = (await writeDifferentialReport(asked)).files;
        check(file, 'a report of one format is one file');
        const handle = await open(file);
        return {
          stream: handle.createReadStream(),
          mediaType: mediaTypes[format],
          fileName: `differential-${from}-${to}.${format}`,
          bytes: (await handle.stat()).size,
        };
      },
    }),
    route({
      ...common,
      id: 'supposeDifferential',
      path: '/differential/what-if',
      summary: {
        ko: '가정 계산: 다른 등급·요율·끝수 처리',
        en: 'What other tiers, rates or rounding would have claimed; touches nothing',
      },
      permission: 'read',
      problems: ['usage', 'what_if_file_refused'],
      method: 'post',
      body: supposed,
      answer: z.object({
        total: z.object(supposedLine),
        byProvider: z.array(z.object({ provider: z.string(), ...supposedLine })),
        byTier: z.array(z.object({ provider: z.string(), tier: z.number().int(), ...supposedLine })),
        byMerchant: z.array(z.object({ provider: z.string(), merchantId: z.string(), ...supposedLine })),
      }),
      subject: ({ body }) => `what if ${body.from} ${body.to}`,
      async handle({ body }) {
        if (body.from > body.to) throw new Problem('usage', { reason: `from ${body.from} to ${body.to}` });
        const facts = factsOf(body);
        if (Object.keys(facts).length === 0) throw new Problem('usage', { reason: 'tiers | rates | rounding' });
        const providers = differentialProviders.filter(({ id }) => body.providers?.includes(id) ?? true);
        const found = await whatIf(pool, { from: body.from, to: body.to, providers, supposed: facts });
        return {
          total: withChange(found.total),
          byProvider: found.byProvider.map(withChange),
          byTier: found.byTier.map(withChange),
          byMerchant: found.byMerchant.map(withChange),
        };
      },
    }),
    route({
      ...common,
      id: 'proposeRetroactiveRefund',
      path: '/differential/retroactive-refunds',
      summary: { ko: '소급환급 제안', en: 'Compute and propose what is owed for a half-year' },
      permission: 'propose',
      problems: ['retroactive_half_unknown', 'retroactive_posted'],
      method: 'post',
      body: z.object({ half }),
      answer: refund,
      status: 201,
      subject: ({ body }) => `retroactive ${body.half}`,
      handle: ({ actor, body }) => proposeRefund(pool, { ...acts(actor.who), half: body.half }),
    }),
    route({
      ...common,
      id: 'approveRetroactiveRefund',
      path: '/differential/retroactive-refunds/{id}/approve',
      summary: { ko: '소급환급 승인과 기장', en: 'Approve a proposal and book it; never by who proposed' },
      permission: 'approve',
      problems: [
        'approval_four_eyes',
        'approval_decided',
        'approver_needed',
        'retroactive_changed',
        'retroactive_posted',
        'retroactive_refused',
      ],
      method: 'post',
      params: z.object({ id: rowId() }),
      body: z.object({}),
      answer: refund,
      handle: ({ actor, params }) => approveRefund(pool, { ...acts(actor.who), refundId: BigInt(params.id) }),
    }),
  ];
}

/** The days of trade that are meant, both included. @throws Problem `usage` */
function periodOf(
  { month, from, to }: z.output<typeof period>,
  today: Temporal.PlainDate,
): { readonly from: string; readonly to: string } {
  if (from === undefined && to !== undefined) throw new Problem('usage', { reason: 'to (from)' });
  if (from !== undefined) {
    const last = to ?? today.toString();
    if (month !== undefined) throw new Problem('usage', { reason: 'month | from, to' });
    if (from > last) throw new Problem('usage', { reason: `from ${from} to ${last}` });
    return { from, to: last };
  }
  const asked = month === undefined ? today.toPlainYearMonth() : Temporal.PlainYearMonth.from(month);
  return {
    from: asked.toPlainDate({ day: 1 }).toString(),
    to: asked.toPlainDate({ day: asked.daysInMonth }).toString(),
  };
}

/** Each fact once: of what is said twice nobody can say which counts. @throws Problem `what_if_file_refused` */
function factsOf({ tiers, rates, rounding }: z.output<typeof supposed>): Supposed {
  if (tiers !== undefined) refuseTwice('tiers', tiers, ({ businessNo, half }) => `${businessNo} ${half}`);
  if (rates !== undefined) {
    refuseTwice('rates', rates, ({ validFrom, tier, cardType }) => `${validFrom} ${tier} ${cardType}`);
  }
  return {
    ...(tiers === undefined ? {} : { tiers }),
    ...(rates === undefined
      ? {}
      : {
          rates: rates.map(({ validFrom, tier, cardType, rate }) => {
            const ratePpm = parseRate(rate);
            check(ratePpm !== undefined, 'the schema has read the rate');
            return { validFrom, tier, cardType: cardTypeCodes[cardType], rate: ratePpm };
          }),
        }),
    ...(rounding === undefined ? {} : { rounding }),
  };
}

function refuseTwice<T>(file: string, facts: readonly T[], identityOf: (fact: T) => string): void {
  const said = new Set<string>();
  for (const [n, fact] of facts.entries()) {
    const identity = identityOf(fact);
    if (said.has(identity)) throw new Problem('what_if_file_refused', { file, line: n + 1, reason: identity });
    said.add(identity);
  }
}

function withChange<Line extends WhatIfLine>(line: Line): Line & { readonly changeWon: bigint } {
  return { ...line, changeWon: line.supposedWon - line.differenceWon };
}
