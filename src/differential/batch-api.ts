import type { Pool } from 'pg';
import { z } from 'zod';
import { seoul } from '../kernel/business-day.ts';
import { isProblem, Problem, problemText } from '../kernel/problem.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { day, instant, reason, rowId, someOf, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { runOfBatch } from './batch-end-store.ts';
import { batchRow, providerIds, shownBatch } from './claim-schemas.ts';
import { pageOfRefunds } from './refund-list-store.ts';
import { pageOfRegistrations, registrationStates } from './registration-list-store.ts';
import { type Registrations, registrationRunId } from './registration-workflow.ts';
import { decideFile } from './send-decision-store.ts';
import { batchNamed, pageOfBatches } from './show-batch-store.ts';
import { type DifferentialSettlement, differentialRunId } from './workflow.ts';

export type BatchApiPorts = {
  readonly pool: Pool;
  readonly differential: Pick<DifferentialSettlement, 'begin'>;
  readonly registrations: Pick<Registrations, 'begin'>;
  readonly durable: Pick<Durable, 'restart'>;
  /** The providers that have an address. */
  readonly configured: readonly string[];
  now(): Temporal.Instant;
};

const states = ['selecting', 'selected', 'waiting', 'done', 'failed'] as const;
const asked = z.object({
  /** Of captures: yesterday in Seoul if not given; of registrations: today. */
  on: day().optional(),
  /** Those that have an address, if not given. */
  providers: z.array(z.enum(providerIds)).min(1).optional(),
});
const begun = z.object({
  runs: z.array(
    z.object({
      provider: z.string(),
      on: day(),
      run: z.string(),
      /** Why it was not begun; one that is refused harms only itself. */
      problem: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});
const registration = z.object({
  id: rowId(),
  provider: z.string(),
  merchantId: z.string(),
  acquirer: z.string(),
  /** N new, C change, T terminate. */
  action: z.enum(['N', 'C', 'T']),
  finalNo: z.string(),
  intermediaryNo: z.string().nullable(),
  shopName: z.string(),
  state: z.enum(registrationStates),
  code: z.string().nullable(),
  reason: z.string().nullable(),
  fileName: z.string().nullable(),
  requestedBy: z.string(),
  requestedAt: instant(),
  answeredAt: instant().nullable(),
});

/** 차액정산. `/differential/batches`: the five steps of a provider's day; `/differential/registrations`: whom we claim for. */
export function differentialRoutes(ports: BatchApiPorts): Route[] {
  const { pool, differential, registrations, durable, configured, now } = ports;
  const common = { tag: 'differential' } as const;
  const begin = (id: string, path: string, ko: string, en: string, of: 'claims' | 'registrations') =>
    route({
      ...common,
      id,
      path,
      summary: { ko, en },
      permission: 'run',
      problems: ['differential_not_configured', 'business_no_not_configured'],
      method: 'post',
      body: asked,
      answer: begun,
      status: 202,
      subject: ({ body }) => `${of} ${body.on ?? ''} ${(body.providers ?? configured).join(', ')}`,
      async handle({ actor, body, language }) {
        const today = now().toZonedDateTimeISO(seoul).toPlainDate();
        const on = body.on ?? (of === 'claims' ? today.subtract({ days: 1 }) : today).toString();
        // Where none has an address, each says what it wants.
        const usual = configured.length > 0 ? configured : providerIds;
        const chosen = providerIds.filter((provider) => (body.providers ?? usual).includes(provider));
        const runs = [];
        let refused: unknown;
        for (const provider of chosen) {
          const request = { provider, on, who: actor.who };
          const run = of === 'claims' ? differentialRunId(request) : registrationRunId(request);
          try {
            await (of === 'claims' ? differential.begin(request) : registrations.begin(request));
            runs.push({ provider, on, run, problem: null });
          } catch (error) {
            if (!isProblem(error)) throw error;
            refused = error;
            const { code, details } = error;
            runs.push({ provider, on, run, problem: { code, message: problemText(code, details, language) } });
          }
        }
        if (refused !== undefined && runs.every(({ problem }) => problem !== null)) throw refused;
        return { runs };
      },
    });
  return [
    begin(
      'startDifferential',
      '/differential/batches',
      '차액정산 실행',
      'Claim overcharged card fees of a day: select, write, send, receive, apply',
      'claims',
    ),
    list({
      ...common,
      id: 'listBatches',
      path: '/differential/batches',
      summary: { ko: '차액정산 작업 목록', en: "Providers' days with what was selected" },
      permission: 'read',
      filter: z.object({
        on: day().optional(),
        from: day().optional(),
        to: day().optional(),
        provider: someOf(providerIds),
        state: someOf(states),
      }),
      row: batchRow,
      sorts: ['id'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfBatches(pool, query, request),
    }),
    route({
      ...common,
      id: 'showBatch',
      path: '/differential/batches/{batch}',
      summary: {
        ko: '하루 작업: 번호, 실행 ID 또는 파일 이름으로',
        en: 'A batch by its number, its run or a file of it: files, answers, and where its claims stand',
      },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: z.object({ batch: term() }),
      answer: shownBatch,
      async handle({ params }) {
        const found = await batchNamed(pool, params.batch);
        if (found === undefined) throw new Problem('not_found', { what: 'batch', id: params.batch });
        return found;
      },
    }),
    route({
      ...common,
      id: 'decideClaimFile',
      path: '/differential/files/{file}/decide',
      summary: {
        ko: '송신 결정: 다시 보내거나, 이미 도착했음',
        en: 'What a person knows of a file that we do not: send it again, or it has arrived',
      },
      permission: 'act',
      problems: ['not_found', 'claim_file_not_failed'],
      method: 'post',
      params: z.object({ file: term() }),
      body: z.object({ decision: z.enum(['again', 'sent']), reason: reason() }),
      answer: z.object({ fileName: z.string(), state: z.string(), run: z.string() }),
      status: 202,
      async handle({ actor, params, body }) {
        const decided = { fileName: params.file, ...body, by: actor.who, at: now() };
        const { batchId, provider, on, state } = await decideFile(pool, decided);
        const run = batchId === null ? registrationRunId({ provider, on }) : await runOfBatch(pool, batchId);
        await durable.restart(run).catch((error: unknown) => {
          // It still runs, for the day's other files, and takes this one up with its next look.
          if (!isProblem(error, 'run_not_restartable')) throw error;
        });
        return { fileName: params.file, state, run };
      },
    }),
    begin(
      'startRegistrations',
      '/differential/registrations',
      '하위가맹점을 카드사에 등록·변경·해지',
      'Tell the card companies whom we claim for',
      'registrations',
    ),
    list({
      ...common,
      id: 'listRegistrations',
      path: '/differential/registrations',
      summary: { ko: '등록 신청과 결과', en: 'Requests to the card companies, and what became of them' },
      permission: 'read',
      filter: z.object({
        provider: someOf(providerIds),
        merchant: term().optional(),
        state: someOf(registrationStates),
      }),
      row: registration,
      sorts: ['id'],
      descendingFirst: true,
      async page({ query: { provider, merchant, state } }, request) {
        const filter = {
          ...(provider === undefined ? {} : { providers: provider }),
          ...(merchant === undefined ? {} : { merchantId: merchant }),
          ...(state === undefined ? {} : { states: state }),
        };
        const page = await pageOfRegistrations(pool, filter, request);
        return { ...page, rows: page.rows.map(({ registrationId, ...row }) => ({ id: registrationId, ...row })) };
      },
    }),
    list({
      ...common,
      id: 'listRefunds',
      path: '/differential/refunds',
      summary: {
        ko: '환급 내역',
        en: 'What answers did for merchants: to their wallets, to what is held, and to their debts',
      },
      permission: 'read',
      filter: z.object({
        on: day().optional(),
        from: day().optional(),
        to: day().optional(),
        provider: someOf(providerIds),
        merchant: term().optional(),
      }),
      row: z.object({
        event: z.string(),
        provider: z.string(),
        merchantId: z.string(),
        bookedOn: day(),
        claims: z.number().int(),
        refundWon: won(),
        clawbackWon: won(),
        offsetWon: won(),
        carriedWon: won(),
        heldWon: won(),
        walletWon: won(),
      }),
      sorts: ['bookedOn'],
      descendingFirst: true,
      page: ({ query }, request) => pageOfRefunds(pool, query, request),
    }),
  ];
}
