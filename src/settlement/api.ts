import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { Problem } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { day, instant, rowId, someOf, term, won } from '../platform/http/fields.ts';
import { events, list, type Route, route } from '../platform/http/route.ts';
import { type CycleEvent, followCycles } from './cycle-follow-store.ts';
import { type ListedCycle, listCycles, pageOfCycles } from './cycle-list-store.ts';
import { listSettled, pageOfItems, pageOfSettled, type SettledMerchant } from './settled-store.ts';
import { slot, slotOf } from './settlement-schemas.ts';
import { formatSlot, slotAt } from './slot.ts';
import type { Settlement } from './workflow.ts';
import { workingText } from './working.ts';

export type SettlementApiPorts = {
  readonly pool: Pool;
  readonly settlement: Pick<Settlement, 'begin'>;
  now(): Temporal.Instant;
};

const states = ['running', 'settled', 'failed', 'skipped'] as const;
const count = () => z.number().int();

const cycle = z.object({
  slot: z.string(),
  run: z.string(),
  state: z.enum(states),
  startedBy: z.string(),
  startedAt: instant(),
  creditedAt: instant().nullable(),
  finishedAt: instant().nullable(),
  /** From the slot's time to the last wallet that was credited. */
  creditedAfterMs: count().nullable(),
  makesUp: z.string().nullable(),
  parts: count(),
  partsDone: count(),
  reason: z.string().nullable(),
  captures: count(),
  items: count(),
  merchants: count(),
  setAside: count(),
  waiting: count(),
  grossWon: won(),
  feeWon: won(),
  vatWon: won(),
  netWon: won(),
  creditedWon: won(),
});
const settled = z.object({
  slot: z.string(),
  merchantId: z.string(),
  items: count(),
  grossWon: won(),
  feeWon: won(),
  vatWon: won(),
  netWon: won(),
  offsetWon: won(),
  carriedWon: won(),
  heldWon: won(),
  walletWon: won(),
});
const item = z.object({
  provider: z.string(),
  capturedOn: day(),
  providerTid: z.string(),
  cancelSeq: count(),
  amountWon: won(),
  feeWon: won(),
  vatWon: won(),
  rule: z.string(),
  rate: z.string(),
  rounding: z.string(),
  vat: z.string(),
  contractId: rowId(),
  contractFrom: day(),
  /** Why fee and VAT are what they are, in words. */
  working: z.string(),
});
const ofSlot = z.object({ slot: slot() });
const ofMerchant = z.object({ slot: slot(), merchant: term() });

