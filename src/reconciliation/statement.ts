import type { ProblemCode, ProblemDetails } from '../kernel/problem.ts';
import type { StageDay } from './stage-sql.ts';

/** 대사 파일의 신원. What makes a file the same file: a correction comes under the same identity with other bytes. */
export type StatementIdentity = StageDay & { readonly fileName: string };

/**
 * archived: its bytes are kept, its lines are not yet in; imported: its lines count; refused: the file as a whole
 * cannot be read; superseded: a later version counts instead.
 */
export type StatementState = 'archived' | 'imported' | 'refused' | 'superseded';

/** One version of a provider's file as it is kept. */
export type Statement = StatementIdentity & {
  readonly statementId: number;
  readonly version: number;
  readonly sha256: string;
  readonly bytes: number;
  readonly archivePath: string;
  readonly source: 'sftp' | 'folder' | 'hand';
  readonly receivedAt: Date;
  readonly receivedBy: string;
  /** Why it was added by hand; null when it was collected. */
  readonly reason: string | null;
  readonly state: StatementState;
  readonly loadId: number | null;
  readonly problem: RefusedBecause | null;
  /** Of the load that counts; null while there is none. */
  readonly lines: bigint | null;
  readonly unreadable: number | null;
};

/** The Problem that refused a file, as data. */
export type RefusedBecause = { readonly code: ProblemCode; readonly details: ProblemDetails };
