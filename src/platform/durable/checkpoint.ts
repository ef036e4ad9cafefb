import { DBOS } from '@dbos-inc/dbos-sdk';
import { DBOSJSON } from '@dbos-inc/dbos-sdk/internal/serialization';
import { Problem } from '../../kernel/problem.ts';

/** Above this a checkpoint is warned about: rows belong in tables, a step returns ids and counts. */
export const warnedBytes = 50 * 1024;
/** Above this a checkpoint is refused: it would be read again by every replay. */
const refusedBytes = 1024 * 1024;

/**
 * A value as the engine keeps it: SuperJSON, so bigint, Date, Map, Set and undefined come back as what they were;
 * class instances come back as plain objects and functions not at all.
 * @throws Problem `checkpoint_too_large` above 1 MB; from 50 KB on it is warned about.
 */
export function encodeCheckpoint(name: string, value: unknown): string {
  const text = DBOSJSON.stringify(value) as string;
  const bytes = Buffer.byteLength(text);
  if (bytes > refusedBytes) throw new Problem('checkpoint_too_large', { step: name, bytes, limitBytes: refusedBytes });
  if (bytes > warnedBytes) {
    DBOS.logger.warn(
      `The checkpoint of ${name} in ${DBOS.workflowID ?? 'no run'} takes ${bytes} bytes; return ids and counts`,
    );
  }
  return text;
}

/** The value that `encodeCheckpoint` wrote. */
export function decodeCheckpoint<T>(text: string | null): T {
  return DBOSJSON.parse(text) as T;
}