/** 정산. `/settlement`: slots begun by hand, what became of them, what each merchant was settled and why. */
export function settlementRoutes({ pool, settlement, now }: SettlementApiPorts): Route[] {
  const common = { tag: 'settlement', permission: 'read' } as const;
  const daysOf = ({ from, to }: { from?: string | undefined; to?: string | undefined }) => {
    const last = to === undefined ? now().toZonedDateTimeISO(seoul).toPlainDate() : Temporal.PlainDate.from(to);
    return { from: from === undefined ? last : Temporal.PlainDate.from(from), to: last };
  };
  return [
    route({
      ...common,
      id: 'startSettlement',
      path: '/settlement/cycles',
      summary: { ko: '정산 실행', en: 'Settle a slot now: a slot runs once; the latest one if not given' },
      permission: 'run',
      problems: ['slot_refused'],
      method: 'post',
      body: z.object({ slot: slot().optional() }),
      answer: z.object({ slot: z.string(), run: z.string() }),
      status: 202,
      subject: ({ body }) => `settle ${body.slot ?? 'the latest slot'}`,
      async handle({ actor, body }) {
        const wanted = body.slot === undefined ? slotAt(now()) : slotOf(body.slot);
        await settlement.begin(wanted, { who: actor.who });
        return { slot: formatSlot(wanted), run: `settle:${formatSlot(wanted)}` };
      },
    }),
    list({
      ...common,
      id: 'listCycles',
      path: '/settlement/cycles',
      summary: { ko: '회차 목록', en: 'Slots, what they came to and how long they took' },
      filter: z.object({ from: day().optional(), to: day().optional(), state: someOf(states) }),
      row: cycle,
      sorts: ['slot'],
      descendingFirst: true,
      async page({ query }, request) {
        const page = await pageOfCycles(pool, query, request);
        return { ...page, rows: page.rows.map(cycleRow) };
      },
    }),
    events({
      ...common,
      id: 'followCycles',
      path: '/settlement/cycles/events',
      summary: { ko: '회차 실시간 보기', en: 'The latest slot, and each one that begins, comes on or ends' },
      event: z.object({ cycle }),
      handle: ({ lastId, signal }) => tellCycles(followCycles(pool, { lastId, signal })),
    }),
    route({
      ...common,
      id: 'showCycle',
      path: '/settlement/cycles/{slot}',
      summary: { ko: '회차 한 건', en: 'One slot' },
      problems: ['not_found'],
      method: 'get',
      params: ofSlot,
      answer: cycle,
      async handle({ params }) {
        const [found] = await listCycles(pool, { slot: slotOf(params.slot), limit: 1 });
        if (found === undefined) throw new Problem('not_found', { what: 'slot', id: params.slot });
        return cycleRow(found);
      },
    }),
    list({
      ...common,
      id: 'listSettled',
      path: '/settlement/settlements',
      summary: { ko: '정산 내역 (기본: 오늘)', en: 'What merchants were settled; of today unless told otherwise' },
      filter: z.object({
        from: day().optional(),
        to: day().optional(),
        slot: slot().optional(),
        merchant: term().optional(),
      }),
      row: settled,
      sorts: ['settledOn'],
      descendingFirst: true,
      async page({ query }, request) {
        const only = query.slot === undefined ? undefined : slotOf(query.slot);
        const on = only?.toZonedDateTimeISO(seoul).toPlainDate();
        const filter = {
          ...(on === undefined ? daysOf(query) : { from: on, to: on }),
          ...(only === undefined ? {} : { slot: only }),
          ...(query.merchant === undefined ? {} : { merchantId: query.merchant }),
        };
        const page = await pageOfSettled(pool, filter, request);
        return { ...page, rows: page.rows.map(settledRow) };
      },
    }),
    route({
      ...common,
      id: 'showSettled',
      path: '/settlement/cycles/{slot}/merchants/{merchant}',
      summary: { ko: '회차의 가맹점 정산', en: 'What a slot did for a merchant' },
      problems: ['not_found'],
      method: 'get',
      params: ofMerchant,
      answer: settled,
      async handle({ params: { slot: text, merchant } }) {
        const only = slotOf(text);
        const on = only.toZonedDateTimeISO(seoul).toPlainDate();
        const [found] = await listSettled(pool, { from: on, to: on, slot: only, merchantId: merchant, limit: 1 });
        if (found === undefined) throw new Problem('not_found', { what: 'settlement', id: `${merchant} ${text}` });
        return settledRow(found);
      },
    }),
    list({
      ...common,
      id: 'listSettledItems',
      path: '/settlement/cycles/{slot}/merchants/{merchant}/items',
      summary: { ko: '정산 건과 금액의 근거', en: 'The items of it, each with the working of its amounts' },
      params: ofMerchant,
      row: item,
      sorts: ['capture'],
      async page({ params, language }, request) {
        const of = { slot: slotOf(params.slot), merchantId: params.merchant };
        const page = await pageOfItems(pool, of, request);
        const rows = page.rows.map((found) => {
          const { provider, capturedOn, providerTid, cancelSeq, amountWon, feeWon, vatWon, rule } = found;
          const { rounding, vat, contractId, validFrom } = found;
          return {
            ...{ provider, capturedOn, providerTid, cancelSeq, amountWon, feeWon, vatWon, rule, rounding, vat },
            ...{ rate: formatRate(found.ratePpm), contractId, contractFrom: validFrom },
            working: workingText(found, language),
          };
        });
        return { ...page, rows };
      },
    }),
  ];
}

function cycleRow({ slot: at, runId, makesUp, ...rest }: ListedCycle) {
  const { creditedAt } = rest;
  return {
    ...rest,
    slot: slotText(at),
    run: runId,
    makesUp: makesUp === null ? null : slotText(makesUp),
    creditedAfterMs: creditedAt === null ? null : creditedAt.getTime() - at.getTime(),
  };
}

function settledRow({ slot: at, ...rest }: SettledMerchant) {
  return { ...rest, slot: slotText(at) };
}

function slotText(at: Date): string {
  return formatSlot(at.toTemporalInstant());
}

async function* tellCycles(happening: AsyncIterable<CycleEvent>) {
  for await (const { id, event, cycle: happened } of happening)
    yield { id, event, data: { cycle: cycleRow(happened) } };
}
