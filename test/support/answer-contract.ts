import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ApiDocument, Operation } from './served-product.ts';

/** What is wrong with an answer by the document that the server serves; undefined where nothing is. */
export type Contract = (operation: Operation, response: Response, body: Uint8Array) => string | undefined;

/** Holds answers to the document: their status, their media type, and every member of what is JSON. */
export function contractOf(document: ApiDocument): Contract {
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...document });
  const compiled = new Map<object, ValidateFunction>();
  const validate = (schema: Record<string, unknown>) => {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
    const made = ajv.compile(JSON.parse(text) as object);
    compiled.set(schema, made);
    return made;
  };
  return (operation, response, body) => {
    const said = operation.responses[String(response.status)];
    const text = () => Buffer.from(body).toString('utf8');
    if (said === undefined) return `status ${response.status} is not documented: ${text().slice(0, 300)}`;
    if (said.content === undefined) return body.length === 0 ? undefined : 'a body where there is none';
    const mediaType = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const content = said.content[mediaType];
    if (content === undefined) return `${response.status} as ${mediaType} is not documented`;
    if (!/json$/.test(mediaType) || mediaType === 'application/x-ndjson') return undefined;
    const check = validate(content.schema);
    if (check(JSON.parse(text()))) return undefined;
    const [error] = check.errors ?? [];
    return `${response.status}${error?.instancePath} ${error?.message} ${JSON.stringify(error?.params)}: ${text().slice(0, 300)}`;
  };
}
