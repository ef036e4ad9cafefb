import type { Happening } from './event.ts';

/** What the provider keeps of a capture, in signed won: negative for a cancel. */
export type Fee = { readonly feeWon: number; readonly vatWon: number };

/** 수수료. The merchant's rate for the type of card, cut to whole won; VAT is a tenth of it, cut likewise. */
export function feeOf({ payment, event }: Happening, amountWon = event.amountWon): Fee {
  const ppm = payment.card.type === 'check' ? payment.merchant.checkFeePpm : payment.merchant.creditFeePpm;
  const fee = Math.floor((Math.abs(amountWon) * ppm) / 1_000_000);
  const vat = Math.floor(fee / 10);
  return amountWon < 0 ? { feeWon: -fee || 0, vatWon: -vat || 0 } : { feeWon: fee, vatWon: vat };
}
