// A process with work in hand, for shutdown.test.ts. Its log goes to standard output.
import { createServer } from 'node:http';
import { pino } from 'pino';
import { createShutdown } from './shutdown.ts';

const [, , mode = 'obedient', graceMs = '20000', hardLimitMs = '60000'] = process.argv;
const log = pino({ level: 'debug' }, pino.destination({ dest: 1, sync: true }));
const shutdown = createShutdown({ log, graceMs: Number(graceMs), hardLimitMs: Number(hardLimitMs) });

const server = createServer().listen(0, '127.0.0.1');
shutdown.onClose('database', () => log.info('database closed'));
shutdown.onClose('broken', () => {
  throw new Error('cannot');
});
shutdown.onClose('http', () => new Promise<void>((resolve) => server.close(() => resolve())));

const work = shutdown.active.begin('reconcile:2026-11-20:1');
shutdown.signal.addEventListener('abort', () => {
  if (mode === 'obedient') setImmediate(() => work.end());
});
if (mode === 'hanging') shutdown.onClose('hanging', () => new Promise<void>(() => {}));
shutdown.started();
