import type { Pool } from 'pg';
import { isProblem } from '../kernel/problem.ts';
import type { Archive } from '../platform/archive.ts';
import { openSource } from '../platform/open-source.ts';
import type { SourceAddress } from '../platform/source-address.ts';
import { collectStatements, statementSpec } from './collect.ts';
import { loadStatement } from './load.ts';
import { areLoading, ensureLeaf, finishLoad } from './load-store.ts';
import { readStatementName } from './statement-name.ts';
import { findCurrentLoads, findStatement, midsOfOurs, refuseStatement } from './statement-store.ts';
import type { StatementPort } from './workflow.ts';

/** The way of statements as the workflow needs it: from the providers' sources through the archive to typed lines. */
export function createStatementPort(options: {
  readonly pool: Pool;
  readonly archive: Archive;
  readonly sources: Readonly<Record<string, SourceAddress>>;
  readonly who: string;
}): StatementPort {
  const { pool, archive, sources, who } = options;
  return {
    async collect(provider, stage, on) {
      const source = openSource(sources[provider.id] as SourceAddress);
      try {
        const now = Temporal.Now.instant();
        return await collectStatements({ pool, source, archive, who, now, provider: provider.id, stage, on });
      } finally {
        await source.close();
      }
    },
    async load(statementId, onRows) {
      const { fileName } = await findStatement(pool, statementId);
      try {
        return { statementId, fileName, result: await loadStatement({ pool, archive, statementId, onRows }) };
      } catch (error) {
        if (isProblem(error, 'statement_load_overtaken')) return { statementId, fileName, overtaken: true };
        if (!isProblem(error) || !error.code.startsWith('statement_')) throw error;
        return { statementId, fileName, refused: { code: error.code, details: error.details } };
      }
    },
    async finish(tx, { statementId, result, refused }) {
      if (refused !== undefined) await refuseStatement(tx, statementId, refused);
      else if (result === undefined) return false;
      else return await finishLoad(tx, result).then(() => true, notWhereOvertaken);
      return true;
    },
    areLoading: (statements) => areLoading(pool, statements),
    async midsWithFile(tx, provider, stage, on) {
      const spec = statementSpec(provider.id, stage);
      if (!spec.perMid) return null;
      const day = { provider: provider.id, stage, on };
      const loads = await findCurrentLoads(tx, day);
      const present = new Set(loads.map((load) => readStatementName(spec.fileName, load.fileName)?.mid));
      const ours = await midsOfOurs(tx, day);
      return ours.every((mid) => present.has(mid)) ? null : ours.filter((mid) => present.has(mid));
    },
    async prepare(provider, stage, on) {
      const day = { provider: provider.id, stage, on };
      const hot = stage === 'transaction' ? 'payment' : 'capture';
      await ensureLeaf(pool, hot, day);
      await ensureLeaf(pool, `${stage}_line`, day);
      return (await findCurrentLoads(pool, day)).length > 0;
    },
  };
}

function notWhereOvertaken(error: unknown): false {
  if (isProblem(error, 'statement_load_overtaken')) return false;
  throw error;
}
