import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import type { Language } from '../kernel/problem.ts';
import { createAnswerBooks } from './answers.fixture.ts';
import { addBreakCommands } from './break-commands.ts';
import { addResendCommand } from './resend-commands.ts';

let database: TestDatabase;
let books: ReturnType<typeof createAnswerBooks>;
beforeAll(async () => {
  database = await testDatabase();
  books = createAnswerBooks(database.pool);
  const file = await books.file();
  await books.claim(file, { tid: 'T1' });
  await books.claim(file, { tid: 'T2' });
  await books.answer(file, [{ tid: 'T1', won: 175n }, { tid: 'T2', code: '13' }, { tid: 'T9' }]);
});
afterAll(async () => {
  books.close();
  await database.close();
});

const run = (line: readonly string[], language: Language = 'en') =>
  runCommand(
    database.pool,
    ['differential', ...line],
    (program, context, output) => {
      const noun = program.command('differential');
      addBreakCommands(noun, context, output);
      addResendCommand(noun, context, { output, today: () => Temporal.PlainDate.from('2026-11-24') });
    },
    { language },
  );

test('breaks are listed with ours and theirs, and resolved once by a person', async () => {
  const { said } = await run(['breaks', '--json']);
  expect(JSON.parse(said)).toMatchObject([
    {
      kind: 'unknown_claim',
      subject: 'daff_welcome_1234567891_20261120_req:T9/0',
      oursWon: null,
      theirsWon: 176,
      line: 5,
    },
    {
      kind: 'difference_differs',
      subject: 'welcome-online:T1/0',
      oursWon: 176,
      theirsWon: 175,
      line: 3,
      closedAt: null,
    },
  ]);
  expect((await run(['breaks'])).said).toMatch(/nobody claimed this[\s\S]*the difference differs[\s\S]*\n2 open\n$/);
  expect((await run(['breaks'], 'ko')).said).toMatch(/차액이 다름[\s\S]*\n미해소 2건\n$/);
  expect(JSON.parse((await run(['breaks', '--kind', 'unknown_claim', '--json'])).said)).toHaveLength(1);

  const id = String(JSON.parse(said)[0].id);
  const because = ['--because', 'the provider took the line back'];
  expect(JSON.parse((await run(['resolve', id, ...because, '--by', 'kim', '--json'])).said)).toMatchObject({
    closedBy: 'kim',
    resolution: 'the provider took the line back',
  });
  await expect(run(['resolve', id, ...because])).rejects.toMatchObject({ code: 'break_closed' });
  await expect(run(['resolve', '999', ...because])).rejects.toMatchObject({ code: 'not_found' });
  expect(JSON.parse((await run(['breaks', '--json'])).said)).toHaveLength(1);
  expect(JSON.parse((await run(['breaks', '--all', '--json'])).said)).toHaveLength(2);
});

test('what may not go again is refused with why', async () => {
  const because = ['--because', 'once more'];
  await expect(run(['resend', '--claim', 'T1', ...because])).rejects.toMatchObject({ code: 'resend_accepted' });
  await expect(run(['resend', '--claim', 'T2', ...because])).rejects.toMatchObject({ code: 'resend_state' });
  await expect(run(['resend', '--claim', 'T7/1', ...because])).rejects.toMatchObject({ code: 'not_found' });
  await expect(run(['resend', '--code', '09', ...because])).rejects.toMatchObject({ code: 'usage' });
  await expect(run(['resend', '--claim', 'T1', '--code', '09', ...because])).rejects.toMatchObject({ code: 'usage' });
  expect((await run(['resend', '--code', '09', '--provider', 'welcome', ...because])).said).toBe(
    '0 queued, 0 refused\n',
  );
});
