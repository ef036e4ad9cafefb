import { describe, expect, test } from 'vitest';
import { listFindings } from '../findings/store.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import { storyClock } from './exchange.fixture.ts';
import { filesIn, registrationWorld } from './registration.fixture.ts';

const world = registrationWorld();
const day = '2026-11-20';
const requestName = 'reg_welcome_1248100998_20261120_req';
const answerName = 'reg_welcome_1248100998_20261120_res';

/** Merchants M1 to M<n>, each with a sale to be registered for. */
async function merchants(n: number, channel = 'welcome-online') {
  for (let no = 1; no <= n; no += 1) await world.merchant(`M${no}`);
  await world.sold(...Array.from({ length: n }, (_, no) => `M${no + 1} 신한카드 2026-11-19 ${channel}`));
}
const at = (moment: string, act: () => Promise<unknown>) => world.clock.at(moment, act);
const answer = (...args: Parameters<typeof world.answer>) => world.answer(...args);

describe.each([
  ['welcome', 'sftp', 'welcome-online'],
  ['ksnet', 'https', 'ksnet'],
] as const)('%s by %s', (provider, kind, channel) => {
  test('a request goes out once, and its answer is put down: accepted, or rejected with its code', async () => {
    world.kind = kind;
    await merchants(2, channel);
    at('2026-11-20 10:05', () => answer(provider, day, [{ merchantId: 'M1' }, { merchantId: 'M2', code: '12' }]));
    const result = await world.register(provider, day);
    expect(result).toMatchObject({ outcome: 'answered', added: 2, accepted: 1n, rejected: 1n, setAside: 0n });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00', `N M2 신한카드 rejected 12 ${provider}:12`]);
    expect(await world.asked(provider, day)).toHaveLength(2);
    const [finding] = await listFindings(world.db.pool);
    expect(finding).toMatchObject({
      kind: 'registration_rejected',
      subject: provider,
      detail: { requests: 1, first: [{ merchantId: 'M2', acquirer: '신한카드', reason: `${provider}:12` }] },
    });
  });
});

describe('an answer', () => {
  test('that is half is applied, and the other half is waited for', async () => {
    await merchants(2);
    at('2026-11-20 10:05', () => answer('welcome', day, [{ merchantId: 'M1' }]));
    at('2026-11-20 10:25', async () => {
      expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00', 'N M2 신한카드 requested']);
      await answer('welcome', day, [{ merchantId: 'M1' }, { merchantId: 'M2' }]);
    });
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'answered', accepted: 2n });
    expect(await world.rows('select accepted, repeated from answer_file order by version')).toEqual([
      { accepted: 1n, repeated: 0n },
      { accepted: 1n, repeated: 1n },
    ]);
  });

  test('with lines that nothing can be made of: they are set aside and told, their requests stay open', async () => {
    await merchants(4);
    at('2026-11-20 10:05', () =>
      answer('welcome', day, [
        { merchantId: 'M1' },
        { merchantId: 'M1' },
        { merchantId: 'STRANGER' },
        { merchantId: 'M2', code: 'Z9' },
        { merchantId: 'M3', finalNo: '2208162517' },
        { merchantId: 'M4' },
        { merchantId: 'M4', code: '12' },
        { merchantId: 'M4', action: 'C' },
      ]),
    );
    const result = await world.register('welcome', day);
    expect(result).toMatchObject({ outcome: 'expired', accepted: 1n, rejected: 0n, setAside: 6n });
    expect(await world.requests()).toEqual([
      'N M1 신한카드 accepted 00',
      ...['M2', 'M3', 'M4'].map((id) => `N ${id} 신한카드 requested`),
    ]);
    expect(await world.rows('select lines, accepted, rejected, repeated, set_aside from answer_file')).toEqual([
      { lines: 8n, accepted: 1n, rejected: 0n, repeated: 1n, set_aside: 6n },
    ]);
    expect(await world.findings()).toEqual([
      `registration_set_aside ${answerName}`,
      `differential_unanswered ${requestName}`,
    ]);
    const [setAside] = await listFindings(world.db.pool, { kind: 'registration_set_aside' });
    const first = (setAside?.detail['first'] ?? []) as { line: number; problem: string }[];
    expect(first.map(({ line, problem }) => `${line} ${problem}`)).toEqual([
      '4 unknown_registration',
      '5 unknown_code',
      '6 final_no_differs',
      '7 answered_twice',
      '8 answered_twice',
      '9 unknown_registration',
    ]);
  });

  test('that is corrected: the later word counts, and ends what had been set aside', async () => {
    await merchants(2);
    at('2026-11-20 10:05', () =>
      answer('welcome', day, [
        { merchantId: 'M1', code: '12' },
        { merchantId: 'M2', code: 'Z9' },
      ]),
    );
    at('2026-11-20 10:25', () => answer('welcome', day, [{ merchantId: 'M1' }, { merchantId: 'M2' }]));
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'answered', accepted: 2n, rejected: 1n });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00', 'N M2 신한카드 accepted 00']);
    expect(await world.findings()).toContain(`registration_set_aside ${answerName} closed`);
  });

  test('that comes after its deadline is applied by a later day', async () => {
    await merchants(1);
    // Friday: the deadline is Wednesday at 18:00.
    at('2026-11-25 18:30', async () => {});
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'expired', accepted: 0n });
    expect(await world.findings()).toEqual([`differential_unanswered ${requestName}`]);
    await answer('welcome', day, [{ merchantId: 'M1' }]);
    expect(await world.register('welcome', '2026-11-26')).toMatchObject({ outcome: 'empty', late: 1 });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00']);
    expect(await world.findings()).toEqual([`differential_unanswered ${requestName} closed`]);
  });

  test('that never comes: once nobody looks for it any more it is asked for again', async () => {
    await merchants(1);
    await world.register('welcome', day);
    // Looked for 14 days back: on 2026-12-04 the file of 2026-11-20 still is, on 2026-12-05 no more.
    await world.sold('M1 신한카드 2026-12-01 welcome-online');
    world.clock = storyClock('2026-12-04 10:00');
    expect(await world.register('welcome', '2026-12-04')).toMatchObject({ outcome: 'empty' });
    world.clock = storyClock('2026-12-05 10:00');
    at('2026-12-07 09:05', () => world.acceptAll('welcome', '2026-12-05'));
    expect(await world.register('welcome', '2026-12-05')).toMatchObject({ added: 1, accepted: 1n });
    expect(await world.requests()).toEqual(['N M1 신한카드 rejected unanswered', 'N M1 신한카드 accepted 00']);
  });

  test('to a day long past that never comes: it is asked for again once nobody looks for it, not before', async () => {
    await merchants(1);
    await world.sold('M1 신한카드 2026-12-21 welcome-online');
    world.clock = storyClock('2026-12-21 10:00');
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'expired' });
    world.clock = storyClock('2026-12-26 10:00');
    expect(await world.register('welcome', '2026-12-26')).toMatchObject({ outcome: 'empty', added: 0 });
    await answer('welcome', day, [{ merchantId: 'M1' }]);
    expect(await world.register('welcome', '2026-12-27')).toMatchObject({ late: 1 });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00']);
  });

  test('that comes after nobody was thought to answer any more counts all the same', async () => {
    await merchants(1);
    await world.register('welcome', day);
    world.clock = storyClock('2026-12-05 10:00');
    await world.register('welcome', '2026-12-05');
    expect(await world.requests()).toEqual(['N M1 신한카드 rejected unanswered']);
    await answer('welcome', day, [{ merchantId: 'M1' }]);
    expect(await world.register('welcome', '2026-12-04')).toMatchObject({ late: 1 });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00']);
    expect(await world.rows('select accepted, repeated from answer_file')).toEqual([{ accepted: 1n, repeated: 0n }]);
  });

  test.each([
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100), 'statement_'],
    [
      'of another day',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('20261120', '20261119'), 'latin1'),
      'statement_other_day',
    ],
    [
      'with another total',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(/020000003/, '020000004'), 'latin1'),
      'statement_totals_differ',
    ],
  ])('that is %s leaves nothing behind, and corrected bytes are taken', async (_, damage, code) => {
    await merchants(1);
    at('2026-11-20 10:05', () => answer('welcome', day, [{ merchantId: 'M1' }], damage));
    at('2026-11-20 10:25', async () => {
      expect(await world.requests()).toEqual(['N M1 신한카드 requested']);
      const [finding] = await listFindings(world.db.pool);
      expect(finding).toMatchObject({ kind: 'answer_refused', detail: { code: expect.stringContaining(code) } });
      await answer('welcome', day, [{ merchantId: 'M1' }]);
    });
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'answered', accepted: 1n });
  });
});

