import type { Language } from '../kernel/problem.ts';
import { html, type Markup } from '../platform/markup.ts';
import { countText, numberCell, section, signedWonText, wonText } from '../platform/report-parts.ts';
import type { BreakKind, BreakSum, StageSummary } from './outcome.ts';
import type { ReportData } from './report-data.ts';
import { knownWon, sayIn } from './report-say.ts';
import { kindWords, stageStateWords, stageWords, wordOf } from './words.ts';

/** Ours beside theirs for each provider and stage, and below each what differs. */
export function stagesSection({ summary, providerNames }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const head = [say('ours'), say('oursWon'), say('theirs'), say('theirsWon'), say('difference'), say('matched')];
  const tail = [say('timing'), say('awaiting'), say('held'), say('breaks')];
  const providers = [...new Set(summary.stages.map((stage) => stage.provider))];
  const bodies = providers.map((provider) => {
    const stages = summary.stages.filter((stage) => stage.provider === provider);
    return html`<tbody><tr class="group"><th colspan="12" scope="rowgroup">${wordOf(providerNames, provider, language)} <small>${provider}</small></th></tr>
${stages.map((stage) => stageRows(stage, language))}</tbody>`;
  });
  return section(
    'stages',
    say('stages'),
    say('won'),
    html`<div class="wide"><table class="stages">
<thead><tr><th>${say('stage')}</th><th>${say('state')}</th>${[...head, ...tail].map((title) => html`<th class="n">${title}</th>`)}</tr></thead>
${bodies}
</table></div>`,
  );
}

function stageRows(stage: StageSummary, language: Language): Markup {
  const kinds = Object.entries(stage.breaks) as [BreakKind, BreakSum][];
  const count = kinds.reduce((sum, [, each]) => sum + each.count, 0);
  const good = stage.state === 'reconciled';
  // A deposit is not due on most days: that is no fault of the day.
  const tone = good ? 'good' : stage.stage === 'deposit' ? 'calm' : 'bad';
  // What was never looked at is unknown, not nothing.
  const compared = (text: string) => numberCell(stage.reconciledAt === null ? '–' : text);
  return html`<tr><th scope="row">${wordOf(stageWords, stage.stage, language)}</th><td><span class="state ${tone}">${wordOf(stageStateWords, stage.state, language)}</span></td>${compared(countText(stage.ours))}${compared(wonText(stage.oursWon))}${compared(countText(stage.lines))}${compared(wonText(stage.linesWon))}${compared(signedWonText(stage.linesWon - stage.oursWon))}${compared(countText(stage.matched))}${compared(countText(stage.timing))}${numberCell(countText(stage.awaiting))}${numberCell(countText(stage.held))}${numberCell(countText(count))}</tr>
${kinds.length === 0 ? null : html`<tr class="kinds"><td colspan="12">${kinds.map(([kind, sum]) => kindChip(kind, sum, language))}</td></tr>`}`;
}

function kindChip(kind: BreakKind, { count, unresolved, differenceWon }: BreakSum, language: Language): Markup {
  const say = sayIn(language);
  const stand = unresolved === 0 ? say('allResolved') : `${say('unresolved').toLowerCase()} ${countText(unresolved)}`;
  const left = unresolved === count ? null : html` <i>${stand}</i>`;
  return html`<span class="chip"><b>${wordOf(kindWords, kind, language)}</b> ${countText(count)}${left} <span class="won">${signedWonText(knownWon(kind, differenceWon))}</span></span> `;
}
