import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { html } from '../platform/markup.ts';
import type { AlertContent, TestContent, TopFinding } from './content.ts';
import { detailText } from './detail-words.ts';
import { kindCommand, kindTitle, severityWords } from './finding-words.ts';
import {
  command,
  facts,
  heading,
  type Message,
  mailPage,
  mailTable,
  note,
  subjectLine,
  type Tone,
} from './mail-parts.ts';

/** What an alert says to people: what it is about first, then how much of it, then what to do. */
export function alertMessage(content: AlertContent, language: Language): Message {
  const say = sayIn(language);
  const tag = tagOf(content, language);
  const matter = matterOf(content, language);
  const lead = leadOf(content, language);
  const title = content.word === 'all_clear' ? `${matter} ${say('해제', 'is over')}` : matter;
  const known = facts([
    [say('알림', 'Alert'), `#${content.alert}`],
    [say('처음', 'Since'), formatSeoulTime(content.openedAt)],
    [say('건수', 'Findings'), countText(content, language)],
    [say('규칙', 'Rule'), content.rule],
    ...(content.acknowledgedBy === null ? [] : [[say('확인', 'Acknowledged'), content.acknowledgedBy] as const]),
  ]);
  const kinds = content.kinds.length < 2 ? [] : [heading(say('종류', 'Kinds')), kindTable(content, language)];
  const over = content.word === 'all_clear';
  const shown = over ? content.top.slice(0, 3) : content.top;
  const body = [
    known,
    ...kinds,
    heading(say('내용', 'What was found')),
    topTable(shown, language),
    restOf(content, shown, language),
    over ? null : commandsOf(content, language),
  ];
  const page = { title, tag, lead, tone: toneOf(content) };
  return {
    subject: subjectLine(`[${tag}] ${title}${subjectCount(content, language)}`),
    text: textOf(content, { title, tag, lead }, language),
    html: mailPage(page, body, language),
  };
}

/** 시험 발송. */
export function testMessage({ at, by, channel }: TestContent, language: Language): Message {
  const say = sayIn(language);
  const title = say(`알림 시험: ${channel}`, `Test of alerts: ${channel}`);
  const lead = say(
    '이 메시지를 받았다면 이 채널로 알림이 옵니다.',
    'You read this, so alerts reach you by this channel.',
  );
  const tag = say('시험', 'Test');
  const by_ = facts([
    [say('요청', 'Asked by'), by],
    [say('시각', 'At'), formatSeoulTime(at)],
  ]);
  return {
    subject: subjectLine(`[${tag}] ${title}`),
    text: `${title}\n\n${lead}\n${by}, ${formatSeoulTime(at)}\n`,
    html: mailPage({ title, tag, lead, tone: 'calm' }, [by_], language),
  };
}

export function sayIn(language: Language): (ko: string, en: string) => string {
  return (ko, en) => (language === 'ko' ? ko : en);
}

function toneOf({ word, severity }: AlertContent): Tone {
  if (word === 'all_clear') return 'good';
  return severity === 'notice' ? 'calm' : severity;
}

function tagOf({ word, severity }: AlertContent, language: Language): string {
  const say = sayIn(language);
  const urgency = severityWords[severity][language];
  if (word === 'all_clear') return say('해제', 'All clear');
  if (word === 'repeat') return say(`${urgency} · 재알림`, `${urgency}, again`);
  if (word === 'escalation') return say(`${urgency} · 미확인`, `${urgency}, unacknowledged`);
  return urgency;
}

/** `은행 연결 차단: bank:json-van`, `지급 거절`, or how many kinds there are. */
function matterOf({ kinds, top, findings }: AlertContent, language: Language): string {
  const [first, second] = kinds;
  if (first === undefined) return sayIn(language)('알림', 'Alert');
  const title = kindTitle(first.kind, language);
  if (second !== undefined) {
    const others = kinds.length - 1;
    return sayIn(language)(`${title} 외 ${others}종`, `${title} and ${others} more ${others === 1 ? 'kind' : 'kinds'}`);
  }
  return findings === 1 && top[0] !== undefined ? `${title}: ${top[0].subject}` : title;
}

function subjectCount({ findings, fresh, word, open }: AlertContent, language: Language): string {
  const say = sayIn(language);
  if (findings === 1 || word === 'all_clear') return '';
  const all = say(` ${findings}건`, `: ${findings} findings`);
  if (word === 'update') return all + say(` (신규 ${fresh}건)`, ` (${fresh} new)`);
  return word === 'first' ? all : all + say(` (미종결 ${open}건)`, ` (${open} open)`);
}

