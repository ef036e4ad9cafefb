import type { CopyBlock } from '../imports/copy-block.ts';
import {
  day,
  instant,
  maskedCard,
  oneOf,
  ownCard,
  placeOf,
  refused,
  smallNumber,
  text,
  unused,
  won,
} from '../imports/field.ts';
import type { RecordFields, Refusal } from '../imports/record.ts';
import type { ImportKind } from '../imports/staged-table.ts';
import { captureTable, paymentTable } from './payment-tables.ts';

/** The columns of a payments file, in the order in which we write them. */
export const paymentColumns = [
  'record',
  'provider',
  'providerTid',
  'cancelSeq',
  'tradedAt',
  'capturedOn',
  'amountWon',
  'feeWon',
  'vatWon',
  'mid',
  'merchantId',
  'orderNo',
  'approvalNo',
  'acquirer',
  'issuer',
  'cardMerchantNo',
  'cardNo',
  'instalments',
] as const;

const numberColumns = new Set(['cancelSeq', 'amountWon', 'feeWon', 'vatWon', 'instalments']);

const at = Object.fromEntries(paymentColumns.map((name, i) => [name, i])) as Record<
  (typeof paymentColumns)[number],
  number
>;
const unusedByPayments = [at.capturedOn, at.feeWon, at.vatWon];
const unusedByCaptures = [
  at.merchantId,
  at.orderNo,
  at.approvalNo,
  at.acquirer,
  at.issuer,
  at.cardMerchantNo,
  at.cardNo,
  at.instalments,
];

/** Numbers that we, a provider, an acquirer or a merchant gave. */
const numbers = [at.providerTid, at.mid, at.merchantId, at.orderNo, at.approvalNo, at.cardMerchantNo];
const number = { ours: true } as const;
const optionalNumber = { min: 0, ours: true } as const;

/** The kinds of record, the capture last. */
const records = ['approval', 'cancel', 'partial_cancel', 'capture'].map((name) => Buffer.from(name));
const capture = 3;
/** A, C, P: approval, full cancel, partial cancel. */
const kindCodes = [65, 67, 80];
const zeroText = Buffer.from('0');

const maxCancels = 32_767;
const maxInstalments = 99;

/** 승인·취소·매입. What a payments file holds, given the providers we know. */
export function paymentRecords(providers: readonly string[]): ImportKind {
  const known = providers.map((id) => Buffer.from(id));
  return {
    kind: 'payments',
    columns: { names: paymentColumns, numbers: numberColumns },
    tables: [paymentTable, captureTable],
    route(fields) {
      const record = placeOf(fields, at.record, records);
      return record < 0 ? refused(fields, at.record, 'import_record_unknown') : record === capture ? 1 : 0;
    },
    encode: (fields, table, block) =>
      table === 0 ? encodePayment(fields, block, known) : encodeCapture(fields, block, known),
  };
}

/** In the order of `paymentTable.columns`. */
function encodePayment(fields: RecordFields, block: CopyBlock, providers: readonly Buffer[]): Refusal | undefined {
  const record = placeOf(fields, at.record, records);
  const isApproval = record === 0;
  const tradedAt = instant(fields, at.tradedAt);
  if ('code' in tradedAt) return tradedAt;
  const refusal =
    unused(fields, unusedByPayments) ??
    oneOf(fields, at.provider, block, providers, 'import_provider_unknown') ??
    text(fields, at.providerTid, block, number) ??
    smallNumber(fields, at.cancelSeq, block, isApproval ? { min: 0, max: 0 } : { min: 1, max: maxCancels }) ??
    won(fields, at.amountWon, block, isApproval ? 'positive' : 'negative') ??
    text(fields, at.mid, block, number) ??
    text(fields, at.merchantId, block, number) ??
    text(fields, at.orderNo, block, optionalNumber) ??
    text(fields, at.approvalNo, block, optionalNumber) ??
    text(fields, at.acquirer, block, { min: 0 }) ??
    text(fields, at.issuer, block, { min: 0 }) ??
    text(fields, at.cardMerchantNo, block, optionalNumber) ??
    maskedCard(fields, at.cardNo, block) ??
    ownCard(fields, at.cardNo, numbers) ??
    smallNumber(fields, at.instalments, block, { min: 0, max: maxInstalments });
  if (refusal !== undefined) return refusal;
  block.char(kindCodes[record] as number);
  block.integer(tradedAt.seoulDay);
  block.bigint(tradedAt.microseconds);
  return undefined;
}

/** In the order of `captureTable.columns`. */
function encodeCapture(fields: RecordFields, block: CopyBlock, providers: readonly Buffer[]): Refusal | undefined {
  const isApproval = placeOf(fields, at.cancelSeq, [zeroText]) === 0;
  const tradedAt = instant(fields, at.tradedAt);
  if ('code' in tradedAt) return tradedAt;
  const refusal =
    unused(fields, unusedByCaptures) ??
    oneOf(fields, at.provider, block, providers, 'import_provider_unknown') ??
    text(fields, at.providerTid, block, number) ??
    smallNumber(fields, at.cancelSeq, block, { min: 0, max: maxCancels }) ??
    day(fields, at.capturedOn, block) ??
    won(fields, at.amountWon, block, isApproval ? 'positive' : 'negative') ??
    won(fields, at.feeWon, block, 'any') ??
    won(fields, at.vatWon, block, 'any') ??
    text(fields, at.mid, block, number);
  if (refusal !== undefined) return refusal;
  block.char(kindCodes[isApproval ? 0 : 1] as number);
  block.integer(tradedAt.seoulDay);
  return undefined;
}
