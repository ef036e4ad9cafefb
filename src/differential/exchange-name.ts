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

/** 사업자등록번호. Ours, as it stands in the name of a file that was written by the template; '' where it is not in it. */
export function businessNoIn(template: string, fileName: string): string {
  const pattern = template
    .split(/(\{(?:biz|day|mid)\})/)
    .map((part) => ({ '{biz}': '(?<biz>[0-9]{10})', '{day}': '[0-9]{8}', '{mid}': '.+' })[part] ?? RegExp.escape(part));
  return new RegExp(`^${pattern.join('')}$`).exec(fileName)?.groups?.['biz'] ?? '';
}

/**
 * Whether a MID can stand in the name of a file on any server: visible ASCII, and nothing that separates folders or that a
 * file system takes for something else.
 */
export function canBeNamed(mid: string): boolean {
  return /^[!-~]{1,100}$/.test(mid) && !/[/\\:*?"<>|]/.test(mid);
}
