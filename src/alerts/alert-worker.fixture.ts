// A process that sends what waits, to be killed while it does. It says `sending` when it begins.
import { openCipher } from '../platform/cipher.ts';
import { createPool } from '../platform/database/pool.ts';
import { alerting } from './alerting.fixture.ts';
import { sendDue } from './send-port.ts';

const [databaseUrl = '', mailUrl = '', home = ''] = process.argv.slice(2);
const pool = createPool(databaseUrl, { applicationName: 'alert worker', max: 2 });
const cipher = await openCipher({ home });
const { ports } = alerting(pool, cipher, mailUrl, 'worker');
process.stdout.write('sending\n');
await sendDue(ports);
