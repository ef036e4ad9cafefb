import { Problem } from './problem.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `2h`; a plain number is seconds. @throws Problem `usage` */
export function readDuration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = 's'] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (digits === undefined) throw new Problem('usage', { reason: `${option} ${text} (500ms, 90s, 15m, 2h, 1d)` });
  return Number(digits) * (unitMs[unit] as number);
}
