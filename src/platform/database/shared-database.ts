import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { type Database, openDatabase } from './database.ts';

/** The database that the commands of this process share: opened by the first one that needs it. */
export function createSharedDatabase(config: Config, log: Log) {
  let opened: Promise<Database> | undefined;
  return {
    async pool() {
      opened ??= openDatabase(config, log);
      return (await opened).pool;
    },
    async close() {
      // One that could not be opened has said so.
      const database = await opened?.catch(() => undefined);
      await database?.close();
    },
  };
}
