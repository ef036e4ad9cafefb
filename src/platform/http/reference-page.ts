import { createHash } from 'node:crypto';
import type { Language } from '../../kernel/problem.ts';
import { asMarkup, html, type Markup } from '../markup.ts';
import { reportStyle } from '../report-style.ts';

type Schema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
};
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly 'x-summary-ko': string;
  readonly 'x-permission': string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};
type Document = {
  readonly info: { readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

const words = {
  ko: {
    title: '정산 API',
    lead: '원은 정수, 날짜는 서울 기준, 시각은 오프셋과 함께 씁니다. GET이 아닌 요청은 행위이며 Idempotency-Key가 필요합니다.',
    document: 'OpenAPI 3.1 문서',
    permission: '권한',
    parameters: '매개변수',
    body: '본문',
    answers: '응답',
    required: '필수',
  },
  en: {
    title: 'Jeongsan API',
    lead: 'Won are integers, days are those of Seoul, moments have an offset. Whatever is not a GET is an act and takes an Idempotency-Key.',
    document: 'OpenAPI 3.1 document',
    permission: 'Permission',
    parameters: 'Parameters',
    body: 'Body',
    answers: 'Answers',
    required: 'required',
  },
} as const satisfies Record<Language, Record<string, string>>;

const style = `${reportStyle}
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 16px 0 24px; }
section { padding-bottom: 8px; } section h2 { margin-bottom: 10px; }
details { border-top: 1px solid var(--line); padding: 8px 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
summary code { font-weight: 600; } .method { display: inline-block; min-width: 58px; font-weight: 700; font-size: 12px; color: var(--link); }
.method.act { color: var(--bad); } code { font: 12.5px/1.5 ui-monospace, "D2Coding", monospace; }
td { white-space: normal; overflow-wrap: anywhere; } td:first-child { width: 26%; }`;

/** Nothing runs on the page and nothing is loaded: its one style sheet is named by its hash. */
export const referencePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/**
 * API 설명서. The document as a page for people, in their language: complete in itself, so that it is there where there is
 * no internet.
 */
export function referencePage(document: unknown, language: Language): string {
  const { info, tags, paths } = document as Document;
  const say = words[language];
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  return html`<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${say.title}</title>
<meta name="viewport" content="width=device-width"><style>${asMarkup(style)}</style></head><body><main>
<p class="brand">Jeongsan · 정산 ${info.version}</p><div class="headline"><h1>${say.title}</h1>
<a href="/v1/openapi.json">${say.document}</a></div><p class="note">${say.lead}</p>
<nav>${tags.map(({ name }) => html`<a href="#${name}">${name}</a> `)}</nav>
${tags.map(
  ({ name }) => html`<section id="${name}"><h2>${name}</h2>
${operations.filter(({ operation }) => operation.tags.includes(name)).map((each) => operationPart(each, language))}</section>`,
)}</main></body></html>`.markup;
}

function operationPart(
  { method, path, operation }: { readonly method: string; readonly path: string; readonly operation: Operation },
  language: Language,
): Markup {
  const say = words[language];
  const { parameters, requestBody, responses } = operation;
  const summary = language === 'ko' ? operation['x-summary-ko'] : operation.summary;
  return html`<details id="${operation.operationId}"><summary><span class="${method === 'GET' ? 'method' : 'method act'}">${method}</span>
<code>${path}</code> ${summary}</summary>
<p class="note">${say.permission}: <code>${operation['x-permission']}</code> · <code>${operation.operationId}</code></p>
${
  parameters.length > 0 &&
  html`<h4>${say.parameters}</h4><table><tbody>${parameters.map(
    (each) =>
      html`<tr><td><code>${each.name}</code> <small>${each.in}${each.required ? ` · ${say.required}` : ''}</small></td>
<td><code>${shapeOf(each.schema)}</code> ${each.description ?? ''}</td></tr>`,
  )}</tbody></table>`
}
${requestBody !== undefined && contentPart(say.body, requestBody.content, say.required)}
${Object.entries(responses)
  .filter(([status]) => Number(status) < 400)
  .map(([status, { content = {} }]) => contentPart(`${say.answers} ${status}`, content, say.required))}
<table><tbody>${Object.entries(responses)
    .filter(([status]) => Number(status) >= 400)
    .map(
      ([status, { description }]) =>
        html`<tr><td>${status}</td><td><code>${description.replaceAll('`', '')}</code></td></tr>`,
    )}</tbody></table></details>`;
}

function contentPart(title: string, content: Content, required: string): Markup {
  return html`<h4>${title} <small>${Object.keys(content).join(', ')}</small></h4>
${Object.entries(content)
  .filter(([type]) => type === 'application/json')
  .map(([, { schema }]) => membersPart(schema, required))}`;
}

function membersPart(schema: Schema, required: string): Markup {
  const of = schema.properties?.['rows']?.items ?? schema;
  return html`<table><tbody>${Object.entries(of.properties ?? {}).map(
    ([name, member]) =>
      html`<tr><td><code>${name}</code>${of.required?.includes(name) === true && html` <small>${required}</small>`}</td>
<td><code>${shapeOf(member)}</code> ${member.description ?? ''}</td></tr>`,
  )}</tbody></table>`;
}

/** A schema in few words: `open | resolved`, `integer | null`, `{ issuer: string }[]`. */
function shapeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? '';
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.anyOf !== undefined) return schema.anyOf.map(shapeOf).join(' | ');
  if (schema.items !== undefined) return `${shapeOf(schema.items)}[]`;
  if (schema.properties !== undefined) {
    const members = Object.entries(schema.properties).map(([name, member]) => `${name}: ${shapeOf(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  return schema.format ?? [schema.type ?? 'any'].flat().join(' | ');
}
