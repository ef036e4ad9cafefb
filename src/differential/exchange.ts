import type { PoolClient } from 'pg';
import type { DifferentialProvider, FileSpec } from '../providers/differential.ts';
import type { AnswerCounts, AnswerStage } from './answer-store.ts';
import type { ClaimFileState } from './file-store.ts';
import type { ExchangePorts } from './ports.ts';

/** Written files of one kind on their way to a provider, and what is done with what comes back. */
export type Exchange = {
  readonly provider: DifferentialProvider;
  readonly fileIds: readonly bigint[];
  /** What is answered to each, in the order in which it is expected. */
  readonly answers: readonly { readonly stage: AnswerStage; readonly spec: Pick<FileSpec<never>, 'fileName'> }[];
  /**
   * Applies an answer in the one transaction that is given. A Problem `statement_…` refuses the file: it is noted with a
   * finding, and corrected bytes are waited for.
   */
  apply(tx: PoolClient, answerId: bigint): Promise<AnswerCounts>;
  /** Of a file's lines, those of which no answer has said anything yet. */
  unanswered(tx: PoolClient, fileId: bigint): Promise<bigint>;
};

/** What became of a file: how it ended, and the sum of its answers. */
export type Exchanged = AnswerCounts & {
  readonly fileId: bigint;
  readonly fileName: string;
  readonly state: ClaimFileState;
  readonly foundThere: boolean;
  readonly answers: number;
};

/**
 * 전문 교환. Sends written files once each, and takes their answers until all lines are answered or the deadline has
 * passed. Called in a workflow, of which it is steps: a run that is restarted goes on where it was. At any moment it
 * waits at one place only.
 * @throws Problem `claim_file_not_sent` once the others have ended, and those of the provider's folder
 */
export async function exchangeFiles(_ports: ExchangePorts, _exchange: Exchange): Promise<readonly Exchanged[]> {
  throw new Error('not written yet');
}
