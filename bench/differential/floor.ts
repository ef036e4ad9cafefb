/** The baselines: the claims' rows copied out to a file, and the results' rows copied in from one, by one connection each. */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Pool } from '../../src/platform/database/pool.ts';

/** Seconds of `copy (…) to stdout` into a file. */
export async function copyOut(pool: Pool, select: string, file: string): Promise<number> {
  const client = await pool.connect();
  try {
    const began = performance.now();
    await pipeline(client.query(copyTo(`copy (${select}) to stdout`)), createWriteStream(file));
    return (performance.now() - began) / 1000;
  } finally {
    client.release();
  }
}

/** Seconds of `copy … from stdin` from a file into an empty table of the same columns, with its primary key if it has one. */
export async function copyIn(pool: Pool, table: string, file: string): Promise<number> {
  const client = await pool.connect();
  try {
    const began = performance.now();
    await pipeline(
      createReadStream(file, { highWaterMark: 1 << 18 }),
      client.query(copyFrom(`copy ${table} from stdin`)),
    );
    return (performance.now() - began) / 1000;
  } finally {
    client.release();
  }
}
