import type { Language } from '../kernel/problem.ts';
import { html, type Markup } from '../platform/markup.ts';
import { section, wonText } from '../platform/report-parts.ts';
import type { DayEquation } from './outcome.ts';
import type { ReportData } from './report-data.ts';
import { type Say, sayIn } from './report-say.ts';
import { wordOf } from './words.ts';

type Line = {
  readonly sign: '' | '=' | '+' | '−';
  readonly word: string;
  readonly won: bigint;
  readonly tone?: 'sum';
};

/** Law 2 as a sum that a person can add up, for each provider. */
export function equationSection({ summary, providerNames }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const cards = summary.equations.map(
    (equation) => html`<div class="card"><h3>${wordOf(providerNames, equation.provider, language)}</h3>
<h4>${say('transactions')}</h4>${transactionSum(equation.transactions, say)}
<h4>${say('settlement')}</h4>${settlementSum(equation.settlement, say)}</div>
`,
  );
  return section('equation', say('equation'), say('equationNote'), html`<div class="cards">${cards}</div>`);
}

function transactionSum(sum: DayEquation['transactions'], say: Say): Markup {
  if (sum === null) return html`<p class="none">${say('noFiles')}</p>`;
  return html`${ledger(
    [
      { sign: '', word: say('stated'), won: sum.statedWon, tone: 'sum' },
      { sign: '=', word: say('captured'), won: sum.capturedWon },
      { sign: '+', word: say('notCaptured'), won: sum.notCapturedWon },
      { sign: '+', word: say('breaks'), won: sum.breaksWon },
      { sign: '+', word: say('timing'), won: sum.timingWon },
    ],
    sum.residualWon,
    say,
  )}
${aside([
  { word: `${say('ourBooks')} · ${say('approved')}`, won: sum.approvedWon },
  { word: `${say('ourBooks')} · ${say('cancelled')}`, won: sum.cancelledWon },
])}`;
}

function settlementSum(sum: DayEquation['settlement'], say: Say): Markup {
  if (sum === null) return html`<p class="none">${say('noFiles')}</p>`;
  return html`${ledger(
    [
      { sign: '', word: say('captured'), won: sum.capturedWon, tone: 'sum' },
      { sign: '=', word: say('net'), won: sum.netWon },
      { sign: '+', word: say('fee'), won: sum.feeWon },
      { sign: '+', word: say('vat'), won: sum.vatWon },
      { sign: '+', word: say('heldWon'), won: sum.heldWon },
      { sign: '−', word: say('breaks'), won: sum.breaksWon },
      { sign: '−', word: say('timing'), won: sum.timingWon },
    ],
    sum.residualWon,
    say,
  )}
${aside([
  { word: `${say('ofNet')} · ${say('deposited')}`, won: sum.depositedWon },
  { word: `${say('ofNet')} · ${say('depositBreaks')}`, won: sum.depositBreaksWon },
  { word: `${say('ofNet')} · ${say('notDue')}`, won: sum.notDueWon },
])}`;
}

/** Amounts that do not belong to the sum, but explain it. */
function aside(lines: readonly { readonly word: string; readonly won: bigint }[]): Markup {
  return html`<table class="ledger aside"><tbody>${lines.map(
    ({ word, won }) =>
      html`<tr><td class="sign"></td><th scope="row">${word}</th><td class="n">${wonText(won)}</td></tr>`,
  )}</tbody></table>`;
}

function ledger(lines: readonly Line[], residualWon: bigint, say: Say): Markup {
  return html`<table class="ledger"><tbody>${lines.map(
    ({ sign, word, won, tone }) =>
      html`<tr${tone === undefined ? null : html` class="${tone}"`}><td class="sign">${sign}</td><th scope="row">${word}</th><td class="${won === 0n ? 'n q' : 'n'}">${wonText(won)}</td></tr>`,
  )}
<tr class="${residualWon === 0n ? 'residual good' : 'residual bad'}"><td class="sign">${residualWon === 0n ? '✓' : '!'}</td><th scope="row">${say('residual')}</th><td class="n">${wonText(residualWon)}</td></tr></tbody></table>`;
}
