import { type Queryable, query } from '../platform/database/pool.ts';
import { readRunName } from './run-name.ts';

/** 입출력 파일. What a run read or brought forth. `path` is a place in the archive, or a folder of the home. */
export type RunFile = {
  readonly direction: 'input' | 'output';
  readonly kind: 'statement' | 'claims' | 'registration' | 'validation' | 'answer' | 'report';
  readonly provider: string | null;
  readonly name: string;
  readonly state: string;
  readonly bytes: bigint | null;
  readonly sha256: string | null;
  readonly path: string;
};

const filesMost = 1000;

/**
 * The files of a run: the statements of a reconciliation's day as far as they had come by its end, and its report; the
 * claims or registrations of a differential day, and the answers to them.
 */
export async function filesOf(db: Queryable, id: string): Promise<readonly RunFile[]> {
  const { series, on, whole } = readRunName(id);
  const [workflow, provider] = series.split(':');
  if (workflow === 'reconcile') {
    const [, ofProvider, stage] = id.split('/');
    return await reconciled(db, whole ?? id, ofProvider, stage);
  }
  if (on === undefined || provider === undefined) return [];
  if (workflow === 'differential') return await exchanged(db, { provider, on, kind: 'claims' });
  if (workflow === 'registration') return await exchanged(db, { provider, on, kind: 'registration' });
  return [];
}

async function reconciled(db: Queryable, run: string, provider: string | undefined, stage: string | undefined) {
  return await query<RunFile>(
    db,
    `with run as (select * from reconciliation_run where run_id = $1)
     select 'input' as direction, 'statement' as kind, s.provider, s.file_name as name, s.state, s.bytes, s.sha256,
            s.archive_path as path
       from run join statement s on s.business_on = run.business_on and s.provider = any (run.providers)
                                and s.stage = any (run.stages)
      where s.received_at <= coalesce(run.finished_at, clock_timestamp())
        and ($2::text is null or s.provider = $2) and ($3::text is null or s.stage = $3)
     union all
     select 'output', 'report', null, run_id, outcome, null, null, report_path
       from run where report_path is not null and $2::text is null
     limit $4`,
    [run, provider ?? null, stage ?? null, filesMost],
  );
}

async function exchanged(db: Queryable, of: { readonly provider: string; readonly on: string; readonly kind: string }) {
  return await query<RunFile>(
    db,
    `with sent as (select * from claim_file where provider = $1 and on_day = $2 and kind = $3)
     select 'output' as direction, kind, provider, file_name as name, state, bytes, sha256, archive_path as path from sent
     union all
     select 'input', a.stage, s.provider, a.file_name, a.state, a.bytes, a.sha256, a.archive_path
       from sent s join answer_file a using (file_id)
     limit $4`,
    [of.provider, of.on, of.kind, filesMost],
  );
}
