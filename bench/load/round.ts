/** One round of the benchmark in a process of its own, so that its memory is its own. */
import { openArchive } from '../../src/platform/archive.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { findStatement } from '../../src/reconciliation/statement-store.ts';
import { benchCopy, benchLoad, benchRead } from './measure.ts';

export type RoundRequest = {
  readonly what: 'read' | 'copy' | 'load';
  readonly url: string;
  readonly folder: string;
  readonly statementId: number;
};

const { what, url, folder, statementId } = JSON.parse(process.argv[2] ?? '') as RoundRequest;
const archive = openArchive(folder);
const pool = createPool(url, { applicationName: 'bench-round', max: 4 });
const statement = await findStatement(pool, statementId);
const rounds = {
  read: () => benchRead(archive, statement),
  copy: () => benchCopy(pool, archive, statement),
  load: () => benchLoad(pool, archive, statement),
};
process.send?.(await rounds[what]());
await pool.end();
process.disconnect?.();
