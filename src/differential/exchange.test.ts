import { truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerName, exchangeWorld, fileName, seoulInstant, storyClock, validationName } from './exchange.fixture.ts';

const world = exchangeWorld();

/** 2026-11-20 is a Friday: its file goes out on Saturday at 00:30, answers are due from Monday 09:00 to Wednesday 18:00. */
const sendAt = '2026-11-21 00:30';
let runs = 0;
const newRun = () => {
  runs += 1;
  return `exchange:${runs}`;
};
const file = async () => (await world.rows('select * from claim_file'))[0] as Record<string, unknown>;
const timeOf = (at: unknown) => (at as Date).toISOString();

describe('sending', () => {
  test.each(['sftp', 'https'] as const)(
    '%s: the bytes stand there whole, under their name, once it is time',
    async (kind) => {
      world.kind = kind;
      const fileId = await world.written('claims', 3);
      world.clock.at('2026-11-23 09:05', () => world.answer(answerName, 'A 3'));
      const [exchanged] = await world.run(newRun(), [fileId], sendAt);
      expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('claims');
      await expect(world.remotes.on(`in/${fileName}.part`)).rejects.toThrow('ENOENT');
      expect(exchanged).toMatchObject({
        state: 'answered',
        foundThere: false,
        answers: 1,
        accepted: 3n,
        differenceWon: 300n,
      });
      const { sending_at, sent_at, poll_from, deadline_at } = await file();
      expect([sending_at, sent_at].map(timeOf)).toEqual(Array(2).fill('2026-11-20T15:30:00.000Z'));
      expect(timeOf(poll_from)).toBe('2026-11-23T00:00:00.000Z');
      expect(timeOf(deadline_at)).toBe('2026-11-25T09:00:00.000Z');
    },
  );

  test('a day that is past goes out at once', async () => {
    const fileId = await world.written('claims', 1);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, 'A 1'));
    await world.run(newRun(), [fileId], '2026-11-02 00:30');
    expect(world.clock.waits[0]).toBe('2026-11-23T09:00:00');
  });
});

