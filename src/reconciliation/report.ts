import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { html, type Markup } from '../platform/markup.ts';
import { countText, numberCell, reportPage, section, signedWonText, tile } from '../platform/report-parts.ts';
import { tidText } from './break-rows.ts';
import { ageingSection, durationText, kindsSection, slowestSection, sumKinds } from './report-charts.ts';
import type { ReportData } from './report-data.ts';
import { equationSection } from './report-equation.ts';
import { sayIn } from './report-say.ts';
import { stagesSection } from './report-stages.ts';
import { columnWords, kindWords, outcomeWords, stageWords, stateWords, wordOf } from './words.ts';

/** 대사 보고서. The page of a run. */
export function reportHtml(data: ReportData, language: Language): string {
  const say = sayIn(language);
  const body = html`${headline(data, language)}
${tiles(data, language)}
${stagesSection(data, language)}${equationSection(data, language)}${kindsSection(data, language)}${ageingSection(data, language)}${largestSection(data, language)}${slowestSection(data, language)}`;
  return reportPage(`${data.run.on} ${say('title')}`, body, language);
}

function headline({ run, summary, files }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const complete = summary.outcome === 'complete';
  const weekday = Temporal.PlainDate.from(run.on).toLocaleString(language, { weekday: 'long' });
  const took =
    run.finishedAt === null
      ? '—'
      : durationText(Temporal.Instant.from(run.finishedAt).since(run.startedAt).total('milliseconds'));
  const sheets = files.sheets > 1 ? ` (${files.sheets} ${say('sheets')})` : '';
  return html`<p class="brand">정산 Jeongsan</p>
<div class="headline"><h1>${run.on} ${say('title')}</h1><span class="brand">${weekday}</span></div>
<div class="verdict ${complete ? 'good' : 'bad'}"><strong>${outcomeWords[summary.outcome][language]}</strong>${complete ? say('completeSentence') : say('incompleteSentence')}
${summary.reasons.length === 0 ? null : html`<ul>${summary.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}</div>
<div class="meta"><span>${say('run')} <b>${run.runId}</b></span><span>${say('by')} <b>${run.startedBy}</b></span><span>${say('started')} <b>${formatSeoulTime(run.startedAt)}</b></span><span>${say('took')} <b>${took}</b></span><span>${say('files')} <a href="${files.csv}">CSV</a> · <a href="${files.xlsx}">XLSX</a>${sheets} · ${countText(files.rows)}${say('rows')}</span></div>`;
}

/** The day at a glance. */
function tiles({ summary }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const sum = (of: 'lines' | 'matched' | 'timing' | 'awaiting'): number =>
    summary.stages.reduce((total, stage) => total + (stage.stage === 'deposit' ? 0 : stage[of]), 0);
  const kinds = [...sumKinds(summary).values()];
  const count = kinds.reduce((total, each) => total + each.count, 0);
  const unresolved = kinds.reduce((total, each) => total + each.unresolved, 0);
  const difference = kinds.reduce((total, each) => total + each.differenceWon, 0n);
  const lines = sum('lines');
  const share = lines === 0 ? '' : `${shareText(sum('matched'), lines)} %`;
  return html`<div class="tiles">${tile(say('lines'), countText(lines), '')}${tile(say('matched'), countText(sum('matched')), share)}${tile(say('timing'), countText(sum('timing')), sum('awaiting') === 0 ? '' : `${say('awaiting')} ${countText(sum('awaiting'))}`)}${tile(say('breaks'), countText(count), `${say('unresolved')} ${countText(unresolved)}`)}${tile(say('netDifference'), signedWonText(difference), '')}</div>`;
}

/** Rounded down: 100 % is said only of all. */
function shareText(part: number, whole: number): string {
  return (Math.floor((part / whole) * 100_000) / 1000).toFixed(3).replace(/\.?0+$/, '');
}

function largestSection({ largest }: ReportData, language: Language): Markup {
  const say = sayIn(language);
  const title = (name: keyof typeof columnWords): string => columnWords[name][language];
  const rows = largest.map(
    ({ found, age }) =>
      html`<tr>${numberCell(String(found.id))}<td>${found.provider}</td><td>${wordOf(stageWords, found.stage, language)}</td><td>${wordOf(kindWords, found.kind, language)}</td><td class="tid" title="${tidText(found)}">${tidText(found)}</td><td class="file" title="${found.file ?? ''}">${found.file ?? '—'}</td>${numberCell(found.line === null ? '' : String(found.line))}${numberCell(signedWonText(found.differenceWon))}<td>${wordOf(stateWords, found.state, language)}</td><td class="who">${found.assignedTo ?? ''}</td>${numberCell(String(age))}</tr>
`,
  );
  const head = html`<tr><th class="n">${title('id')}</th><th>${title('provider')}</th><th>${title('stage')}</th><th>${title('kind')}</th><th>${title('providerTid')}</th><th>${title('file')}</th><th class="n">${title('line')}</th><th class="n">${say('difference')}</th><th>${title('state')}</th><th>${title('assignedTo')}</th><th class="n">${title('age')}</th></tr>`;
  const body =
    largest.length === 0
      ? html`<p class="none">${say('none')}</p>`
      : html`<div class="wide"><table><thead>${head}</thead><tbody>${rows}</tbody></table></div>`;
  return section('largest', say('largest'), null, body);
}
