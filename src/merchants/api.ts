import type { Pool } from 'pg';
import { z } from 'zod';
import { businessCalendar } from '../calendar/store.ts';
import { importRoute } from '../imports/import-route.ts';
import { seoul } from '../kernel/business-day.ts';
import { vatPolicies } from '../kernel/fee.ts';
import { methods } from '../kernel/method.ts';
import { Problem } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { roundings } from '../kernel/rounding.ts';
import type { Cipher } from '../platform/cipher.ts';
import { day, instant, rowId, term, won } from '../platform/http/fields.ts';
import { list, type Route, route } from '../platform/http/route.ts';
import { cancelFees, tierVolumes } from './contract-records.ts';
import { nextDates, rolls, type SettlementDate } from './cycle.ts';
import { importMerchants } from './import-merchants.ts';
import { importAccounts, importContracts, importTerms } from './import-terms.ts';
import { pageOfMerchants } from './list-store.ts';
import { payoutWays } from './terms-records.ts';
import { merchantTerms } from './terms-store.ts';
import { contractsInForce, inForceOn } from './terms-text.ts';
import { tierFact } from './tier-api.ts';
import { subMerchantOf, tiersOf } from './tier-store.ts';

export type MerchantApiPorts = { readonly pool: Pool; readonly cipher: Cipher; now(): Temporal.Instant };

/** Settlement dates that are shown with a merchant, and at most. */
const datesShown = 5;
const datesMost = 400;

const inForce = z.boolean();
const date = z.object({
  dueAt: instant(),
  /** The capture days that it settles; null where it settles whatever has come in by then. */
  capturedFrom: day().nullable(),
  capturedTo: day().nullable(),
});
const contract = z.object({
  contractId: rowId(),
  method: z.enum(methods),
  validFrom: day(),
  validTo: day().nullable(),
  rate: z.string(),
  ratePpm: z.number().int(),
  fixedWon: won(),
  minFeeWon: won().nullable(),
  maxFeeWon: won().nullable(),
  rounding: z.enum(roundings),
  vat: z.enum(vatPolicies),
  tierVolume: z.enum(tierVolumes).nullable(),
  tiers: z.array(z.object({ fromWon: won(), ratePpm: z.number().int() })),
  cancelFee: z.enum(cancelFees),
  inForce,
});
const terms = z.object({
  termsId: rowId(),
  validFrom: day(),
  cycle: z.string(),
  roll: z.enum(rolls),
  dueTime: z.string(),
  payout: z.enum(payoutWays),
  payoutTime: z.string().nullable(),
  minPayoutWon: won(),
  inForce,
});
/** Nothing of what is sealed, nor what tells whether two are the same. */
const account = z.object({
  accountId: rowId(),
  validFrom: day(),
  bankCode: z.string(),
  last4: z.string(),
  holder: z.string(),
  inForce,
});
const merchant = z.object({ merchantId: z.string(), name: z.string(), businessNo: z.string() });
const shownMerchant = merchant.extend({
  contracts: z.array(contract),
  terms: z.array(terms),
  accounts: z.array(account),
  subMerchant: z.array(
    z.object({
      validFrom: day(),
      intermediaryNo: z.string().nullable(),
      openedOn: day(),
      closedOn: day().nullable(),
      inForce,
    }),
  ),
  tiers: z.array(tierFact),
  dates: z.array(date),
});

const named = z.object({ id: term() });

/** 가맹점. `/merchants`: who they are, what was agreed with them and since when, and when they are settled. */
export function merchantRoutes({ pool, cipher, now }: MerchantApiPorts): Route[] {
  const today = () => now().toZonedDateTimeISO(seoul).toPlainDate().toString();
  const datesOf = async (of: Awaited<ReturnType<typeof merchantTerms>>, count: number) => {
    const [current] = inForceOn(of.terms, today());
    return current === undefined ? undefined : nextDates(current, now(), count, await businessCalendar(pool));
  };
  const imports = (
    [
      ['importMerchants', '/merchants/imports', '가맹점 적재', 'Import merchants', importMerchants],
      ['importContracts', '/contracts/imports', '수수료 계약 적재', 'Import fee contracts', importContracts],
      ['importTerms', '/terms/imports', '정산 조건 적재', 'Import settlement terms', importTerms],
    ] as const
  ).map(([id, path, ko, en, bring]) => importRoute({ id, path, tag: 'merchants', summary: { ko, en }, pool, bring }));
  return [
    ...imports,
    importRoute({
      id: 'importAccounts',
      path: '/accounts/imports',
      tag: 'merchants',
      summary: { ko: '지급 계좌 적재', en: 'Import bank accounts; their numbers are sealed as they come in' },
      pool,
      bring: (db, source, options) => importAccounts(db, cipher, source, options),
    }),
    list({
      id: 'listMerchants',
      path: '/merchants',
      tag: 'merchants',
      summary: { ko: '가맹점 목록', en: 'Merchants' },
      permission: 'read',
      filter: z.object({ businessNo: term().optional() }),
      row: merchant,
      sorts: ['merchantId'],
      page: ({ query }, request) => pageOfMerchants(pool, query, request),
    }),
    route({
      id: 'showMerchant',
      path: '/merchants/{id}',
      tag: 'merchants',
      summary: {
        ko: '가맹점의 계약·정산 조건·계좌·정산 예정일',
        en: 'Contracts, terms, accounts, tiers and next dates of a merchant',
      },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: named,
      answer: shownMerchant,
      async handle({ params: { id } }) {
        const found = await merchantTerms(pool, id);
        const on = today();
        const facts = await subMerchantOf(pool, id);
        const current = {
          contracts: contractsInForce(found.contracts, on),
          terms: inForceOn(found.terms, on),
          accounts: inForceOn(found.accounts, on),
          facts: inForceOn(facts, on),
        };
        return {
          merchantId: id,
          name: found.name,
          businessNo: found.businessNo,
          contracts: found.contracts.map(({ merchantId: _, ...each }) => ({
            ...each,
            rate: formatRate(each.ratePpm),
            inForce: [...current.contracts].some(({ contractId }) => contractId === each.contractId),
          })),
          terms: found.terms.map((each) => {
            const { merchantId: _, ...rest } = each;
            return { ...rest, inForce: current.terms.has(each) };
          }),
          accounts: found.accounts.map((each) => {
            const { accountId, validFrom, bankCode, last4, holder } = each;
            return { accountId, validFrom, bankCode, last4, holder, inForce: current.accounts.has(each) };
          }),
          subMerchant: facts.map((each) => ({ ...each, inForce: current.facts.has(each) })),
          tiers: await tiersOf(pool, found.businessNo, now()),
          dates: ((await datesOf(found, datesShown)) ?? []).map(dateRow),
        };
      },
    }),
    route({
      id: 'listMerchantDates',
      path: '/merchants/{id}/dates',
      tag: 'merchants',
      summary: { ko: '정산 예정일 미리 보기', en: 'The next settlement dates of a merchant' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      params: named,
      query: z.object({ count: z.coerce.number().int().min(1).max(datesMost).default(10) }),
      answer: z.object({ dates: z.array(date) }),
      async handle({ params: { id }, query, language }) {
        const dates = await datesOf(await merchantTerms(pool, id), query.count);
        if (dates === undefined) {
          throw new Problem('not_found', { what: language === 'ko' ? '정산 조건' : 'settlement terms', id });
        }
        return { dates: dates.map(dateRow) };
      },
    }),
  ];
}

function dateRow({ dueAt, captures }: SettlementDate) {
  return { dueAt, capturedFrom: captures?.from ?? null, capturedTo: captures?.to ?? null };
}
