// A process that holds a role in a home until its standard input ends, or says why it may not.
import { isProblem } from '../kernel/problem.ts';
import { holdInstance } from './instance-lock.ts';

const [, , home = '', port = '0'] = process.argv;
try {
  const instance = holdInstance(home, 'server');
  instance.announce({ port: Number(port) });
  process.stdout.write('held\n');
  process.stdin.once('data', () => {
    instance.release();
    process.exit();
  });
} catch (error) {
  if (!isProblem(error)) throw error;
  process.stdout.write(`${JSON.stringify({ code: error.code, ...error.details })}\n`);
}
