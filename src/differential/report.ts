import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { tierText } from '../merchants/tier-text.ts';
import { html, type Markup } from '../platform/markup.ts';
import {
  type BarPart,
  bar,
  colourOf,
  countText,
  numberCell,
  reportPage,
  section,
  shareOf,
  signedWonText,
  tile,
  wonText,
} from '../platform/report-parts.ts';
import { type AgedBreaks, bucketAges } from '../reconciliation/report-data.ts';
import { wordOf } from '../reconciliation/words.ts';
import { kindWords, reasonText, statusWords } from './claim-words.ts';
import {
  type ClaimGroup,
  type Counted,
  groupBy,
  isOutstanding,
  type ReportData,
  type Sums,
  sumGroups,
} from './report-data.ts';
import { reportWords } from './report-words.ts';

type Say = (name: keyof typeof reportWords) => string;
const sayIn =
  (language: Language): Say =>
  (name) =>
    reportWords[name][language];

/** 차액정산 보고서. The page of a period; `ageOf` counts business days since a capture. */
export function reportHtml(data: ReportData, ageOf: (on: string) => number, language: Language): string {
  const say = sayIn(language);
  const { groups } = data;
  const provider = (id: string): string => wordOf(data.providerNames, id, language);
  const body = html`${headline(data, say)}
${tiles(sumGroups(groups), say)}
${sumsSection('providers', 'byProvider', groups, (group) => provider(group.provider), say)}${sumsSection(
  'tiers',
  'byTier',
  groups.toSorted((a, b) => a.tier - b.tier),
  (group) => tierText(group.tier, language),
  say,
)}${sumsSection('months', 'byMonth', groups, ({ month }) => month, say)}${sumsSection(
  'kinds',
  'byKind',
  groups,
  ({ kind }) => wordOf(kindWords, kind, language),
  say,
)}${reasonsSection(data, language)}${ageingSection(data, ageOf, language)}${refundsSection(data, language)}`;
  return reportPage(`${data.from} – ${data.to} ${say('title')}`, body, language);
}

function headline({ from, to, madeAt, groups, files }: ReportData, say: Say): Markup {
  const sums = sumGroups(groups);
  const [word, sentence] =
    sums.held.claims > 0n
      ? (['looksFor', 'looksForSentence'] as const)
      : sums.waiting.claims > 0n
        ? (['onTheWay', 'onTheWaySentence'] as const)
        : (['allEnded', 'allEndedSentence'] as const);
  const links = files.map(
    (file, i) => html`${i === 0 ? '' : ' · '}<a href="${file}">${file.split('.').at(-1)?.toUpperCase() ?? ''}</a>`,
  );
  return html`<p class="brand">정산 Jeongsan</p>
<div class="headline"><h1>${say('title')}</h1><span class="brand">${from} – ${to}</span></div>
<div class="verdict ${sums.held.claims > 0n ? 'bad' : 'good'}"><strong>${groups.length === 0 ? '—' : say(word)}</strong>${groups.length === 0 ? say('empty') : say(sentence)}</div>
<div class="meta"><span>${say('period')} <b>${from} – ${to}</b></span><span>${say('made')} <b>${formatSeoulTime(madeAt)}</b></span>${files.length === 0 ? null : html`<span>${say('files')} ${links}</span>`}</div>`;
}

/** The period at a glance. */
function tiles(sums: Sums, say: Say): Markup {
  const of = (name: 'claimed' | 'paid' | 'clawedBack' | 'rejected' | 'held' | 'waiting'): Markup =>
    tile(say(name), wonText(sums[name].won), manyText(sums[name], say));
  return html`<div class="tiles">${of('claimed')}${of('paid')}${of('clawedBack')}${of('rejected')}${of('held')}${of('waiting')}</div>`;
}

function manyText({ claims }: Counted, say: Say): string {
  return `${wonText(claims)} ${say('many')}`;
}

const parts = ['paid', 'clawedBack', 'rejected', 'held', 'waiting'] as const;
const shown = ['claimed', 'accepted', ...parts] as const;
/** As bars show them: what is over in calm colours, what somebody has to look at in strong ones. */
const colours = { paid: 2, clawedBack: 4, rejected: 0, held: 3, waiting: 1 } as const;

/** A row for each key, the whole below; nothing where there is one key alone that says no more than the whole. */
function sumsSection(
  id: string,
  title: 'byProvider' | 'byTier' | 'byMonth' | 'byKind',
  groups: readonly ClaimGroup[],
  keyOf: (group: ClaimGroup) => string,
  say: Say,
): Markup | null {
  const rows = [...groupBy(groups, keyOf)].map(([key, of]) => [key, sumGroups(of)] as const);
  if (rows.length === 0 || (rows.length === 1 && id !== 'providers')) return null;
  const legend =
    id === 'providers' &&
    html`<p class="legend">${parts.map((part) => html`<span><i class="c${colours[part]}"></i>${say(part)}</span> `)}</p>`;
  const cells = (sums: Sums): Markup =>
    html`${shown.map((name) => wonCell(sums[name]))}<td class="${sums.differing.claims === 0n ? 'n q' : 'n'}">${signedWonText(sums.differing.won)}${many(sums.differing)}</td>`;
  const head = html`<tr><th></th><th class="chart"></th>${shown.map((name) => html`<th class="n">${say(name)}</th>`)}<th class="n">${say('differing')}</th></tr>`;
  const body = rows.map(
    ([
      key,
      sums,
    ]) => html`<tr><th scope="row">${key}</th><td class="chart">${bar(shares(sums, say))}</td>${cells(sums)}</tr>
`,
  );
  const total =
    rows.length === 1
      ? null
      : html`<tfoot><tr><th scope="row">${say('total')}</th><td></td>${cells(sumGroups(groups))}</tr></tfoot>`;
  return section(
    id,
    say(title),
    id === 'providers' ? say('sumsNote') : null,
    html`${legend}<div class="wide"><table class="sums"><thead>${head}</thead>
<tbody>${body}</tbody>${total}</table></div>`,
  );
}

