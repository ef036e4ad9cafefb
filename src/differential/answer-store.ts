import { Problem } from '../kernel/problem.ts';
import { type Queryable, query } from '../platform/database/pool.ts';

export type AnswerStage = 'validation' | 'answer';

/** 결과 파일. What a provider answered to a file, a row for each distinct bytes. */
export type AnswerFile = {
  readonly answerId: bigint;
  readonly fileId: bigint;
  readonly stage: AnswerStage;
  readonly version: number;
  readonly fileName: string;
  readonly sha256: string;
  readonly bytes: bigint;
  readonly state: 'received' | 'applied' | 'refused';
};

/** What applying an answer came to; `differenceWon` is theirs, of the newly accepted. */
export type AnswerCounts = {
  readonly lines: bigint;
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly repeated: bigint;
  readonly setAside: bigint;
  readonly differenceWon: bigint;
};

const columns = `answer_id as "answerId", file_id as "fileId", stage, version, file_name as "fileName", sha256, bytes, state`;

/** @throws Problem `not_found` */
export async function answerFile(db: Queryable, answerId: bigint): Promise<AnswerFile> {
  const [answer] = await query<AnswerFile>(db, `select ${columns} from answer_file where answer_id = $1`, [answerId]);
  if (answer === undefined) throw new Problem('not_found', { what: 'answer', id: answerId });
  return answer;
}