describe('receiving', () => {
  test('looks on the schedule until the answer is there, and lets it rest', async () => {
    const fileId = await world.written('claims', 2);
    world.clock.at('2026-11-23 09:15', () => world.answer(answerName, 'A 2'));
    await world.run(newRun(), [fileId]);
    expect(world.clock.waits).toEqual(['09:00:00', '09:10:00', '09:20:00', '09:20:10'].map((at) => `2026-11-23T${at}`));
  });

  test('a validation comes first, and the answer closes the file', async () => {
    const fileId = await world.written('claims', 2);
    world.clock.at('2026-11-23 08:00', () => world.answer(validationName, 'A 0'));
    world.clock.at('2026-11-23 13:00', () => world.answer(answerName, 'A 2'));
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'answered', answers: 2 });
    expect(await world.rows('select stage, state from answer_file order by answer_id')).toEqual([
      { stage: 'validation', state: 'applied' },
      { stage: 'answer', state: 'applied' },
    ]);
    expect(await world.findings()).toEqual([]);
  });

  test('an answer that comes before its validation is applied all the same, and noted', async () => {
    const fileId = await world.written('claims', 2);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, 'A 1'));
    world.clock.at('2026-11-23 11:00', () => world.answer(validationName, 'A 1'));
    await world.run(newRun(), [fileId]);
    expect(await world.findings()).toEqual([`differential_validation_missing ${fileName} closed`]);
    expect((await file())['state']).toBe('answered');
  });

  test('half an answer is applied, and the other half is waited for', async () => {
    const fileId = await world.written('claims', 5);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, 'A 2'));
    world.clock.at('2026-11-24 15:00', () => world.answer(answerName, 'A 3', '2026-11-24T06:00:00Z'));
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'answered', answers: 2, accepted: 5n });
    expect(await world.rows('select version from answer_file order by 1')).toEqual([{ version: 1 }, { version: 2 }]);
  });

  test('a file that still grows is not taken before it rests', async () => {
    const fileId = await world.written('claims', 3);
    world.clock.at('2026-11-23 09:00:00', () => world.answer(answerName, 'A ', '2026-11-23T00:00:00Z'));
    world.clock.at('2026-11-23 09:00:05', () => world.answer(answerName, 'A 3', '2026-11-23T00:00:05Z'));
    await world.run(newRun(), [fileId]);
    expect(await world.rows('select bytes from answer_file')).toEqual([{ bytes: 3n }]);
    expect(world.clock.now().equals(seoulInstant('2026-11-23 09:10:10'))).toBe(true);
  });

  test('what is far too long for an answer is not read, and people are told', async () => {
    const fileId = await world.written('claims', 1);
    world.clock.at('2026-11-23 09:00', async () => {
      await world.answer(answerName, 'A 1');
      await truncate(path.join(world.remotes.folder, 'out', answerName), 20_000_000_000);
    });
    world.clock.at('2026-11-23 10:00', async () => {
      expect(world.remotes.sftp.seen.servedBytes).toBe(0);
      const [finding] = await world.rows(`select kind, detail->>'reason' as reason from finding`);
      expect(finding).toMatchObject({ kind: 'differential_unreachable' });
      expect(finding?.['reason']).toContain(`${answerName}: 20000000000 bytes are no answer to 6`);
      await world.answer(answerName, 'A 1');
    });
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged?.state).toBe('answered');
    expect(await world.findings()).toContain('differential_unreachable welcome closed');
  });

  test('an empty file is one that is still to be written', async () => {
    const fileId = await world.written('claims', 1);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, ''));
    world.clock.at('2026-11-23 09:05', () => world.answer(answerName, 'A 1'));
    await world.run(newRun(), [fileId]);
    expect(await world.rows('select version from answer_file')).toEqual([{ version: 1 }]);
  });

  test('a refused answer leaves nothing behind, is told, and corrected bytes are taken', async () => {
    const fileId = await world.written('claims', 1);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, 'BAD'));
    world.clock.at('2026-11-23 17:00', async () => {
      expect(await world.findings()).toEqual([`answer_refused ${answerName}`]);
      expect(await world.rows('select * from applied')).toEqual([]);
      await world.answer(answerName, 'A 1', '2026-11-23T08:00:00Z');
    });
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'answered', answers: 1 });
    expect(await world.rows('select state, problem from answer_file order by version')).toEqual([
      { state: 'refused', problem: { code: 'statement_empty', details: { file: answerName } } },
      { state: 'applied', problem: null },
    ]);
    expect((await world.findings())[0]).toBe(`answer_refused ${answerName} closed`);
  });

  test('a server that cannot be reached is looked for again, and people are told meanwhile', async () => {
    const fileId = await world.written('claims', 1);
    let told: string[] = [];
    world.clock.at('2026-11-23 09:00', async () => {
      await world.answer(answerName, 'A 1');
      world.address = { port: 1 };
    });
    world.clock.at('2026-11-23 09:35', async () => {
      told = await world.findings();
      world.address = {};
    });
    await world.run(newRun(), [fileId]);
    expect(told).toEqual(['differential_unreachable welcome']);
    expect(world.clock.now().equals(seoulInstant('2026-11-23 09:40:10'))).toBe(true);
    expect(await world.findings()).toContain('differential_unreachable welcome closed');
  });

  test('days of nothing cost a handful of checkpoints', async () => {
    const fileId = await world.written('claims', 1);
    const id = newRun();
    await world.run(id, [fileId]);
    const [row] = await world.rows(`select count(*) as n from dbos.operation_outputs where workflow_uuid = '${id}'`);
    expect(Number(row?.['n'])).toBeLessThan(12);
    expect(world.clock.waits.length).toBeGreaterThan(300);
  });
});

