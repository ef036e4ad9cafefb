import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { anyWonToJson } from '../kernel/money.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { day, flag, instant, reason, rowId, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { providers } from '../providers/registry.ts';
import { decideDismissal, type NamedCapture, pageOfDismissed, proposeDismissal } from './dismissal-store.ts';
import { pageOfHolds, placeHold, releaseHold } from './hold-store.ts';
import { anyWon } from './settlement-schemas.ts';
import { findingAfterDefault } from './workflow.ts';

const providerIds = providers.map((provider) => provider.id) as [string, ...string[]];
const hold = z.object({
  id: rowId(),
  merchantId: z.string(),
  /** Null: all that is in the wallet and all that comes. */
  amountWon: won().nullable(),
  reason: z.string(),
  placedBy: z.string(),
  placedAt: instant(),
  releasedBy: z.string().nullable(),
  releasedAt: instant().nullable(),
  releaseReason: z.string().nullable(),
});
const moved = z.object({ hold, heldWon: won(), walletWon: won(), debtWon: won() });
const setAside = {
  provider: z.string(),
  capturedOn: day(),
  providerTid: z.string(),
  cancelSeq: z.number().int(),
  mid: z.string(),
  merchantId: z.string().nullable(),
  amountWon: anyWon(),
  reason: z.string().nullable(),
};
/** `ksnet:2026-11-20:T1:0`: how approvals name a capture. */
const key = z
  .string()
  .max(300)
  .regex(/^[^:]+:\d{4}-\d{2}-\d{2}:.+:\d{1,4}$/);

/** 지급보류와 정산 제외. `/holds` keeps back and gives back; `/dismissals` takes a capture out for good, by two people. */
export function holdRoutes({ pool, now }: { readonly pool: Pool; now(): Temporal.Instant }): Route[] {
  const on = () => now().toZonedDateTimeISO(seoul).toPlainDate().toString();
  const decision = (name: 'approve' | 'refuse', decided: 'approved' | 'refused', ko: string, en: string) =>
    route({
      id: `${name}Dismissal`,
      path: `/dismissals/{capture}/${name}`,
      tag: 'dismissals',
      summary: { ko, en },
      permission: 'approve',
      problems: ['not_found', 'capture_not_set_aside', 'approval_four_eyes', 'approval_decided', 'approver_needed'],
      method: 'post',
      params: z.object({ capture: key.refine((text) => day().safeParse(captureOf(text).capturedOn).success, 'a day') }),
      body: z.object({ reason: reason().optional() }),
      answer: z.object(setAside),
      async handle({ actor, params, body }) {
        const note = body.reason === undefined ? {} : { note: body.reason };
        const by = { who: actor.who, decision: decided, ...note };
        return shown(await decideDismissal(pool, captureOf(params.capture), by, findingAfterDefault));
      },
    });
  return [
    list({
      id: 'listHolds',
      path: '/holds',
      tag: 'holds',
      summary: { ko: '지급보류 목록', en: 'Standing holds' },
      permission: 'read',
      filter: z.object({ merchant: term().optional(), released: flag().optional() }),
      row: hold,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfHolds(pool, query, request),
    }),
    route({
      id: 'placeHold',
      path: '/holds',
      tag: 'holds',
      summary: {
        ko: '지급보류',
        en: 'Hold an amount of the wallet; or, without one, the wallet and all that is settled',
      },
      permission: 'act',
      problems: ['not_found', 'hold_stands', 'ledger_insufficient'],
      method: 'post',
      body: z.object({ merchant: term(), amountWon: won().min(1).optional(), reason: reason() }),
      answer: moved,
      status: 201,
      subject: ({ body }) => `hold ${body.merchant}`,
      handle: ({ actor, body }) =>
        inTransaction(pool, (tx) =>
          placeHold(tx, {
            merchantId: body.merchant,
            ...(body.amountWon === undefined ? {} : { amountWon: BigInt(body.amountWon) }),
            by: actor.who,
            reason: body.reason,
            on: on(),
          }),
        ),
    }),
    route({
      id: 'releaseHold',
      path: '/holds/{id}/release',
      tag: 'holds',
      summary: { ko: '보류 해제', en: 'Give back what a hold keeps, a debt first' },
      permission: 'act',
      problems: ['not_found', 'hold_released'],
      method: 'post',
      params: z.object({ id: rowId() }),
      body: z.object({ reason: reason() }),
      answer: moved,
      handle: ({ actor, params, body }) =>
        inTransaction(pool, (tx) =>
          releaseHold(tx, BigInt(params.id), { by: actor.who, reason: body.reason, on: on() }),
        ),
    }),
    list({
      id: 'listDismissed',
      path: '/dismissals',
      tag: 'dismissals',
      summary: { ko: '정산 제외 목록', en: 'Captures that are never settled' },
      permission: 'read',
      filter: z.object({ merchant: term().optional() }),
      row: z.object({ ...setAside, approval: z.string(), dismissedAt: instant() }),
      sorts: ['capture'],
      async page({ query }, request) {
        const page = await pageOfDismissed(pool, query, request);
        return { ...page, rows: page.rows.map(shown) };
      },
    }),
    route({
      id: 'proposeDismissal',
      path: '/dismissals',
      tag: 'dismissals',
      summary: { ko: '정산 제외 요청', en: 'Propose that a capture which is set aside is never settled' },
      permission: 'propose',
      problems: ['not_found', 'usage', 'capture_not_set_aside', 'approval_waits'],
      method: 'post',
      body: z.object({
        provider: z.enum(providerIds),
        providerTid: term(),
        cancelSeq: z.number().int().min(0).max(9999).default(0),
        /** Where it was captured on several days. */
        capturedOn: day().optional(),
        reason: reason(),
      }),
      answer: z.object(setAside),
      status: 201,
      subject: ({ body }) => `dismissal ${body.provider} ${body.providerTid}/${body.cancelSeq}`,
      async handle({ actor, body: { capturedOn, reason: why, ...capture } }) {
        const named = { ...capture, ...(capturedOn === undefined ? {} : { capturedOn }) };
        return shown(await proposeDismissal(pool, named, { who: actor.who, reason: why }));
      },
    }),
    decision('approve', 'approved', '정산 제외 승인', 'The second person agrees: it is dismissed'),
    decision('refuse', 'refused', '정산 제외 거절', 'The second person refuses: it waits as before'),
  ];
}

/** A TID may hold colons of its own. */
function captureOf(text: string): Required<NamedCapture> {
  const [, provider = '', capturedOn = '', providerTid = '', cancelSeq] =
    /^([^:]+):(\d{4}-\d{2}-\d{2}):(.+):(\d{1,4})$/.exec(text) ?? [];
  return { provider, capturedOn, providerTid, cancelSeq: Number(cancelSeq) };
}

function shown<Row extends { readonly amountWon: bigint }>(row: Row) {
  return { ...row, amountWon: anyWonToJson(row.amountWon) };
}
