import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommand } from '../../test/support/commands.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import { addRegistrationCommands } from './registration-commands.ts';
import type { RegistrationRequest, RegistrationResult } from './registration-workflow.ts';

let database: TestDatabase;
const asked: RegistrationRequest[] = [];
/** Whether Welcome's answer is still to come. */
let waits = false;

beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query(
    `insert into claim_file (provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won, bytes, sha256,
       archive_path) values ('welcome', 'registration', '2026-11-20', '', 'reg_req', 'answered', 2, 0, 0, 1, $1, 'x')`,
    ['ab'.repeat(32)],
  );
  await database.pool.query(
    `insert into registration (provider, merchant_id, acquirer, action, final_no, intermediary_no, shop_name, state, file_id,
       code, reason, requested_by, requested_at)
     select provider, merchant, '신한카드', action, '1234567891', null, name, r.state, case when r.state <> 'refused' then file_id end,
            code, r.reason, 'kim', '2026-11-20T01:00:00Z'
       from claim_file, (values
         (1, 'M1', 'N', '해운대떡집', 'accepted', '00', null),
         (2, 'M2', 'C', '뷁', 'rejected', '12', 'welcome:12'),
         (3, 'M3', 'N', '😀', 'refused', null, 'shopName not_in_encoding 😀'),
         (4, 'M4', 'T', '똠', 'requested', null, null)) as r (n, merchant, action, name, state, code, reason) order by n`,
  );
});
afterAll(() => database.close());

const result = (request: RegistrationRequest): RegistrationResult => ({
  runId: `registration:${request.provider}:${request.on}`,
  provider: request.provider,
  on: request.on,
  outcome: request.provider === 'ksnet' ? 'expired' : 'answered',
  fileName: 'reg_req',
  added: 1200,
  changed: 2,
  terminated: 1,
  refused: 3,
  accepted: 1199n,
  rejected: 1n,
  setAside: 0n,
  late: 0,
});

function run(line: readonly string[], language: 'ko' | 'en' = 'en') {
  asked.splice(0);
  const register = async (request: RegistrationRequest) => {
    asked.push(request);
    if (request.provider === 'nice')
      throw new Problem('differential_not_configured', { provider: 'nice', variable: 'X' });
    if (request.provider === 'welcome' && waits) {
      await database.pool.query(
        `insert into claim_file (provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won, bytes,
           sha256, archive_path) values ('welcome', 'registration', $1, '', 'reg_out', 'sent', 2, 0, 0, 1, $2, 'x')`,
        [request.on, 'ab'.repeat(32)],
      );
      return await new Promise<never>(() => {});
    }
    return result(request);
  };
  return runCommand(
    database.pool,
    line,
    (program, context, output) =>
      addRegistrationCommands(
        program as Command,
        context,
        (work) => work({ pool: database.pool, registrations: { register } }),
        {
          output,
          now: () => Temporal.Instant.from('2026-11-20T15:30:00Z'),
          configured: ['welcome', 'ksnet'],
        },
      ),
    { language },
  );
}

/** The lines of a table without the rule below its titles. */
const linesOf = (said: string) => said.split('\n').flatMap((line) => (line.startsWith('─') ? [] : [line.trimEnd()]));

describe('differential register', () => {
  test('asks every provider that has an address, for the day of Seoul', async () => {
    const { said, exitCode } = await run(['register']);
    expect(asked).toEqual(['welcome', 'ksnet'].map((provider) => ({ provider, on: '2026-11-21', who: 'operator' })));
    expect(linesOf(said)).toEqual([
      'provider  day         outcome     new  changed  terminated  refused  accepted  rejected  set aside  late',
      'welcome   2026-11-21  answered  1,200        2           1        3     1,199         1          0     0',
      'ksnet     2026-11-21  expired   1,200        2           1        3     1,199         1          0     0',
      '',
    ]);
    expect(exitCode).toBe(3);
  });

  test('need not wait for the answers', async () => {
    waits = true;
    const { said, exitCode } = await run(['register', '--no-wait', '--json']);
    waits = false;
    expect(JSON.parse(said)).toMatchObject([{ provider: 'ksnet' }]);
    expect(exitCode).toBe(3);
  });

  test('says of one that failed why, and what the others came to', async () => {
    const { said, exitCode } = await run([
      'register',
      '--on',
      '2026-11-20',
      '--provider',
      'nice',
      'welcome',
      '--json',
      '--by',
      'lee',
    ]);
    expect(JSON.parse(said)).toMatchObject([
      { run: 'registration:nice:2026-11-20', outcome: 'failed', error: { code: 'differential_not_configured' } },
      { run: 'registration:welcome:2026-11-20', outcome: 'answered', accepted: 1199, added: 1200 },
    ]);
    expect(asked[0]?.who).toBe('lee');
    expect(exitCode).toBe(1);
  });

  test.each([[['register', '--on', '2026-02-30']], [['register', '--provider', 'nobody']]])(
    'refuses %j',
    async (line) => {
      await expect(async () => run(line)).rejects.toSatisfy((error) => isProblem(error, 'usage'));
      expect(asked).toEqual([]);
    },
  );
});

describe('differential registrations', () => {
  test('shows what became of each request, in words', async () => {
    const { said } = await run(['registrations'], 'ko');
    const lines = linesOf(said).map((line) => line.split(/ {2,}/));
    expect(lines).toEqual([
      ['신청', '원천사', '구분', '가맹점', '카드사', '사업자번호', '중간하위', '상호', '상태', '사유'],
      ['2026-11-20 10:00', 'welcome', '해지', 'M4', '신한카드', '1234567891', '똠', '회신 대기'],
      [
        '2026-11-20 10:00',
        'welcome',
        '신규',
        'M3',
        '신한카드',
        '1234567891',
        '😀',
        '작성 불가',
        '상호: 문자 집합에 없는 바이트입니다 (😀)',
      ],
      [
        '2026-11-20 10:00',
        'welcome',
        '변경',
        'M2',
        '신한카드',
        '1234567891',
        '뷁',
        '반려',
        'welcome:12 중간하위사업자번호 오류',
      ],
      ['2026-11-20 10:00', 'welcome', '신규', 'M1', '신한카드', '1234567891', '해운대떡집', '등록'],
      [''],
    ]);
  });

  test('takes filters, and gives JSON', async () => {
    const merchants = async (...line: string[]) =>
      (JSON.parse((await run(['registrations', '--json', ...line])).said) as { merchantId: string }[]).map(
        ({ merchantId }) => merchantId,
      );
    expect(await merchants('--state', 'refused', 'rejected')).toEqual(['M3', 'M2']);
    expect(await merchants('--merchant', 'M1')).toEqual(['M1']);
    expect(await merchants('--provider', 'ksnet')).toEqual([]);
    expect(await merchants('--limit', '1')).toEqual(['M4']);
    const [row] = JSON.parse((await run(['registrations', '--json', '--merchant', 'M2'])).said) as object[];
    expect(row).toMatchObject({
      action: 'change',
      state: 'rejected',
      code: '12',
      reason: 'welcome:12',
      fileName: 'reg_req',
    });
    expect((await run(['registrations', '--limit', '2'])).said).toContain('2 of 4');
  });

  test('refuses a state that there is not', async () => {
    await expect(async () => run(['registrations', '--state', 'x'])).rejects.toSatisfy((error) =>
      isProblem(error, 'usage'),
    );
  });
});
