import { paymentColumns } from '../../src/payments/payment-records.ts';

export type PaymentLine = Partial<Record<(typeof paymentColumns)[number], string>>;

/** An approval, changed as a test needs it. */
export function approval(change: PaymentLine = {}): PaymentLine {
  return {
    record: 'approval',
    provider: 'ksnet',
    providerTid: 'T1',
    cancelSeq: '0',
    tradedAt: '2026-11-20T10:00:00+09:00',
    amountWon: '50000',
    mid: 'MID1',
    merchantId: 'M1',
    orderNo: 'O1',
    approvalNo: '12345678',
    acquirer: '신한카드',
    issuer: '국민카드',
    cardMerchantNo: '700001',
    cardNo: '123456******7890',
    instalments: '0',
    ...change,
  };
}

/** A full cancel of the approval. */
export function cancel(change: PaymentLine = {}): PaymentLine {
  return approval({ record: 'cancel', cancelSeq: '1', amountWon: '-50000', ...change });
}

/** A capture of the approval. */
export function capture(change: PaymentLine = {}): PaymentLine {
  return {
    record: 'capture',
    provider: 'ksnet',
    providerTid: 'T1',
    cancelSeq: '0',
    tradedAt: '2026-11-20T10:00:00+09:00',
    capturedOn: '2026-11-21',
    amountWon: '50000',
    feeWon: '1000',
    vatWon: '100',
    mid: 'MID1',
    ...change,
  };
}

export function paymentsCsv(lines: readonly PaymentLine[]): string {
  const rows = lines.map((line) => paymentColumns.map((column) => line[column] ?? '').join(','));
  return `${[paymentColumns.join(','), ...rows].join('\n')}\n`;
}

export function paymentsNdjson(lines: readonly PaymentLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
