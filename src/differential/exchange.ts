import type { PoolClient } from 'pg';
import type { DifferentialProvider, FileSpec } from '../providers/differential.ts';
import type { AnswerCounts, AnswerStage } from './answer-store.ts';
import type { ClaimFileState } from './file-store.ts';
import type { ExchangePorts } from './ports.ts';

/** A written file on its way to the provider, and what is done with what comes back. */
export type Exchange = {
  readonly provider: DifferentialProvider;
  readonly fileId: bigint;
  /** What is answered, in the order in which it is expected. */
  readonly answers: readonly { readonly stage: AnswerStage; readonly spec: Pick<FileSpec<never>, 'fileName'> }[];
  /**
   * Applies an answer in the one transaction that is given. A Problem `statement_…` refuses the file: it is noted with a
   * finding, and corrected bytes are waited for.
   */
  apply(tx: PoolClient, answerId: bigint): Promise<AnswerCounts>;
  /** Of the file's lines, those of which no answer has said anything yet. */
  unanswered(tx: PoolClient): Promise<bigint>;
};

export type Exchanged = {
  readonly file: string;
  readonly state: ClaimFileState;
  readonly foundThere: boolean;
  readonly answers: number;
  readonly unanswered: bigint;
} & AnswerCounts;

/**
 * 전문 교환. Sends a written file once and takes its answers until all its lines are answered, or the deadline has
 * passed. Called in a workflow, of which it is steps: a run that is restarted goes on where it was.
 * @throws Problem `send_in_doubt`, `claim_file_differs`, `archive_damaged` and those of the provider's folder
 */
export async function exchangeFile(_ports: ExchangePorts, _exchange: Exchange): Promise<Exchanged> {
  throw new Error('not written yet');
}
