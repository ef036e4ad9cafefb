import type { PoolClient } from 'pg';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { SelectedCounts } from './batch-store.ts';

/**
 * Selects a part of the batch: one transaction, any two of which may run at the same time. A part that is run again
 * claims nothing twice.
 */
export async function selectPart(
  _tx: PoolClient,
  _part: {
    readonly batchId: bigint;
    readonly provider: DifferentialProvider;
    readonly part: number;
    readonly parts: number;
  },
): Promise<SelectedCounts> {
  throw new Error('not yet');
}