function countText({ findings, open, fresh, word }: AlertContent, language: Language): string {
  const say = sayIn(language);
  const base = say(`모두 ${findings}건, 미종결 ${open}건`, `${findings} in all, ${open} open`);
  return word === 'update' ? base + say(`, 신규 ${fresh}건`, `, ${fresh} new`) : base;
}

function leadOf(content: AlertContent, language: Language): string {
  const say = sayIn(language);
  const since = minutesText(content, language);
  switch (content.word) {
    case 'first':
      return say('확인이 필요합니다.', 'This needs a look.');
    case 'update':
      return say(`새로 ${content.fresh}건이 더 발견되었습니다.`, `${content.fresh} more were found.`);
    case 'repeat':
      return say(`${since} 동안 아무도 확인하지 않았습니다.`, `Nobody has acknowledged this for ${since}.`);
    case 'escalation':
      return say(
        `담당자가 ${since} 동안 확인하지 않아 추가로 알립니다.`,
        `Nobody in charge has acknowledged this for ${since}, so you are told as well.`,
      );
    case 'all_clear':
      return say(`${since} 만에 모두 종결되었습니다.`, `All of it is over after ${since}.`);
  }
}

function minutesText({ openedAt, at }: AlertContent, language: Language): string {
  const minutes = Math.max(1, Math.round((Date.parse(at) - Date.parse(openedAt)) / 60_000));
  const say = sayIn(language);
  if (minutes < 120) return say(`${minutes}분`, minutes === 1 ? '1 minute' : `${minutes} minutes`);
  const hours = Math.round(minutes / 60);
  return hours < 48
    ? say(`${hours}시간`, `${hours} hours`)
    : say(`${Math.round(hours / 24)}일`, `${Math.round(hours / 24)} days`);
}

function kindTable({ kinds }: AlertContent, language: Language) {
  const say = sayIn(language);
  return mailTable(
    [{ title: say('종류', 'Kind') }, { title: say('건수', 'Findings'), right: true }],
    kinds.map(({ kind, findings }) => [kindTitle(kind, language), String(findings)]),
  );
}

function topTable(top: readonly TopFinding[], language: Language) {
  const say = sayIn(language);
  return mailTable(
    [{ title: say('대상', 'About') }, { title: say('내용', 'Detail') }, { title: say('발생', 'Since'), right: true }],
    top.map((found) => [
      html`<b style="font-weight:600">${found.subject}</b><br><span style="font-size:12px;color:#8a94a3">${kindTitle(found.kind, language)}${found.times > 1 ? ` ×${found.times}` : ''}</span>`,
      html`${found.detail.map((each) => detailText(each, language)).map(([name, value]) => html`<span style="color:#8a94a3">${name}</span> ${value}<br>`)}`,
      formatSeoulTime(found.openedAt).slice(5, 16),
    ]),
  );
}

function restOf({ findings }: AlertContent, shown: readonly TopFinding[], language: Language) {
  const rest = findings - shown.length;
  return rest > 0 ? note(restText(rest, language)) : null;
}

function restText(rest: number, language: Language): string {
  return sayIn(language)(`그 밖에 ${rest}건이 더 있습니다.`, `There are ${rest} more.`);
}

function commandsOf(content: AlertContent, language: Language) {
  return html`${heading(sayIn(language)('다음에 할 일', 'What to do'))}${commandLines(content).map(command)}`;
}

function commandLines({ alert, kinds }: AlertContent): readonly string[] {
  const see = kinds[0] === undefined ? [] : [kindCommand(kinds[0].kind)];
  return [...see, `jeongsan alerts show ${alert}`, `jeongsan alerts ack ${alert}`];
}

function textOf(
  content: AlertContent,
  { title, tag, lead }: { readonly title: string; readonly tag: string; readonly lead: string },
  language: Language,
): string {
  const found = content.top.flatMap((each) => [
    `- ${each.subject}  (${kindTitle(each.kind, language)}, ${formatSeoulTime(each.openedAt)})`,
    ...(each.detail.length > 0
      ? [`  ${each.detail.map((part) => detailText(part, language).join(' ')).join(' · ')}`]
      : []),
  ]);
  const rest = content.findings - content.top.length;
  return [
    `[${tag}] ${title}`,
    lead,
    '',
    `#${content.alert}  ${countText(content, language)}`,
    '',
    ...found,
    ...(rest > 0 ? [restText(rest, language)] : []),
    '',
    ...(content.word === 'all_clear' ? [] : commandLines(content).map((line) => `  ${line}`)),
    '',
  ].join('\n');
}
