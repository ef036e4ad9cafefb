import { compactDay } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';

/** The name of a file of the exchange: `{biz}`, `{day}` (YYYYMMDD) and `{mid}` of the template filled in. */
export function formatExchangeName(
  template: string,
  named: { readonly businessNo: string; readonly on: Temporal.PlainDate; readonly mid: string },
): string {
  const { businessNo, on, mid } = named;
  check(!template.includes('{mid}') || mid !== '', `${template} names a MID and there is none`);
  return template.replace(/\{(biz|day|mid)\}/g, (_, name: string) => {
    if (name === 'biz') return businessNo;
    return name === 'day' ? compactDay(on) : mid;
  });
}
