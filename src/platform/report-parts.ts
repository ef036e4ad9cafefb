import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { asMarkup, html, type Markup } from './markup.ts';
import { reportStyle } from './report-style.ts';

/**
 * A report: one page that needs nothing else, no script, no font, no picture from anywhere. Everything that came from
 * outside is escaped.
 */
export function reportPage(title: string, body: Markup, language: Language): string {
  const page = html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${asMarkup(reportStyle)}</style>
</head>
<body>
<main>
${body}</main>
</body>
</html>
`;
  return page.markup;
}

/** A number at a glance, with what is said below it. */
export function tile(title: string, value: string, below: string): Markup {
  return html`<div class="tile"><span>${title}</span><b>${value}</b><i>${below}</i></div>`;
}

/** `-1234567n` → `−1,234,567`, with a true minus sign. */
export function wonText(won: bigint): string {
  return formatWon(won).replace('-', '−');
}

/** The same, with a plus sign where it is positive: for what is a difference. */
export function signedWonText(won: bigint | null): string {
  if (won === null) return '?';
  return won > 0n ? `+${wonText(won)}` : wonText(won);
}

export function countText(count: number): string {
  return formatWon(BigInt(count));
}

/** A cell of digits; zeros step back so that what differs is seen. */
export function numberCell(text: string, quiet = text === '0'): Markup {
  return html`<td class="${quiet ? 'n q' : 'n'}">${text}</td>`;
}

export function section(id: string, title: string, note: string | null, body: Markup): Markup {
  return html`<section id="${id}"><h2>${title}</h2>${note === null ? null : html`<p class="note">${note}</p>`}${body}</section>
`;
}

/** A share of a bar, in parts of 1; the colour is the number of a custom property of the style. */
export type BarPart = { readonly share: number; readonly colour: number; readonly title: string };

/** A horizontal bar that fills its cell, parts side by side. Text never stands inside, so it may be stretched. */
export function bar(parts: readonly BarPart[]): Markup {
  let from = 0;
  const shown = parts.filter(({ share }) => share > 0);
  const rects = shown.map(({ share, colour, title }) => {
    // A part that exists is seen, however small.
    const width = Math.max(share * 1000, 4);
    const rect = html`<rect x="${from.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10" class="c${colour}"><title>${title}</title></rect>`;
    from += width;
    return rect;
  });
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img">${rects}</svg>`;
}

/** One of six colours for a row of parts, then again from the first. */
export function colourOf(index: number): number {
  return (index % 6) + 1;
}

/** A share for a bar: exact enough for pixels, whatever the size of the amounts. */
export function shareOf(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 100_000n) / whole) / 100_000;
}