describe('the deadline', () => {
  test('a file that nobody answered is expired, and people are told how much of it is open', async () => {
    const fileId = await world.written('claims', 5);
    world.clock.at('2026-11-23 09:00', () => world.answer(answerName, 'A 2'));
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'expired', answers: 1, accepted: 2n });
    expect(world.clock.now().equals(seoulInstant('2026-11-25 18:00'))).toBe(true);
    const [finding] = await world.rows(`select detail from finding where kind = 'differential_unanswered'`);
    expect(finding?.['detail']).toMatchObject({ lines: '5', unanswered: '3', deadline: '2026-11-25T09:00:00.000Z' });
  });

  test('what stands there at the very deadline counts', async () => {
    const fileId = await world.written('claims', 1);
    world.clock.at('2026-11-25 18:00', () => world.answer(answerName, 'A 1'));
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged?.state).toBe('answered');
  });

  test('a clock that jumps over the deadline looks once more before it gives up', async () => {
    const fileId = await world.written('claims', 1);
    await world.answer(answerName, 'A 1');
    const { waitUntil } = world.clock;
    Object.assign(world.clock, { waitUntil: () => waitUntil(seoulInstant('2027-01-04 12:00'), '') });
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged?.state).toBe('answered');
  });

  test('a later run takes what came late, tells what is still open, and closes the finding in the end', async () => {
    const fileId = await world.written('claims', 3);
    await world.run(newRun(), [fileId]);
    await world.answer(answerName, 'A 1', '2026-11-27T00:00:00Z');
    expect(await world.late(newRun(), '2026-11-27')).toBe(1);
    expect((await file())['state']).toBe('expired');
    expect(
      await world.rows(`select times, detail->>'unanswered' as open from finding where closed_at is null`),
    ).toContainEqual({ times: 2, open: '2' });
    await world.answer(answerName, 'A 2', '2026-11-28T00:00:00Z');
    expect(await world.late(newRun(), '2026-11-28')).toBe(1);
    expect((await file())['state']).toBe('answered');
    expect(await world.findings()).toContain(`differential_unanswered ${fileName} closed`);
  });

  test('a file whose run was cancelled expires with a later run, once its deadline has passed', async () => {
    const fileId = await world.written('claims', 3);
    const id = newRun();
    world.clock.at('2026-11-23 09:05', async () => {
      await world.durable.cancel(id);
      throw new Error('nobody looks any more');
    });
    await expect(world.run(id, [fileId])).rejects.toThrow();
    expect((await file())['state']).toBe('sent');
    world.clock = storyClock('2026-11-25 17:59');
    expect(await world.late(newRun(), '2026-11-25')).toBe(0);
    expect([(await file())['state'], await world.findings()]).toEqual(['sent', []]);
    world.clock = storyClock('2026-11-25 18:00');
    expect(await world.late(newRun(), '2026-11-25')).toBe(0);
    expect([(await file())['state'], await world.findings()]).toEqual([
      'expired',
      [`differential_unanswered ${fileName}`],
    ]);
  });

  test('a corrected answer of the same length is taken, one that did not change is not read again', async () => {
    const fileId = await world.written('claims', 1);
    await world.answer(answerName, 'A 1a');
    await world.run(newRun(), [fileId]);
    const served = world.remotes.sftp.seen.servedBytes;
    expect(await world.late(newRun(), '2026-11-25')).toBe(0);
    expect(world.remotes.sftp.seen.servedBytes).toBe(served);
    await world.answer(answerName, 'A 1b', '2026-11-24T09:00:00Z');
    expect(await world.late(newRun(), '2026-11-25')).toBe(1);
    expect(await world.rows('select version from answer_file order by 1')).toEqual([{ version: 1 }, { version: 2 }]);
  });

  test('an answer whose applying fails harms no other file, is told, and comes before its corrections', async () => {
    world.perMid = true;
    const files = [await world.written('claims', 1, 'A'), await world.written('claims', 1, 'B')];
    await world.run(newRun(), files);
    await world.answer(`${answerName}_A`, 'BUG 1', '2026-11-27T00:00:00Z');
    expect(await world.late(newRun(), '2026-11-27')).toBe(0);
    await world.answer(`${answerName}_A`, 'A 1', '2026-11-27T01:00:00Z');
    await world.answer(`${answerName}_B`, 'A 1', '2026-11-27T01:00:00Z');
    expect(await world.late(newRun(), '2026-11-27')).toBe(1);
    const states = 'select file_name, version, state from answer_file order by answer_id';
    expect(await world.rows(states)).toEqual([
      { file_name: `${answerName}_A`, version: 1, state: 'received' },
      { file_name: `${answerName}_A`, version: 2, state: 'received' },
      { file_name: `${answerName}_B`, version: 1, state: 'applied' },
    ]);
    const told = await world.rows(
      `select times, detail - 'version' as detail from finding where kind = 'answer_refused'`,
    );
    expect(told).toEqual([
      { times: 2, detail: { provider: 'welcome', code: 'error', reason: 'nobody thought of this' } },
    ]);
    // Whoever mends the program ends it.
    world.isMended = true;
    expect(await world.late(newRun(), '2026-11-28')).toBe(2);
    expect(await world.findings()).toContain(`answer_refused ${answerName}_A closed`);
  });

  test('in its own run, too, the other files of the day are answered before it fails', async () => {
    world.perMid = true;
    const files = [await world.written('claims', 1, 'A'), await world.written('claims', 1, 'B')];
    world.clock.at('2026-11-23 09:00', async () => {
      await world.answer(`${answerName}_A`, 'BUG 1');
      await world.answer(`${answerName}_B`, 'A 1');
    });
    const id = newRun();
    await expect(world.run(id, files)).rejects.toThrow('nobody thought of this');
    const states = () => world.rows('select mid, state from claim_file order by mid');
    expect(await states()).toEqual([
      { mid: 'A', state: 'sent' },
      { mid: 'B', state: 'answered' },
    ]);
    world.isMended = true;
    await world.durable.restart(id);
    await world.durable.handle(id).result();
    expect(await states()).toEqual([
      { mid: 'A', state: 'answered' },
      { mid: 'B', state: 'answered' },
    ]);
  });

  test('files beyond the days of looking back are left alone', async () => {
    const fileId = await world.written('claims', 1);
    await world.run(newRun(), [fileId]);
    await world.answer(answerName, 'A 1');
    expect(await world.late(newRun(), '2026-12-05')).toBe(0);
    expect(await world.late(newRun(), '2026-12-04')).toBe(1);
  });
});