describe('what was rejected', () => {
  const registerWith = async (on: string, code: string) => {
    world.clock = storyClock(`${on} 10:00`);
    at(`${on} 10:05`, () => answer('welcome', on, [{ merchantId: 'M1', code }]));
    return await world.register('welcome', on);
  };

  // At most three tries of the same, and for the same reason (a code that may be corrected) once more.
  test.each([
    [['12', '12'], 'a second time for the same reason'],
    [['12', '01', '09'], 'three times'],
    [['13'], 'for good'],
  ])('%j: %s, and is not asked for again before it reads differently', async (codes) => {
    await merchants(1);
    await world.sold('M1 신한카드 2026-11-24 welcome-online');
    for (const [n, code] of codes.entries()) {
      expect(await registerWith(`2026-11-2${n}`, code)).toMatchObject({ added: 1, rejected: 1n });
    }
    expect(await world.register('welcome', '2026-11-25')).toMatchObject({ outcome: 'empty', added: 0 });
    await world.rename('M1', '새 이름');
    expect((await world.findings()).at(-1)).toBe('registration_rejected welcome');
    expect(await registerWith('2026-11-26', '00')).toMatchObject({ added: 1, accepted: 1n });
    expect((await world.findings()).at(-1)).toBe('registration_rejected welcome closed');
  });
});

describe('a run that dies', () => {
  /** The first use of `method` ends the process's work right after (or before) it; the step is tried again as after a restart. */
  const dieOnce = (method: 'put' | 'rename', when: 'before' | 'after') => {
    let died = false;
    world.around = (remote) =>
      new Proxy(remote, {
        get(target, name) {
          const own = Reflect.get(target, name) as unknown;
          if (typeof own !== 'function') return own;
          if (name !== method || died) return own.bind(target);
          return async (...args: unknown[]) => {
            died = true;
            if (when === 'after') await own.apply(target, args);
            throw new Error('killed');
          };
        },
      }) as RemoteFolder;
  };

  test.each([
    ['put', 'before', false],
    ['put', 'after', false],
    ['rename', 'before', false],
    ['rename', 'after', true],
  ] as const)('%s, %s: its file is sent once', async (method, when, foundThere) => {
    await merchants(1);
    dieOnce(method, when);
    at('2026-11-20 10:05', () => world.acceptAll('welcome', day));
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'answered', accepted: 1n });
    expect(await filesIn(world, 'in')).toEqual([requestName]);
    expect(await world.rows('select found_there from claim_file')).toEqual([{ found_there: foundThere }]);
  });
});
