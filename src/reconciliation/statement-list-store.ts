import { keysetPage } from '../platform/database/keyset.ts';
import { type Queryable, query } from '../platform/database/pool.ts';
import type { Page, PageRequest } from '../platform/http/route.ts';
import type { Stage } from '../providers/stage.ts';
import type { Statement, StatementState } from './statement.ts';
import { type StatementRow, statementColumns, toStatement } from './statement-store.ts';

export type StatementFilter = {
  readonly on?: Temporal.PlainDate | undefined;
  readonly provider?: string | undefined;
  readonly stage?: Stage | undefined;
};

/** Every version of the files of a day, a provider, a stage; the newest days first, at most `limit`. */
export async function listStatements(db: Queryable, filter: StatementFilter, limit: number): Promise<Statement[]> {
  const rows = await query<StatementRow>(
    db,
    `select ${statementColumns} from statement s left join statement_load l using (load_id)
     where ($1::date is null or s.business_on = $1) and ($2::text is null or s.provider = $2)
       and ($3::text is null or s.stage = $3)
     order by s.business_on desc, s.provider, s.stage, s.file_name, s.version limit $4`,
    [filter.on?.toString() ?? null, filter.provider ?? null, filter.stage ?? null, limit],
  );
  return rows.map(toStatement);
}

const sortKeys = {
  on: [
    { sql: 's.business_on', type: 'date' },
    { sql: 's.statement_id', type: 'bigint' },
  ],
  id: [{ sql: 's.statement_id', type: 'bigint' }],
} as const;

/** A page of the versions of files. @throws Problem `cursor_invalid` */
export async function pageOfStatements(
  db: Queryable,
  asked: {
    readonly on?: string | undefined;
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    readonly provider?: readonly string[] | undefined;
    readonly stage?: readonly Stage[] | undefined;
    readonly state?: readonly StatementState[] | undefined;
  },
  request: PageRequest<'on' | 'id'>,
): Promise<Page<Statement>> {
  const { on, from, to, provider, stage, state } = asked;
  const page = await keysetPage<StatementRow>(
    db,
    sortKeys[request.sort],
    request,
    [on ?? null, from ?? null, to ?? null, provider ?? null, stage ?? null, state ?? null],
    ({ key, after, order, limit }) =>
      `select ${statementColumns}, ${key} from statement s left join statement_load l using (load_id)
        where ($1::date is null or s.business_on = $1) and ($2::date is null or s.business_on >= $2)
          and ($3::date is null or s.business_on <= $3) and ($4::text[] is null or s.provider = any ($4))
          and ($5::text[] is null or s.stage = any ($5)) and ($6::text[] is null or s.state = any ($6))
          and ${after} order by ${order} limit ${limit}`,
  );
  return { ...page, rows: page.rows.map(toStatement) };
}
