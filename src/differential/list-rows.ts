import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { cardTypeText, tierText } from '../merchants/tier-text.ts';
import { csvLine } from '../platform/csv.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import type { Cell } from '../platform/xlsx.ts';
import { type Words, wordOf } from '../reconciliation/words.ts';
import { kindWords, reasonText, statusWords, typeWords } from './claim-words.ts';
import type { ClaimTotals, ListedClaim } from './list-store.ts';

type ClaimColumn = {
  readonly title: Words;
  cell(claim: ListedClaim, language: Language): Cell;
  /** Shown to people; the others are in files only. */
  readonly listed?: true;
};

const text = (value: string | null): Cell => (value === null ? null : { type: 'text', value });
const whole = (value: number | bigint | null): Cell =>
  value === null ? null : { type: 'number', value: BigInt(value) };
const won = (value: bigint | null): Cell => (value === null ? null : { type: 'won', value });
const day = (value: string | null): Cell => (value === null ? null : { type: 'day', value });

/** 신청 건 목록의 열. The codes are what the commands take, the words for people. */
const columns: readonly ClaimColumn[] = [
  { title: { ko: '거래일', en: 'Traded on' }, cell: (c) => day(c.tradedOn), listed: true },
  { title: { ko: '원천사', en: 'Provider' }, cell: (c) => text(c.provider), listed: true },
  { title: { ko: '결제 원천사', en: 'Channel' }, cell: (c) => text(c.channel) },
  { title: { ko: '거래고유번호', en: 'TID' }, cell: (c) => text(tidText(c)), listed: true },
  { title: { ko: '가맹점', en: 'Merchant' }, cell: (c) => text(c.merchantId), listed: true },
  { title: { ko: '상점 ID', en: 'MID' }, cell: (c) => text(c.mid) },
  { title: { ko: '주문번호', en: 'Order number' }, cell: (c) => text(c.orderNo) },
  { title: { ko: '종류', en: 'Kind' }, cell: (c, l) => text(wordOf(kindWords, c.kind, l)) },
  { title: { ko: '구분', en: 'Type' }, cell: (c, l) => text(wordOf(typeWords, c.type, l)), listed: true },
  { title: { ko: '등급', en: 'Tier' }, cell: (c, l) => text(tierText(c.tier, l)), listed: true },
  {
    title: { ko: '카드', en: 'Card' },
    cell: (c, l) => text(c.cardType === null ? null : cardTypeText(c.cardType, l)),
    listed: true,
  },
  { title: { ko: '우대 요율', en: 'Rate' }, cell: (c) => text(c.ratePpm === null ? null : formatRate(c.ratePpm)) },
  { title: { ko: '매입일', en: 'Captured on' }, cell: (c) => day(c.capturedOn) },
  { title: { ko: '원거래일', en: 'Original on' }, cell: (c) => day(c.originalOn) },
  { title: { ko: '금액', en: 'Amount' }, cell: (c) => won(c.amountWon), listed: true },
  { title: { ko: '부과 수수료', en: 'Charged' }, cell: (c) => won(c.chargedWon) },
  { title: { ko: '우대 수수료', en: 'Preferential' }, cell: (c) => won(c.preferentialWon) },
  { title: { ko: '차액(당사)', en: 'Difference' }, cell: (c) => won(c.differenceWon), listed: true },
  { title: { ko: '차액(원천사)', en: 'Accepted' }, cell: (c) => won(c.acceptedWon), listed: true },
  { title: { ko: '지급일', en: 'Paid on' }, cell: (c) => day(c.payOn) },
  { title: { ko: '차수', en: 'Try' }, cell: (c) => whole(c.attempt) },
  { title: { ko: '파일', en: 'File' }, cell: (c) => text(c.fileName) },
  { title: { ko: '현황', en: 'Status' }, cell: (c, l) => text(statusWords[c.status][l]), listed: true },
  { title: { ko: '사유 코드', en: 'Reason code' }, cell: (c) => text(c.reason) },
  {
    title: { ko: '사유', en: 'Reason' },
    cell: (c, l) => text(c.reason === null ? null : reasonText(c.reason, l)),
    listed: true,
  },
];
const listed = columns.filter((column) => column.listed);
const amounts = new Set(['Amount', 'Difference', 'Accepted']);

/** The columns of a list for people. */
export function listColumns(language: Language): readonly Column[] {
  return listed.map(({ title }) => ({ title: title[language], align: amounts.has(title.en) ? 'right' : 'left' }));
}

/** A claim as a row of `listColumns`. */
export function listRow(claim: ListedClaim, language: Language): readonly string[] {
  return listed.map(({ cell }) => {
    const value = cell(claim, language);
    if (value === null) return '';
    return value.type === 'won' ? formatWon(value.value) : String(value.value);
  });
}

/** The first line of the CSV. */
export function csvHeader(language: Language): string {
  return csvLine(columns.map(({ title }) => text(title[language])));
}

/** A claim as a line of the CSV. */
export function csvRow(claim: ListedClaim, language: Language): string {
  return csvLine(columns.map(({ cell }) => cell(claim, language)));
}

/** The TID with its cancel sequence where it is a cancel's. */
export function tidText({ providerTid, cancelSeq }: Pick<ListedClaim, 'providerTid' | 'cancelSeq'>): string {
  return cancelSeq === 0 ? providerTid : `${providerTid} /${cancelSeq}`;
}

/** The last line below a list: how many of how many, and what they come to. */
export function totalLine(shown: number, totals: ClaimTotals, language: Language): string {
  const count = formatCount(totals.count);
  const [ours, theirs] = [formatWon(totals.differenceWon), formatWon(totals.acceptedWon)];
  const some = BigInt(shown) < totals.count;
  return language === 'ko'
    ? `${some ? `전체 ${count}건 중 ${formatCount(shown)}건` : `${count}건`} · 신청 차액 ${ours}원 · 승인 차액 ${theirs}원`
    : `${some ? `${formatCount(shown)} of ${count}` : count} ${totals.count === 1n ? 'claim' : 'claims'} · claimed ${ours} won · accepted ${theirs} won`;
}

const kinds: Readonly<Record<string, string>> = { D: 'daily', R: 'retroactive' };
const types: Readonly<Record<string, string>> = { A: 'approval', C: 'cancel', P: 'partial_cancel' };
const cardTypes: Readonly<Record<string, string>> = { C: 'credit', K: 'check' };

/** A claim as `--json` gives it: letters of tables as words. */
export function claimToJson(claim: ListedClaim): Record<string, unknown> {
  const { batchId, fileId, amountWon, chargedWon, preferentialWon, differenceWon, acceptedWon, ...facts } = claim;
  const amount = (value: bigint | null): number | null => (value === null ? null : wonToJson(value));
  const number = (value: bigint | null): number | null => (value === null ? null : Number(value));
  return {
    ...facts,
    kind: kinds[claim.kind] ?? claim.kind,
    type: types[claim.type] ?? claim.type,
    cardType: claim.cardType === null ? null : (cardTypes[claim.cardType] ?? claim.cardType),
    batchId: number(batchId),
    fileId: number(fileId),
    amountWon: wonToJson(amountWon),
    chargedWon: wonToJson(chargedWon),
    preferentialWon: amount(preferentialWon),
    differenceWon: amount(differenceWon),
    acceptedWon: amount(acceptedWon),
  };
}
