import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatRate } from '../kernel/rate.ts';
import { type Column, formatCount, formatTable } from '../platform/terminal.ts';
import { slotText } from './cycle-rows.ts';
import type { SettledItem, SettledMerchant } from './settled-store.ts';
import { workingText } from './working.ts';

export function settledColumns(language: Language): readonly Column[] {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  const right = (ko: string, en: string): Column => ({ ...title(ko, en), align: 'right' });
  return [
    title('회차', 'Slot'),
    title('가맹점', 'Merchant'),
    right('건수', 'Items'),
    right('매입액', 'Gross'),
    right('수수료', 'Fee'),
    right('부가세', 'VAT'),
    right('정산액', 'Net'),
    right('상계', 'Debt repaid'),
    right('이월', 'New debt'),
    right('보류', 'Held'),
    right('지갑', 'To wallet'),
  ];
}

export function settledRow(settled: SettledMerchant): readonly string[] {
  const { grossWon, feeWon, vatWon, netWon, offsetWon, carriedWon, heldWon, walletWon } = settled;
  return [
    slotText(settled.slot),
    settled.merchantId,
    formatCount(settled.items),
    ...[grossWon, feeWon, vatWon, netWon, offsetWon, carriedWon, heldWon, walletWon].map(formatWon),
  ];
}

export function settledToJson(settled: SettledMerchant): object {
  return {
    slot: slotText(settled.slot),
    merchantId: settled.merchantId,
    items: Number(settled.items),
    grossWon: wonToJson(settled.grossWon),
    feeWon: wonToJson(settled.feeWon),
    vatWon: wonToJson(settled.vatWon),
    netWon: wonToJson(settled.netWon),
    offsetWon: wonToJson(settled.offsetWon),
    carriedWon: wonToJson(settled.carriedWon),
    heldWon: wonToJson(settled.heldWon),
    walletWon: wonToJson(settled.walletWon),
  };
}

/** The items with what each amount comes from, in words. */
export function itemsText(items: readonly SettledItem[], language: Language): string {
  const title = (ko: string, en: string): Column => ({ title: language === 'ko' ? ko : en });
  const right = (ko: string, en: string): Column => ({ ...title(ko, en), align: 'right' });
  return formatTable(
    [
      title('매입', 'Capture'),
      title('매입일', 'Captured on'),
      right('금액', 'Won'),
      right('수수료', 'Fee'),
      right('부가세', 'VAT'),
      title('근거', 'Working'),
    ],
    items.map((item) => [
      `${item.provider} ${item.providerTid}/${item.cancelSeq}`,
      item.capturedOn,
      ...[item.amountWon, item.feeWon, item.vatWon].map(formatWon),
      workingText(item, language),
    ]),
  );
}

export function itemToJson(item: SettledItem, language: Language): object {
  const { provider, capturedOn, providerTid, cancelSeq, rule, ratePpm, rounding, vat, validFrom } = item;
  return {
    provider,
    capturedOn,
    providerTid,
    cancelSeq,
    amountWon: wonToJson(item.amountWon),
    feeWon: wonToJson(item.feeWon),
    vatWon: wonToJson(item.vatWon),
    rule,
    rate: formatRate(ratePpm),
    rounding,
    vat,
    contractId: Number(item.contractId),
    contractFrom: validFrom,
    working: workingText(item, language),
  };
}
