import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Pool } from 'pg';
import type { Language } from '../kernel/problem.ts';
import type { MailFile } from '../platform/mail.ts';
import { reportFolder, reportFiles as reportNames, writeReport } from '../reconciliation/report-files.ts';
import { reportRun } from '../reconciliation/report-store.ts';

/** What a mail holds of files: mail servers take 10 MB, in which bytes weigh a third more. */
const mostBytes = 7 * 1024 * 1024;

const types = {
  page: 'text/html; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv; charset=utf-8',
} as const;

/**
 * 첨부. The files of a run's report, the page first, as far as they fit; `folder` where not all of them did. A report that
 * another node wrote is made here again.
 * @throws Problem `not_found`
 */
export async function attachReport(
  { pool, home, language }: { readonly pool: Pool; readonly home: string; readonly language: Language },
  runId: string,
  most = mostBytes,
): Promise<{ readonly files: readonly MailFile[]; readonly folder: string | null }> {
  const run = await reportRun(pool, runId);
  const folder = reportFolder(home, run);
  const isHere = await stat(path.join(folder, reportNames.page)).catch(() => undefined);
  if (isHere === undefined) await writeReport({ pool, home, runId, language });
  const files: MailFile[] = [];
  let room = most;
  for (const kind of ['page', 'xlsx', 'csv'] as const) {
    const file = path.join(folder, reportNames[kind]);
    const { size } = await stat(file);
    if (size > room) continue;
    const bytes = await readFile(file);
    room -= bytes.length;
    files.push({ name: `${run.on}-${reportNames[kind]}`, mediaType: types[kind], bytes });
  }
  return { files, folder: files.length === Object.keys(types).length ? null : folder };
}
