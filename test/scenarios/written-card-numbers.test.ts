import { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createCommandGuard } from '../../src/identity/command-guard.ts';
import { query } from '../../src/platform/database/pool.ts';
import { readInput } from '../../src/platform/http/call-input.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const card = '4111 1111 1111 1111';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** A command line of one command, begun as every command is. */
async function run(line: readonly string[]): Promise<boolean> {
  let ran = false;
  const guard = createCommandGuard({
    pool: async () => database.pool,
    user: 'kim',
    apiKey: undefined,
    now: () => Temporal.Now.instant(),
    onUnrecorded(error) {
      throw error;
    },
  });
  const program = new Command('jeongsan').exitOverride();
  program
    .command('breaks')
    .command('resolve')
    .argument('[ids...]')
    .option('--why <text>')
    .option('--tid <tid>')
    .action(() => {
      ran = true;
    });
  program.hook('preAction', (_, command) => guard.begin(command));
  await program.parseAsync(line, { from: 'user' });
  return ran;
}

test('no command keeps a card number that somebody wrote, and the trail does not either', async () => {
  await expect(run(['breaks', 'resolve', '1', '--why', `refunded to ${card}`])).rejects.toMatchObject({
    code: 'card_number_given',
    details: { field: '--why' },
  });
  expect(await query(database.pool, 'select from audit_entry')).toEqual([]);
  expect(await run(['breaks', 'resolve', '1', '--why', 'refunded to 411111******1111'])).toBe(true);
  // What is asked for by a number that looks like one.
  expect(await run(['breaks', 'resolve', '1', '--tid', '4111111111111111'])).toBe(true);
});

test('no request does', () => {
  const schemas = { query: z.object({ fileName: z.string().optional() }), body: z.object({ reason: z.string() }) };
  const read = (reason: string, query = '') =>
    readInput({ params: {}, query: new URLSearchParams(query), body: { reason } }, schemas, 'en');
  const refused = expect.objectContaining({ code: 'card_number_given' });
  expect(() => read(`refunded to ${card}`)).toThrow(refused);
  expect(() => read('fine', 'fileName=4111111111111111.csv')).toThrow(refused);
  expect(read('refunded to 411111******1111').body).toEqual({ reason: 'refunded to 411111******1111' });
});
