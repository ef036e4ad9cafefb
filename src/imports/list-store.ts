import { Problem } from '../kernel/problem.ts';
import { type KeyPart, keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { ImportName } from './staged-table.ts';
import type { KeptRefusal } from './store.ts';

/** 적재 이력. One import as it went; there is none of one that did not end. */
export type KeptImport = {
  readonly id: bigint;
  readonly kind: ImportName;
  readonly fileName: string;
  readonly importedBy: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly added: bigint;
  readonly same: bigint;
  readonly refused: bigint;
};
export type ImportFilter = {
  readonly kind?: readonly ImportName[] | undefined;
  readonly by?: string | undefined;
  /** Only those that refused something. */
  readonly refused?: boolean | undefined;
};

const columns = `import_id as id, kind, file_name as "fileName", imported_by as "importedBy", started_at as "startedAt",
  finished_at as "finishedAt", rows_added as added, rows_same as same, rows_refused as refused`;
const byNumber: readonly KeyPart[] = [{ sql: 'import_id', type: 'bigint' }];
const byLine: readonly KeyPart[] = [{ sql: 'line_no', type: 'bigint' }];

/** A page of the imports. @throws Problem `cursor_invalid` */
export async function pageOfImports(
  db: Queryable,
  filter: ImportFilter,
  request: PageRequest<'id'>,
): Promise<Page<KeptImport>> {
  return keysetPage<KeptImport>(
    db,
    byNumber,
    request,
    [filter.kind ?? null, filter.by ?? null, filter.refused ?? null],
    ({ key, after, order, limit }) =>
      `select ${columns}, ${key} from import
        where ($1::text[] is null or kind = any ($1)) and ($2::text is null or imported_by = $2)
          and ($3::boolean is null or (rows_refused > 0) = $3) and ${after} order by ${order} limit ${limit}`,
  );
}

/** One import. @throws Problem `not_found` */
export async function findImport(db: Queryable, id: number): Promise<KeptImport> {
  const [found] = await query<KeptImport>(db, `select ${columns} from import where import_id = $1`, [id]);
  if (found === undefined) throw new Problem('not_found', { what: 'import', id });
  return found;
}

/** A page of what an import refused, by line. @throws Problem `not_found`, `cursor_invalid` */
export async function pageOfRefusals(
  db: Queryable,
  importId: number,
  request: PageRequest<'line'>,
): Promise<Page<KeptRefusal>> {
  await findImport(db, importId);
  const page = await keysetPage<{ line: bigint; code: string; detail: KeptRefusal['detail'] }>(
    db,
    byLine,
    request,
    [importId],
    ({ key, after, order, limit }) =>
      `select line_no as line, code, detail, ${key} from import_refusal
        where import_id = $1 and ${after} order by ${order} limit ${limit}`,
  );
  return { ...page, rows: page.rows.map((row) => ({ ...row, line: Number(row.line) })) };
}
