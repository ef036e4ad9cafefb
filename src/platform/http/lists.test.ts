import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { serveRoutes, type TestApi } from '../../../test/support/served-routes.ts';
import { rowsInAll, seen, streamLimits, streamRoutes } from './streams.fixture.ts';

let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  database = await testDatabase();
  api = await serveRoutes(streamRoutes, { pool: database.pool, limits: streamLimits });
});
afterAll(async () => {
  await api.close();
  await database.close();
});

const codeOf = async (response: Response) => ((await response.json()) as { readonly code: string }).code;

describe('a list', () => {
  test('comes by pages, each row once, and says where the next page begins', async () => {
    const ids: number[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const asked: string = cursor === null ? '' : `&cursor=${cursor}`;
      const answer = await api.ask(`GET /rows?limit=700&sort=-id${asked}`);
      const page = (await answer.json()) as { rows: { id: number }[]; next: string | null };
      ids.push(...page.rows.map(({ id }) => id));
      expect(answer.headers.get('link')).toBe(
        page.next === null ? null : `</v1/rows?limit=700&sort=-id&cursor=${page.next}>; rel="next"`,
      );
      cursor = page.next;
      pages += 1;
    } while (cursor !== null);
    expect(pages).toBe(4);
    expect(ids).toEqual(Array.from({ length: rowsInAll }, (_, i) => rowsInAll - i));
  });

  test('writes won as integers, and days and moments as ISO 8601 has them', async () => {
    const { rows } = (await (await api.ask('GET /rows?limit=1')).json()) as { rows: unknown[] };
    expect(rows).toEqual([
      {
        id: 1,
        name: '=1+1',
        amountWon: 1000,
        on: '2026-11-20',
        at: '2026-11-20T23:30:00Z',
        card: { issuer: 'a,"b"' },
        tags: ['x', 'y'],
      },
    ]);
  });

  test.each([
    ['more than a page holds', 'limit=1001', 'request_invalid'],
    ['none', 'limit=0', 'request_invalid'],
    ['a filter nobody knows', 'evn=true', 'request_invalid'],
    ['an order nobody knows', 'sort=amountWon', 'request_invalid'],
    ['a format nobody knows', 'format=pdf', 'request_invalid'],
    ['a cursor that is none', 'cursor=abc', 'cursor_invalid'],
    [
      'a cursor of another order',
      `sort=-id&cursor=${Buffer.from('["id","5"]').toString('base64url')}`,
      'cursor_invalid',
    ],
  ])('%s is refused', async (_, query, code) => {
    const refused = await api.ask(`GET /rows?${query}`);
    expect([refused.status, await codeOf(refused)]).toEqual([400, code]);
  });
});

describe('a list as a file', () => {
  test('CSV has every row, and nothing that a spreadsheet would run', async () => {
    const answer = await api.ask('GET /rows?format=csv');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(
      'attachment; filename="rows.csv"; filename*=UTF-8\'\'rows.csv',
    );
    const lines = Buffer.from(await answer.arrayBuffer())
      .toString('utf8')
      .split('\r\n');
    expect(lines.slice(0, 4)).toEqual([
      '\ufeffid,name,amountWon,on,at,card.issuer,tags',
      `1,'=1+1,1000,2026-11-20,2026-11-21 08:30:00,"a,""b""","[""x"",""y""]"`,
      '2,이름 2,2000,2026-11-20,,"a,""b""","[""x"",""y""]"',
      '3,이름 3,3000,2026-11-20,2026-11-21 08:30:00,,"[""x"",""y""]"',
    ]);
    expect(lines).toHaveLength(rowsInAll + 2);
  });

  test('NDJSON by what the caller accepts, with its filter', async () => {
    const answer = await api.ask('GET /rows?even=true', { headers: { accept: 'application/x-ndjson' } });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual(
      Array.from({ length: rowsInAll / 2 }, (_, i) => 2 * i + 2),
    );
  });

  test('XLSX is a workbook with amounts as numbers', async () => {
    const answer = await api.ask('GET /rows?format=xlsx');
    const parts = unzipSync(new Uint8Array(await answer.arrayBuffer()));
    const sheet = strFromU8(parts['xl/worksheets/sheet1.xml'] as Uint8Array);
    expect(sheet.match(/<row /g)).toHaveLength(rowsInAll + 1);
    expect(sheet).toContain('<c r="C2" s="3"><v>1000</v></c>');
    expect(sheet).toContain('t="inlineStr"><is><t xml:space="preserve">=1+1</t>');
  });

  test('is read no faster than it is taken, and cut where nobody takes any more', async () => {
    const answer = await api.ask('GET /endless?format=ndjson');
    const reader = answer.body?.getReader();
    await reader?.read();
    const before = seen.endlessEnded;
    await eventually(() => expect(seen.endlessEnded).toBeGreaterThan(before));
    // Each page is a megabyte: what was made is what fits the buffers of the network, and not what three seconds allow.
    expect(seen.endless).toBeLessThan(40);
    await expect(
      (async () => {
        while (!(await reader?.read())?.done);
      })(),
    ).rejects.toThrow();
  });

  test('is made no further once its caller is gone', async () => {
    const leaving = new AbortController();
    const before = seen.endlessEnded;
    const answer = await api.ask('GET /endless?format=csv', { signal: leaving.signal });
    await answer.body?.getReader().read();
    leaving.abort();
    await eventually(() => expect(seen.endlessEnded).toBeGreaterThan(before));
  });

  test('that cannot be read to its end breaks off, instead of looking whole', async () => {
    const answer = await api.ask('GET /broken?format=ndjson');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  test('says a refusal of its first page as a refusal', async () => {
    const cursor = Buffer.from('["id","refuse"]').toString('base64url');
    const answer = await api.ask(`GET /broken?format=csv&cursor=${cursor}`);
    expect([answer.status, await codeOf(answer)]).toEqual([404, 'not_found']);
  });

  test('asked for by HEAD leaves nothing open', async () => {
    for (let n = 0; n < 10; n += 1) {
      expect((await api.ask('HEAD /rows?format=csv', { key: '' })).status).toBe(200);
    }
  });

  test('only so many at once', async () => {
    const leaving = new AbortController();
    const open = await Promise.all(
      [1, 2, 3].map(() => api.ask('GET /endless?format=csv', { as: 'viewer', signal: leaving.signal })),
    );
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = await api.ask('GET /endless?format=csv', { as: 'viewer' });
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'streams_too_many']);
    leaving.abort();
    await eventually(async () => {
      const again = await api.ask('GET /rows?format=csv', { as: 'viewer' });
      await again.arrayBuffer();
      expect(again.status).toBe(200);
    });
  });
});

test('a file out has its name in its own letters', async () => {
  const answer = await api.ask('GET /file');
  expect(answer.headers.get('content-disposition')).toBe(
    `attachment; filename="_____1_.txt"; filename*=UTF-8''${encodeURIComponent('보고서 "1".txt')}`,
  );
  expect([answer.headers.get('content-length'), await answer.text()]).toEqual(['6', '정산']);
});
