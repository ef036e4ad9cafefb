import { faultText } from '../kernel/field-fault.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import type { Break, BreakDetail, BreakTotals } from './break-store.ts';
import {
  actionWords,
  columnWords,
  fieldWords,
  kindWords,
  resolutionsByHand,
  resolutionWords,
  stageWords,
  stateWords,
  wordOf,
} from './words.ts';

/** Counts the business days of an age. */
export type AgeOf = (on: string) => number;

/** A break as `--json` gives it; the names of the difference itself are those in which a planted truth is written. */
export function breakToJson(found: Break, ageOf: AgeOf): Record<string, unknown> {
  return {
    id: found.id,
    provider: found.provider,
    stage: found.stage,
    on: found.on,
    kind: found.kind,
    providerTid: found.providerTid,
    cancelSeq: found.cancelSeq,
    line: found.line,
    file: found.file,
    differenceWon: found.differenceWon === null ? null : wonToJson(found.differenceWon),
    state: found.state,
    resolution: found.resolution,
    assignedTo: found.assignedTo,
    openedAt: found.openedAt,
    escalatedAt: found.escalatedAt,
    goneAt: found.goneAt,
    ageBusinessDays: ageOf(found.on),
    pass: found.pass,
    ours: found.ours,
    theirs: found.theirs,
  };
}

/** One break with its statement and trail, as `--json` gives it. */
export function breakDetailToJson(found: BreakDetail, ageOf: AgeOf): Record<string, unknown> {
  const { identity, oursOn, openedRun, resolvedAt, statement, events } = found;
  return { ...breakToJson(found, ageOf), identity, oursOn, openedRun, resolvedAt, statement, events };
}

/** `1234n` → `+1,234`: a difference always shows which way it points. */
export function formatDifference(won: bigint | null): string {
  if (won === null) return '?';
  return won > 0n ? `+${formatWon(won)}` : formatWon(won);
}

/** The columns of a list for people. */
export function listColumns(language: Language): readonly Column[] {
  const column = (name: keyof typeof columnWords, align: 'left' | 'right' = 'left'): Column => ({
    title: columnWords[name][language],
    align,
  });
  return [
    column('id', 'right'),
    column('on'),
    column('provider'),
    column('stage'),
    column('kind'),
    column('providerTid'),
    column('line', 'right'),
    column('differenceWon', 'right'),
    column('state'),
    column('assignedTo'),
    column('age', 'right'),
  ];
}

/** A break as a row of `listColumns`; an escalated age is marked. */
export function listRow(found: Break, ageOf: AgeOf, language: Language): readonly string[] {
  return [
    String(found.id),
    found.on,
    found.provider,
    wordOf(stageWords, found.stage, language),
    wordOf(kindWords, found.kind, language),
    tidText(found),
    found.line === null ? '' : String(found.line),
    formatDifference(found.differenceWon),
    stateText(found, language),
    found.assignedTo ?? '',
    `${found.escalatedAt === null ? '' : '! '}${ageOf(found.on)}`,
  ];
}

/** The last line below a list: how many of how many, and what they come to. */
export function totalLine(shown: number, totals: BreakTotals, language: Language): string {
  const count = formatCount(totals.count);
  const difference = formatDifference(totals.differenceWon);
  const absolute = formatWon(totals.absoluteWon);
  return language === 'ko'
    ? `${shown < totals.count ? `전체 ${count}건 중 ${formatCount(shown)}건` : `${count}건`} · 차액 합계 ${difference}원 · 절대값 합계 ${absolute}원`
    : `${shown < totals.count ? `${formatCount(shown)} of ${count}` : count} ${totals.count === 1 ? 'break' : 'breaks'} · total difference ${difference} won · in absolute terms ${absolute} won`;
}

