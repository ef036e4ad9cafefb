import { z } from 'zod';
import { Problem } from '../../kernel/problem.ts';
import { day, instant, won } from './fields.ts';
import { download, events, list, type Route, upload } from './route.ts';

/** Routes whose answers come as streams, for tests to take, to leave and to break. */
export const rowsInAll = 2500;
const row = z.object({
  id: z.number().int(),
  name: z.string(),
  amountWon: won(),
  on: day(),
  at: instant().nullable(),
  card: z.object({ issuer: z.string() }).nullable(),
  tags: z.array(z.string()),
});

/** What the routes were asked, and what became of them. */
export const seen = {
  pages: 0,
  endless: 0,
  endlessEnded: 0,
  uploaded: 0,
  failure: '',
  lastId: '' as string | undefined,
};
/** What the next who watches is told. */
export const told: { events: AsyncIterable<{ id: string; event: string; data: { n: number } }> | undefined } = {
  events: undefined,
};

const described = { tag: 'rows', summary: { ko: '행', en: 'Rows' }, permission: 'read' } as const;

export const streamRoutes: readonly Route[] = [
  list({
    ...described,
    id: 'listRows',
    path: '/rows',
    filter: z.object({ even: z.enum(['true']).optional() }),
    row,
    sorts: ['id', 'name'],
    async page({ query }, { after, limit, descending }) {
      seen.pages += 1;
      const all = Array.from({ length: rowsInAll }, (_, i) => i + 1).filter(
        (n) => query.even !== 'true' || n % 2 === 0,
      );
      const sorted = descending ? all.toReversed() : all;
      const from = after === undefined ? 0 : sorted.indexOf(Number(after)) + 1;
      const ids = sorted.slice(from, from + limit);
      return {
        rows: ids.map((id) => ({
          id,
          name: id === 1 ? '=1+1' : `이름 ${id}`,
          amountWon: BigInt(id) * 1000n,
          on: '2026-11-20',
          at: id === 2 ? null : Temporal.Instant.from('2026-11-20T23:30:00Z'),
          card: id === 3 ? null : { issuer: 'a,"b"' },
          tags: ['x', 'y'],
        })),
        next: from + limit < sorted.length ? String(ids.at(-1)) : undefined,
      };
    },
  }),
  list({
    ...described,
    id: 'listEndless',
    path: '/endless',
    row: z.object({ text: z.string() }),
    sorts: ['text'],
    async page({ signal }) {
      signal.addEventListener('abort', () => {
        seen.endlessEnded += 1;
      });
      seen.endless += 1;
      return { rows: Array.from({ length: 1000 }, () => ({ text: 'x'.repeat(1000) })), next: 'more' };
    },
  }),
  list({
    ...described,
    id: 'listBroken',
    path: '/broken',
    row: z.object({ id: z.number() }),
    sorts: ['id'],
    async page(_, { after }) {
      if (after === 'refuse') throw new Problem('not_found', { what: 'row', id: 7 });
      if (after !== undefined) throw new Error('the second page cannot be read');
      return { rows: [{ id: 1 }], next: 'two' };
    },
  }),
  upload({
    ...described,
    id: 'uploadBytes',
    method: 'post',
    path: '/uploads/{name}',
    permission: 'import',
    params: z.object({ name: z.string() }),
    accepts: ['text/csv'],
    answer: z.object({ bytes: z.number(), name: z.string() }),
    problems: ['file_changed_while_read'],
    async handle({ stream, params }) {
      let bytes = 0;
      try {
        for await (const piece of stream as AsyncIterable<Buffer>) {
          bytes += piece.length;
          seen.uploaded = bytes;
          if (params.name === 'early') throw new Problem('file_changed_while_read', { file: params.name });
          if (params.name === 'never') await new Promise(() => {});
        }
      } catch (error) {
        seen.failure = (error as { code?: string }).code ?? String(error);
        throw error;
      }
      return { bytes, name: params.name };
    },
  }),
  download({
    ...described,
    id: 'downloadFile',
    path: '/file',
    gives: ['text/plain'],
    async handle() {
      const bytes = Buffer.from('정산');
      return {
        stream: (async function* () {
          yield bytes;
        })(),
        mediaType: 'text/plain',
        fileName: '보고서 "1".txt',
        bytes: bytes.length,
      };
    },
  }),
  events({
    ...described,
    id: 'watch',
    path: '/watch',
    event: z.object({ n: z.number() }),
    handle({ lastId }) {
      seen.lastId = lastId;
      return told.events as NonNullable<typeof told.events>;
    },
  }),
];

export const streamLimits = {
  uploadBytes: 5_000_000,
  uploadIdleMs: 2_000,
  takeIdleMs: 3_000,
  heartbeatMs: 30,
  streams: { each: 3, all: 4 },
} as const;
