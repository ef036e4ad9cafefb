import type { Language } from '../kernel/problem.ts';
import { html, type Markup } from '../platform/markup.ts';
import {
  bar,
  colourOf,
  countText,
  numberCell,
  section,
  shareOf,
  signedWonText,
  wonText,
} from '../platform/report-parts.ts';
import type { BreakKind } from './outcome.ts';
import { bucketAges, type ReportData } from './report-data.ts';
import { knownWon, sayIn } from './report-say.ts';
import { kindWords, stepName, wordOf } from './words.ts';

type KindSum = { count: number; unresolved: number; differenceWon: bigint };

/** How many of each kind, longest bar first, with what they come to. */
export function kindsSection({ summary }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const kinds = [...sumKinds(summary)].sort(([a, left], [b, right]) => right.count - left.count || a.localeCompare(b));
  const most = Math.max(1, ...kinds.map(([, { count }]) => count));
  const rows = kinds.map(
    ([kind, { count, unresolved, differenceWon }]) =>
      html`<tr><th scope="row">${wordOf(kindWords, kind, language)}</th><td class="chart">${bar([
        { share: unresolved / most, colour: 1, title: `${say('unresolved')} ${countText(unresolved)}` },
        { share: (count - unresolved) / most, colour: 0, title: `${say('resolved')} ${countText(count - unresolved)}` },
      ])}</td>${numberCell(countText(count))}${numberCell(countText(unresolved))}${numberCell(signedWonText(knownWon(kind, differenceWon)))}</tr>
`,
  );
  const total = kinds.reduce((sum, [, each]) => add(sum, each), { count: 0, unresolved: 0, differenceWon: 0n });
  const body =
    kinds.length === 0
      ? html`<p class="none">${say('none')}</p>`
      : html`<p class="legend"><span><i class="c1"></i>${say('unresolved')}</span> <span><i class="c0"></i>${say('resolved')}</span></p><div class="wide"><table><thead><tr><th></th><th class="chart"></th><th class="n">${say('count')}</th><th class="n">${say('unresolved')}</th><th class="n">${say('difference')}</th></tr></thead>
<tbody>${rows}</tbody><tfoot><tr><th scope="row">${say('total')}</th><td></td>${numberCell(countText(total.count))}${numberCell(countText(total.unresolved))}${numberCell(signedWonText(total.differenceWon))}</tr></tfoot></table></div>`;
  return section('kinds', say('byKind'), null, body);
}

/** The kinds of the day over all providers and stages. */
export function sumKinds({ stages }: ReportData['summary']): ReadonlyMap<BreakKind, KindSum> {
  const sums = new Map<BreakKind, KindSum>();
  for (const { breaks } of stages) {
    for (const [name, each] of Object.entries(breaks)) {
      const kind = name as BreakKind;
      sums.set(kind, add(sums.get(kind) ?? { count: 0, unresolved: 0, differenceWon: 0n }, each));
    }
  }
  return sums;
}

function add(left: KindSum, right: Readonly<KindSum>): KindSum {
  return {
    count: left.count + right.count,
    unresolved: left.unresolved + right.unresolved,
    differenceWon: left.differenceWon + right.differenceWon,
  };
}

/** How long everything unresolved has been so, each bar parted by provider. */
export function ageingSection({ ageing, providerNames }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const known = Object.keys(providerNames);
  const providers = [...new Set([...known, ...ageing.map(({ provider }) => provider)])];
  const buckets = bucketAges(ageing);
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const name = (provider: string): string => wordOf(providerNames, provider, language);
  const legend = html`<p class="legend">${providers.map((provider, i) => html`<span><i class="c${colourOf(i)}"></i>${name(provider)}</span> `)}</p>`;
  const rows = buckets.map(
    ({ label, count, differenceWon, absoluteWon, byProvider }) =>
      html`<tr><th scope="row" class="n">${label}</th><td class="chart">${bar(
        providers.map((provider, i) => ({
          share: (byProvider[provider] ?? 0) / most,
          colour: colourOf(i),
          title: `${name(provider)} ${countText(byProvider[provider] ?? 0)}`,
        })),
      )}</td>${numberCell(countText(count))}${numberCell(signedWonText(differenceWon))}${numberCell(wonText(absoluteWon))}</tr>
`,
  );
  return section(
    'ageing',
    say('ageing'),
    say('ageingNote'),
    html`${legend}<div class="wide"><table><thead><tr><th class="n">${say('age')}</th><th class="chart"></th><th class="n">${say('count')}</th><th class="n">${say('difference')}</th><th class="n">${say('absolute')}</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}

/** Where the run's time went. */
export function slowestSection({ slowest }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const most = Math.max(1, ...slowest.map(({ milliseconds }) => milliseconds));
  const rows = slowest.map(
    ({ part, name, milliseconds }) =>
      html`<tr><th scope="row">${stepName(name, language)} <small>${name}</small></th><td>${part}</td><td class="chart">${bar(
        [{ share: shareOf(BigInt(Math.round(milliseconds)), BigInt(Math.round(most))), colour: 2, title: name }],
      )}</td>${numberCell(durationText(milliseconds))}</tr>
`,
  );
  const body =
    slowest.length === 0
      ? html`<p class="none">${say('noSteps')}</p>`
      : html`<div class="wide"><table><thead><tr><th>${say('step')}</th><th>${say('part')}</th><th class="chart"></th><th class="n">${say('time')}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  return section('slowest', say('slowest'), null, body);
}

/** `950` → `950 ms`, `61234` → `1 m 01.2 s`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const tenths = Math.round(milliseconds / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  return `${Math.floor(tenths / 600)} m ${((tenths % 600) / 10).toFixed(1).padStart(4, '0')} s`;
}
