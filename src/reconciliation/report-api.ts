import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Pool } from 'pg';
import { z } from 'zod';
import { day, flag, instant, term } from '../platform/http/fields.ts';
import { download, type Route, route } from '../platform/http/route.ts';
import { stages } from '../providers/stage.ts';
import type { ReportRun } from './report-data.ts';
import { reportFiles, standingReport } from './report-files.ts';
import { latestRun, reportRun } from './report-store.ts';

export type ReportApiPorts = { readonly pool: Pool; readonly home: string };

const mediaTypes = {
  page: 'text/html; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;
const formats = { html: 'page', csv: 'csv', xlsx: 'xlsx' } as const;

const shownReport = z.object({
  run: z.string(),
  on: day(),
  startedBy: z.string(),
  startedAt: instant(),
  finishedAt: instant().nullable(),
  providers: z.array(z.string()),
  stages: z.array(z.enum(stages)),
});

/** 보고서. `/reports/{run}`: the page of a run, and the day's breaks as CSV and XLSX; made again where they are not there. */
export function reportRoutes({ pool, home }: ReportApiPorts): Route[] {
  return [
    route({
      id: 'findReport',
      path: '/reports',
      tag: 'reports',
      summary: { ko: '업무일의 최근 보고서', en: 'The run whose report is the newest, of a day or of all' },
      permission: 'read',
      problems: ['not_found'],
      method: 'get',
      query: z.object({ on: day().optional() }),
      answer: shownReport,
      handle: async ({ query }) => reportRow(await latestRun(pool, query.on)),
    }),
    download({
      id: 'downloadReport',
      path: '/reports/{run}/{format}',
      tag: 'reports',
      summary: { ko: '보고서 내려받기', en: 'The report of a run' },
      permission: 'read',
      problems: ['not_found', 'disk_full'],
      params: z.object({ run: term(), format: z.enum(['html', 'csv', 'xlsx']) }),
      query: z.object({ fresh: flag().optional() }),
      gives: Object.values(mediaTypes),
      async handle({ params, query, language }) {
        const run = await reportRun(pool, params.run);
        const folder = await standingReport({ pool, home, language }, run, query.fresh ?? false);
        const kind = formats[params.format];
        // Opened before the answer begins: a report that is made again meanwhile does not change what is sent.
        const file = await open(path.join(folder, reportFiles[kind]));
        const { size } = await file.stat();
        return {
          stream: file.createReadStream(),
          mediaType: mediaTypes[kind],
          fileName: `${run.runId.replaceAll(/[:/\\]/g, '-')}-${reportFiles[kind]}`,
          bytes: size,
        };
      },
    }),
  ];
}

function reportRow({ runId, ...run }: ReportRun) {
  return { run: runId, ...run };
}