/** One break for a person: what, ours beside theirs, where it stands, and its trail. */
export function detailSections(
  found: BreakDetail,
  ageOf: AgeOf,
  language: Language,
): { readonly facts: readonly (readonly [string, string])[]; readonly sides: string[][]; readonly trail: string[][] } {
  const say = (name: keyof typeof columnWords): string => columnWords[name][language];
  const { statement } = found;
  const facts: (readonly [string, string])[] = [
    [say('id'), String(found.id)],
    [say('kind'), `${wordOf(kindWords, found.kind, language)} (${found.kind})`],
    [say('provider'), `${found.provider} · ${wordOf(stageWords, found.stage, language)} · ${found.on}`],
    [say('providerTid'), tidText(found)],
    [say('differenceWon'), formatDifference(found.differenceWon)],
    [say('state'), stateText(found, language)],
    [say('assignedTo'), found.assignedTo ?? '—'],
    [say('age'), language === 'ko' ? `${ageOf(found.on)}영업일` : `${ageOf(found.on)} business days`],
    [say('openedAt'), `${formatSeoulTime(found.openedAt)} · ${found.openedRun}`],
    [say('escalatedAt'), found.escalatedAt === null ? '—' : formatSeoulTime(found.escalatedAt)],
    [say('pass'), found.pass ?? '—'],
  ];
  if (statement !== null) {
    facts.push(
      [say('file'), `${statement.file} (v${statement.version})`],
      [say('line'), found.line === null ? '—' : String(found.line)],
      ['sha256', statement.sha256],
    );
  }
  return { facts, sides: sideBySide(found, language), trail: trailRows(found, language) };
}

/** Characters of a line's bytes, in hexadecimal, that a table shows. */
const rawMost = 48;

function sideBySide({ ours, theirs }: BreakDetail, language: Language): string[][] {
  const fields = [...new Set([...Object.keys(ours ?? {}), ...Object.keys(theirs ?? {})])];
  const known = Object.keys(fieldWords);
  const place = (field: string): number => (known.includes(field) ? known.indexOf(field) : known.length);
  return fields
    .sort((a, b) => place(a) - place(b))
    .map((field) => {
      const [left, right] = [ours, theirs].map((record) => valueText(field, record?.[field], language));
      const both = ours !== null && theirs !== null && field in ours && field in theirs;
      return [wordOf(fieldWords, field, language), left ?? '', right ?? '', both && left !== right ? '≠' : ''];
    })
    .filter(([, left, right]) => left !== '' || right !== '');
}

/** A value of a kept record for people: amounts with separators, faults in words. */
function valueText(field: string, value: unknown, language: Language): string {
  if (value === null || value === undefined) return '';
  if (field === 'problem') return faultText(String(value), language);
  if (field === 'raw') return cutText(String(value));
  if (field.endsWith('Won')) return formatWon(BigInt(String(value)));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The bytes of a line are as wide as the line; whoever wants them all has them as JSON. */
function cutText(text: string): string {
  return text.length <= rawMost ? text : `${text.slice(0, rawMost)}…`;
}

function trailRows({ events }: BreakDetail, language: Language): string[][] {
  return events.map((event) => [
    formatSeoulTime(event.at),
    event.who,
    wordOf(actionWords, event.action, language),
    event.fromState === event.toState || event.fromState === null
      ? wordOf(stateWords, event.toState, language)
      : `${wordOf(stateWords, event.fromState, language)} → ${wordOf(stateWords, event.toState, language)}`,
    event.note ?? '',
  ]);
}

/** The TID with its cancel sequence where it is a cancel's. */
export function tidText({ providerTid, cancelSeq }: Pick<Break, 'providerTid' | 'cancelSeq'>): string {
  if (providerTid === null) return '—';
  return cancelSeq === null || cancelSeq === 0 ? providerTid : `${providerTid} /${cancelSeq}`;
}

/** A resolution by hand says nothing of whether the difference still exists: a loss that came in after all is gone as well. */
function stateText({ state, resolution, goneAt }: Break, language: Language): string {
  const words = [wordOf(stateWords, state, language)];
  if (resolution !== null) words.push(wordOf(resolutionWords, resolution, language));
  if (goneAt !== null && resolutionsByHand.some((byHand) => byHand === resolution)) {
    words.push(actionWords.gone[language]);
  }
  return words.join(' · ');
}
