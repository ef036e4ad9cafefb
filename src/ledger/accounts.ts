import { check } from '../kernel/check.ts';

/** 계정. Whose accounts of a kind are, and what they are called; the database holds the same in `ledger_chart`. */
export const accountKinds = {
  wallet: { owner: 'merchant', ko: '가맹점 지갑', en: 'merchant wallet' },
  held: { owner: 'merchant', ko: '지급보류금', en: 'held for the merchant' },
  debt: { owner: 'merchant', ko: '가맹점 미수금', en: 'owed by the merchant' },
  in_flight: { owner: 'merchant', ko: '지급 진행금', en: 'payouts in flight' },
  receivable: { owner: 'provider', ko: '원천사 미수금', en: 'receivable from the provider' },
  refund_receivable: { owner: 'provider', ko: '차액정산 미수금', en: 'differential refund receivable' },
  fee: { owner: 'house', ko: '수수료 수익', en: 'fees earned' },
  vat: { owner: 'house', ko: '부가세 예수금', en: 'VAT collected' },
  rounding: { owner: 'house', ko: '단수 차액', en: 'rounding' },
  bank: { owner: 'house', ko: '지급 계좌', en: 'bank account for payouts' },
  suspense: { owner: 'house', ko: '가수금', en: 'suspense' },
} as const;

export type AccountKind = keyof typeof accountKinds;

/** An account by its parts; `owner` is null for the house's own. */
export type Account = { readonly kind: AccountKind; readonly owner: string | null };

/** 가맹점 지갑. What we owe the merchant and it may draw. Never below 0. */
export const walletOf = (merchantId: string): string => owned('wallet', merchantId);
/** 지급보류금. What we owe the merchant and hold. Never below 0. */
export const heldOf = (merchantId: string): string => owned('held', merchantId);
/** 가맹점 미수금. What the merchant owes us. Never above 0. */
export const debtOf = (merchantId: string): string => owned('debt', merchantId);
/** 지급 진행금. What is on its way to the merchant's bank. Never below 0. */
export const inFlightOf = (merchantId: string): string => owned('in_flight', merchantId);
/** 원천사 미수금. What the provider owes us. */
export const receivableOf = (provider: string): string => owned('receivable', provider);

/** The house's own accounts. */
export const house = { fee: 'fee', vat: 'vat', rounding: 'rounding', bank: 'bank', suspense: 'suspense' } as const;

/** `wallet:M00001` → its parts; undefined where the chart knows no such account. */
export function parseAccount(text: string): Account | undefined {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const owner = colon < 0 ? null : text.slice(colon + 1);
  const kind = (Object.keys(accountKinds) as AccountKind[]).find((known) => known === name);
  if (kind === undefined || owner === '') return undefined;
  return (accountKinds[kind].owner === 'house') === (owner === null) ? { kind, owner } : undefined;
}

function owned(kind: AccountKind, owner: string): string {
  check(owner !== '', `an account ${kind} belongs to somebody`);
  return `${kind}:${owner}`;
}
