const ppmOfPercent = 10_000;

/**
 * 요율. `1.15%` → 11,500 ppm; at most four decimals, from 0% to 100%. Undefined for anything else: a rate is never
 * rounded or guessed.
 */
export function parseRate(text: string): number | undefined {
  const match = /^(0|[1-9]\d{0,2})(?:\.(\d{1,4}))?%$/.exec(text);
  if (match === null) return undefined;
  const ppm = Number(match[1]) * ppmOfPercent + Number((match[2] ?? '').padEnd(4, '0'));
  return ppm <= 100 * ppmOfPercent ? ppm : undefined;
}

/** 11,500 ppm → `1.15%`. */
export function formatRate(ratePpm: number): string {
  const decimals = String(ratePpm % ppmOfPercent)
    .padStart(4, '0')
    .replace(/0+$/, '');
  const whole = Math.floor(ratePpm / ppmOfPercent);
  return decimals === '' ? `${whole}%` : `${whole}.${decimals}%`;
}
