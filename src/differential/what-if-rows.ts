import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { tierText } from '../merchants/tier-text.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import type { WhatIf, WhatIfLine } from './what-if-store.ts';

/** So many merchants are shown to people; `--json` has them all. */
const merchantsShown = 20;

const titles = {
  ko: {
    provider: '원천사',
    tier: '등급',
    merchant: '가맹점',
    now: '현재',
    supposed: '가정',
    more: '차이',
    claims: '건수',
    all: '합계',
  },
  en: {
    provider: 'Provider',
    tier: 'Tier',
    merchant: 'Merchant',
    now: 'Now',
    supposed: 'Supposed',
    more: 'Change',
    claims: 'Claims',
    all: 'All',
  },
} as const;

/** What would have been claimed, for people: by provider, by tier and by the merchants whom it concerns most. */
export function whatIfText({ total, byProvider, byTier, byMerchant }: WhatIf, language: Language): string {
  const say = titles[language];
  const table = (names: readonly string[], rows: readonly (readonly [names: readonly string[], line: WhatIfLine])[]) =>
    formatTable(
      [
        ...names.map((title) => ({ title })),
        ...[say.claims, say.now, say.supposed, say.more].map((title) => ({ title, align: 'right' as const })),
      ],
      rows.map(([own, line]) => [
        ...own,
        `${formatCount(Number(line.claims))} → ${formatCount(Number(line.supposedClaims))}`,
        ...[line.differenceWon, line.supposedWon, line.supposedWon - line.differenceWon].map((won) => formatWon(won)),
      ]),
    );
  const parts = [
    table([say.provider], [...byProvider.map((line) => [[line.provider], line] as const), [[say.all], total]]),
    table(
      [say.provider, say.tier],
      byTier.map((line) => [[line.provider, tierText(line.tier, language)], line]),
    ),
  ];
  if (byMerchant.length > 0) {
    const shown = byMerchant.slice(0, merchantsShown);
    parts.push(
      table(
        [say.provider, say.merchant],
        shown.map((line) => [[line.provider, line.merchantId], line]),
      ),
    );
    const others = byMerchant.length - shown.length;
    if (others > 0) parts.push(language === 'ko' ? `외 가맹점 ${others}곳\n` : `and ${others} merchants more\n`);
  }
  return parts.join('\n');
}

/** The same as a JSON document: all merchants for whom it makes a difference. */
export function whatIfToJson({ total, byProvider, byTier, byMerchant }: WhatIf): unknown {
  const figures = (line: WhatIfLine) => ({
    claims: Number(line.claims),
    differenceWon: wonToJson(line.differenceWon),
    supposedClaims: Number(line.supposedClaims),
    supposedWon: wonToJson(line.supposedWon),
    changeWon: wonToJson(line.supposedWon - line.differenceWon),
  });
  return {
    total: figures(total),
    byProvider: byProvider.map((line) => ({ provider: line.provider, ...figures(line) })),
    byTier: byTier.map((line) => ({ provider: line.provider, tier: line.tier, ...figures(line) })),
    byMerchant: byMerchant.map((line) => ({ provider: line.provider, merchantId: line.merchantId, ...figures(line) })),
  };
}
