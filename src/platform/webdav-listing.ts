/** A member of a WebDAV collection. */
export type WebdavEntry = {
  /** As the server wrote it: a path, or a whole URL, percent-encoded. */
  readonly href: string;
  readonly isFolder: boolean;
  readonly bytes: number | undefined;
  readonly modifiedAtMs: number | undefined;
};

/** What is asked for of each member (RFC 4918, 9.1). */
export const propfindBody = `<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>`;

/**
 * The members in a `multistatus` answer, or undefined where it is none. Servers differ in their prefixes and in what they
 * leave out, so elements are found by their local names; properties that were not found (404) are passed over.
 */
export function readMultistatus(xml: string): WebdavEntry[] | undefined {
  const body = elements(xml, 'multistatus')[0];
  if (body === undefined) return undefined;
  return elements(body, 'response').flatMap((response) => {
    const href = elements(response, 'href')[0];
    if (href === undefined) return [];
    const found = elements(response, 'propstat').filter((part) => / 2\d\d\b/.test(elements(part, 'status')[0] ?? ''));
    const property = (name: string) => found.flatMap((part) => elements(part, name))[0];
    const length = property('getcontentlength')?.trim() ?? '';
    const modified = Date.parse(unescapeXml(property('getlastmodified') ?? ''));
    return [
      {
        href: unescapeXml(href).trim(),
        isFolder: /<(?:[\w.-]+:)?collection[\s/>]/.test(property('resourcetype') ?? ''),
        bytes: /^\d{1,15}$/.test(length) ? Number(length) : undefined,
        modifiedAtMs: Number.isNaN(modified) ? undefined : modified,
      },
    ];
  });
}

/**
 * The contents of the elements of that local name, in order; an empty element's is ''. They do not nest in themselves. Each
 * character is looked at once or twice, whatever a server sends: what is not closed ends it.
 */
function elements(xml: string, name: string): string[] {
  const opening = new RegExp(`<((?:[\\w.-]{1,64}:)?${name})(?:\\s[^<>]*|/)?>`, 'g');
  const found: string[] = [];
  for (let open = opening.exec(xml); open !== null; open = opening.exec(xml)) {
    if (open[0].endsWith('/>')) {
      found.push('');
      continue;
    }
    const closing = new RegExp(`</${RegExp.escape(open[1] ?? '')}\\s{0,64}>`, 'g');
    closing.lastIndex = opening.lastIndex;
    const close = closing.exec(xml);
    if (close === null) break;
    found.push(xml.slice(opening.lastIndex, close.index));
    opening.lastIndex = closing.lastIndex;
  }
  return found;
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(lt|gt|quot|apos|amp));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities[name as string] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