/** By their number, since amounts have both signs. */
function shares(sums: Sums, say: Say): readonly BarPart[] {
  return parts.map((part) => ({
    share: shareOf(sums[part].claims, sums.claimed.claims),
    colour: colours[part],
    title: `${say(part)} ${wonText(sums[part].claims)}`,
  }));
}

/** What so many claims come to, their number beside it. */
function wonCell(counted: Counted): Markup {
  return html`<td class="${counted.claims === 0n ? 'n q' : 'n'}">${wonText(counted.won)}${many(counted)}</td>`;
}

function many({ claims }: Counted): Markup | null {
  return claims === 0n ? null : html` <small>${wonText(claims)}</small>`;
}

/** Why claims were rejected or are held back, the most frequent first. */
function reasonsSection({ groups, providerNames }: ReportData, language: Language): Markup | null {
  const say = sayIn(language);
  const reasons = groups.filter(({ reason }) => reason !== null);
  if (reasons.length === 0) return null;
  const rows = [...groupBy(reasons, ({ provider, status, reason }) => [provider, status, reason].join('\n')).values()]
    .map((alike) => ({ first: alike[0] as ClaimGroup, claimed: sumGroups(alike).claimed }))
    .toSorted((a, b) => Number(b.claimed.claims - a.claimed.claims));
  const most = rows[0]?.claimed.claims ?? 0n;
  const body = rows.map(({ first: { provider, status, reason }, claimed }) => {
    const share = { share: shareOf(claimed.claims, most), colour: status === 'rejected' ? 0 : 3, title: '' };
    return html`<tr><th scope="row">${wordOf(providerNames, provider, language)}</th><td>${statusWords[status][language]}</td><td class="reason">${reasonText(reason ?? '', language)}</td><td class="chart">${bar([{ ...share, title: wonText(claimed.claims) }])}</td>${numberCell(wonText(claimed.claims))}${numberCell(wonText(claimed.won))}</tr>
`;
  });
  return section(
    'reasons',
    say('byReason'),
    say('reasonNote'),
    html`<div class="wide"><table><thead><tr><th>${say('provider')}</th><th>${say('status')}</th><th>${say('meaning')}</th><th class="chart"></th><th class="n">${say('claims')}</th><th class="n">${say('claimed')}</th></tr></thead><tbody>${body}</tbody></table></div>`,
  );
}

/** How long what is outstanding has been so, each bar parted by provider. */
function ageingSection(
  { groups, providerNames }: ReportData,
  ageOf: (on: string) => number,
  language: Language,
): Markup | null {
  const say = sayIn(language);
  const outstanding = groups.filter(isOutstanding);
  if (outstanding.length === 0) return null;
  const aged = outstanding.map(
    ({ provider, since, claims, claimedWon }): AgedBreaks => ({
      provider,
      age: ageOf(since ?? ''),
      count: Number(claims),
      differenceWon: claimedWon,
      absoluteWon: claimedWon < 0n ? -claimedWon : claimedWon,
    }),
  );
  const providers = [...new Set(outstanding.map(({ provider }) => provider))];
  const name = (id: string): string => wordOf(providerNames, id, language);
  const buckets = bucketAges(aged);
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const rows = buckets.map(
    ({ label, count, differenceWon, byProvider }) =>
      html`<tr><th scope="row" class="n">${label}</th><td class="chart">${bar(
        providers.map((id, i) => ({
          share: (byProvider[id] ?? 0) / most,
          colour: colourOf(i),
          title: `${name(id)} ${countText(byProvider[id] ?? 0)}`,
        })),
      )}</td>${numberCell(countText(count))}${numberCell(wonText(differenceWon))}</tr>
`,
  );
  const legend = html`<p class="legend">${providers.map((id, i) => html`<span><i class="c${colourOf(i)}"></i>${name(id)}</span> `)}</p>`;
  return section(
    'ageing',
    say('ageing'),
    say('ageingNote'),
    html`${legend}<div class="wide"><table><thead><tr><th class="n">${say('age')}</th><th class="chart"></th><th class="n">${say('claims')}</th><th class="n">${say('claimed')}</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}

/** What merchants got of it, and what they owe. */
function refundsSection({ refunds, providerNames }: ReportData, language: Language): Markup | null {
  const say = sayIn(language);
  if (refunds.length === 0) return null;
  const columns = ['refundWon', 'clawbackWon', 'walletWon', 'heldWon', 'offsetWon', 'carriedWon'] as const;
  const words = ['refund', 'clawback', 'wallet', 'heldWon', 'offset', 'carried'] as const;
  const rows = refunds.map(
    (sums) =>
      html`<tr><th scope="row">${wordOf(providerNames, sums.provider, language)}</th>${numberCell(wonText(sums.bookings))}${columns.map((column) => numberCell(wonText(sums[column])))}</tr>
`,
  );
  return section(
    'refunds',
    say('refunds'),
    say('refundsNote'),
    html`<div class="wide"><table><thead><tr><th>${say('provider')}</th><th class="n">${say('bookings')}</th>${words.map((word) => html`<th class="n">${say(word)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`,
  );
}
