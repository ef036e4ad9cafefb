import type { PoolClient } from 'pg';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { SelectedCounts } from './batch-store.ts';

/**
 * Says which days' captures the batch looks at, draws the numbers of its files and makes the leaves that its claims go
 * into; returns in how many parts they are selected. Run again it is as it was planned first.
 */
export async function planSelection(
  _tx: PoolClient,
  _batchId: bigint,
  _provider: DifferentialProvider,
  _capturesPerPart: number,
): Promise<number> {
  throw new Error('not yet');
}

/**
 * After all parts: takes in held claims whose reason is gone and those queued to be sent again, marks the batch as
 * selected and returns what it holds.
 */
export async function closeSelection(
  _tx: PoolClient,
  _batchId: bigint,
  _provider: DifferentialProvider,
): Promise<SelectedCounts> {
  throw new Error('not yet');
}
