// A process that sends what waits, to be killed while it does. It says `sending` when it begins.
import { createPool } from '../platform/database/pool.ts';
import { alerting, testCipher } from './alerting.fixture.ts';
import { sendDue } from './send-port.ts';

const [databaseUrl = '', mailUrl = ''] = process.argv.slice(2);
const pool = createPool(databaseUrl, { applicationName: 'alert worker', max: 2 });
const cipher = await testCipher();
const { ports } = alerting(pool, cipher, mailUrl, 'worker');
process.stdout.write('sending\n');
await sendDue(ports);
