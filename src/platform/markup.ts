/** HTML that is safe to show: whatever was put into it came through `html`, which escapes. */
export type Markup = { readonly markup: string };

type Insertion = Markup | string | number | null | false | readonly Insertion[];

/** HTML with values put in. Texts are escaped, whoever wrote them; `Markup` is taken as it is; null and false vanish. */
export function html(parts: TemplateStringsArray, ...insertions: readonly Insertion[]): Markup {
  return { markup: parts.reduce((whole, part, i) => whole + toMarkup(insertions[i - 1] ?? null) + part) };
}

/** A text that is ours and already HTML or CSS. */
export function asMarkup(markup: string): Markup {
  return { markup };
}

function toMarkup(insertion: Insertion): string {
  if (insertion === null || insertion === false) return '';
  if (typeof insertion === 'string') return escapeText(insertion);
  if (typeof insertion === 'number') return String(insertion);
  if ('markup' in insertion) return insertion.markup;
  return insertion.map(toMarkup).join('');
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it may stand between tags and inside quoted attributes. Control characters show as `·`. */
function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => escapes[character] ?? character)
    .replace(/(?![\t\n])\p{Cc}/gu, '·');
}
