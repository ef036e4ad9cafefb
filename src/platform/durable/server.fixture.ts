// A PostgreSQL of a test's own, to be crashed.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.ts';
import { check } from '../../kernel/check.ts';
import { openEmbedded } from '../database/embedded.ts';
import { findServerPlace } from '../database/server-place.ts';
import { findPostmaster } from '../database/server-process.ts';
import { createLog } from '../log.ts';

export type Server = {
  readonly url: string;
  /** Every connection is cut in the middle of what it does, nothing is written first, and the log is replayed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'jeongsan-crash-'));
  // The server's account has to pass through when root runs the tests.
  await chmod(folder, 0o711);
  const home = join(folder, 'home');
  const log = createLog({ logLevel: 'warn' });
  const open = () => openEmbedded({ home, log, settings: { fsync: 'off', shared_buffers: '64MB' }, sync: false });
  const shares = [await open()];
  const [first] = shares;
  const data = join(findServerPlace(home).cluster, 'data');
  return {
    url: first?.url ?? '',
    async restart() {
      const postmaster = findPostmaster(data);
      check(postmaster, 'the server runs');
      process.kill(postmaster.pid, 'SIGQUIT');
      await eventually(() => check(!findPostmaster(data), 'the server is gone'));
      const again = await open();
      shares.push(again);
      check(again.url === first?.url, 'the server is back at its place');
    },
    async stop() {
      for (const share of shares) await share.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
