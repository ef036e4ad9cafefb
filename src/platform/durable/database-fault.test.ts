import { expect, test } from 'vitest';
import { isPassingFault } from './database-fault.ts';

const failed = (facts: object) => Object.assign(new Error('it failed'), facts);

test.each([
  ['a serialization failure', failed({ code: '40001' }), true],
  ['a deadlock', failed({ code: '40P01' }), true],
  ['a lost connection, by its state', failed({ code: '08006' }), true],
  ['a lost connection, by the system call', failed({ code: 'ECONNRESET', syscall: 'read' }), true],
  ['a server that shuts down', failed({ code: '57P01' }), true],
  ['several addresses that refuse', new AggregateError([failed({ syscall: 'connect' })]), true],
  ['a statement with too many parameters', failed({ code: '08P01' }), false],
  ['a broken constraint', failed({ code: '23505' }), false],
  ['an error of our own', failed({}), false],
  ['something else that was thrown', 'it failed', false],
])('%s', (_, error, passing) => {
  expect(isPassingFault(error)).toBe(passing);
});
