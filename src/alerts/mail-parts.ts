import type { Language } from '../kernel/problem.ts';
import { html, type Markup } from '../platform/markup.ts';

/** What is said to a person, in every form that a channel may need. */
export type Message = { readonly subject: string; readonly text: string; readonly html: string };

export type Tone = 'urgent' | 'warning' | 'good' | 'calm';

const colours: Readonly<Record<Tone, { readonly bar: string; readonly page: string; readonly ink: string }>> = {
  urgent: { bar: '#c0341d', page: '#fdece8', ink: '#a02c18' },
  warning: { bar: '#c98a1b', page: '#fdf4e1', ink: '#8a5b06' },
  good: { bar: '#1d7a4f', page: '#e6f4ec', ink: '#17633f' },
  calm: { bar: '#3f6fc4', page: '#eaf0fb', ink: '#2a4f94' },
};

const font =
  "font-family:Pretendard,'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR','Noto Sans CJK KR',system-ui,sans-serif";
const cell = 'padding:6px 8px;font-size:13px;line-height:1.45;vertical-align:top';

/**
 * A mail: tables and inline styles alone, since that is what mail programs show alike; no picture and nothing from
 * outside. It is read on a telephone too.
 */
export function mailPage(
  head: { readonly title: string; readonly tag: string; readonly lead: string; readonly tone: Tone },
  body: readonly (Markup | null)[],
  language: Language,
): string {
  const { bar, page, ink } = colours[head.tone];
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light"><title>${head.title}</title></head>
<body style="margin:0;padding:0;background:#f3f5f8;color:#1d2430;${font}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f5f8"><tr><td align="center" style="padding:20px 10px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:680px;background:#ffffff;border:1px solid #e3e7ec;border-top:4px solid ${bar};border-radius:8px">
<tr><td style="padding:20px 24px 6px;${font}">
<span style="display:inline-block;background:${page};color:${ink};border-radius:4px;padding:2px 8px;font-size:12px;font-weight:600">${head.tag}</span>
<h1 style="margin:10px 0 4px;font-size:20px;line-height:1.35;font-weight:700">${head.title}</h1>
<p style="margin:0 0 8px;font-size:14px;line-height:1.5;color:#5d6878">${head.lead}</p>
</td></tr>
${body.filter((each) => each !== null).map((each) => html`<tr><td style="padding:4px 24px;${font}">${each}</td></tr>\n`)}
<tr><td style="padding:12px 24px 18px;border-top:1px solid #e3e7ec;font-size:12px;color:#8a94a3;${font}">${footer[language]}</td></tr>
</table></td></tr></table></body></html>
`.markup;
}

const footer = {
  ko: '정산(Jeongsan)이 자동으로 보낸 메일입니다. 알림 규칙: jeongsan alerts rules list',
  en: 'Sent by Jeongsan by itself. Who is told of what: jeongsan alerts rules list',
} as const;

export function heading(text: string): Markup {
  return html`<h2 style="margin:14px 0 2px;font-size:14px;font-weight:650">${text}</h2>`;
}

export type MailColumn = { readonly title: string; readonly right?: true };

/** A table whose numbers are aligned right; the first column may break its lines. */
export function mailTable(columns: readonly MailColumn[], rows: readonly (readonly (string | Markup)[])[]): Markup {
  const align = (n: number) => (columns[n]?.right ? 'text-align:right;white-space:nowrap' : 'text-align:left');
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;font-variant-numeric:tabular-nums">
<tr>${columns.map(({ title }, n) => html`<th style="${cell};${align(n)};color:#5d6878;font-size:12px;font-weight:600;border-bottom:1px solid #d5dbe3">${title}</th>`)}</tr>
${rows.map((row) => html`<tr>${row.map((value, n) => html`<td style="${cell};${align(n)};border-bottom:1px solid #eef1f5;overflow-wrap:anywhere">${value}</td>`)}</tr>\n`)}</table>`;
}

/** Names and what they are, one below the other. */
export function facts(rows: readonly (readonly [string, string])[]): Markup {
  return html`<table role="presentation" cellpadding="0" cellspacing="0" style="border-collapse:collapse">${rows.map(
    ([name, value]) =>
      html`<tr><td style="padding:3px 16px 3px 0;font-size:13px;color:#5d6878;white-space:nowrap;vertical-align:top">${name}</td><td style="padding:3px 0;font-size:13px;overflow-wrap:anywhere">${value}</td></tr>\n`,
  )}</table>`;
}

/** Numbers at a glance, two beside each other so that a telephone shows them too. */
export function tiles(
  all: readonly { readonly title: string; readonly value: string; readonly below: string }[],
): Markup {
  const pairs = all.flatMap((each, n) => (n % 2 === 0 ? [[each, all[n + 1]]] : []));
  return html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:separate;border-spacing:0 6px">${pairs.map(
    (pair) =>
      html`<tr>${pair.map((each) =>
        each === undefined
          ? html`<td width="50%"></td>`
          : html`<td width="50%" style="padding:8px 12px;border:1px solid #e3e7ec;background:#fafbfc"><span style="display:block;font-size:12px;color:#5d6878">${each.title}</span><b style="font-size:18px;font-weight:650;white-space:nowrap">${each.value}</b><span style="display:block;font-size:12px;color:#8a94a3">${each.below}</span></td>`,
      )}</tr>\n`,
  )}</table>`;
}

export function note(text: string): Markup {
  return html`<p style="margin:4px 0;font-size:13px;line-height:1.5">${text}</p>`;
}

/** What somebody has to look at. */
export function mark(text: string): Markup {
  return html`<b style="font-weight:600;color:#a02c18">${text}</b>`;
}

/** A command to copy. */
export function command(text: string): Markup {
  return html`<code style="display:inline-block;background:#f3f5f8;border:1px solid #e3e7ec;border-radius:4px;padding:3px 8px;margin:2px 6px 2px 0;font:12px ui-monospace,Consolas,monospace">${text}</code>`;
}

/** Text as a subject: one line, not longer than mail programs show. */
export function subjectLine(text: string): string {
  const line = [...text.replace(/[\p{Cc}\s]+/gu, ' ').trim()];
  return line.length > 150 ? `${line.slice(0, 149).join('')}…` : line.join('');
}
