// A process that uses the embedded server of a home until it is told to go, or is killed.
import { once } from 'node:events';
import { pino } from 'pino';
import { openEmbedded } from './embedded.ts';

const [, , home = ''] = process.argv;
const settings = { shared_buffers: '32MB', max_wal_size: '128MB', min_wal_size: '32MB' };
const server = await openEmbedded({
  home,
  log: pino(pino.destination({ dest: 2, sync: true })),
  settings,
  sync: false,
});
process.stdout.write(`${server.url}\n`);
await once(process.stdin, 'data');
await server.close();
process.stdout.write('closed\n');
process.exit();
