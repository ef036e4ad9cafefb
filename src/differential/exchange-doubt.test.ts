import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isProblem } from '../kernel/problem.ts';
import { answerName, exchangeWorld, fileName, seoulInstant } from './exchange.fixture.ts';
import { noteSending } from './file-store.ts';
import { decideFile } from './send-decision-store.ts';

const world = exchangeWorld();
let runs = 0;
const newRun = () => {
  runs += 1;
  return `doubt:${runs}`;
};
const there = () => readdir(path.join(world.remotes.folder, 'in'));
const file = async (name = fileName) =>
  (await world.rows(`select * from claim_file where file_name = '${name}'`))[0] as Record<string, unknown>;
const answerOn = (moment: string, text: string) => world.clock.at(moment, () => world.answer(answerName, text));

/** A process was killed after it had noted that it sends, at whatever moment. */
async function inDoubt(text: string, lines = 1): Promise<bigint> {
  const fileId = await world.written(text, lines);
  await noteSending(world.db.pool, fileId, seoulInstant('2026-11-21 00:30'));
  return fileId;
}

describe('a process was killed while it sent', () => {
  test('the file is there whole: noted as sent, and not sent again', async () => {
    const fileId = await inDoubt('claims');
    await world.remotes.place(`in/${fileName}`, Buffer.from('claims'));
    answerOn('2026-11-23 09:00', 'A 1');
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'answered', foundThere: true });
    expect(world.remotes.sftp.seen).toMatchObject({ takenBytes: 0, renames: 0 });
  });

  test('only a part of it is there, under its temporary name: sent', async () => {
    const fileId = await inDoubt('claims');
    await world.remotes.place(`in/${fileName}.part`, Buffer.from('cla'));
    answerOn('2026-11-23 09:00', 'A 1');
    const [exchanged] = await world.run(newRun(), [fileId]);
    expect(exchanged).toMatchObject({ state: 'answered', foundThere: false });
    expect(await there()).toEqual([fileName]);
    expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('claims');
  });

  test('nothing is there, and the provider leaves files where they are: sent', async () => {
    const fileId = await inDoubt('claims');
    answerOn('2026-11-23 09:00', 'A 1');
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', foundThere: false }]);
  });

  test('nothing is there, and the provider takes files away: a person decides', async () => {
    world.transport = { takesAway: true };
    const fileId = await inDoubt('claims');
    await expect(world.run(newRun(), [fileId])).rejects.toThrow('Nobody knows whether');
    expect(world.remotes.sftp.seen.takenBytes).toBe(0);
    expect(await file()).toMatchObject({ state: 'failed', reason: 'send_in_doubt' });
    expect(await world.findings()).toEqual([`differential_not_sent ${fileName}`]);
  });

  test('only its temporary name is there, and the provider takes files away: it never was renamed, so it is sent', async () => {
    world.transport = { takesAway: true };
    const fileId = await inDoubt('claims');
    await world.remotes.place(`in/${fileName}.part`, Buffer.from('claims'));
    answerOn('2026-11-23 09:00', 'A 1');
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', foundThere: false }]);
  });

  test('another file stands under its name: nothing is touched, and people are told', async () => {
    const fileId = await inDoubt('claims');
    await world.remotes.place(`in/${fileName}`, Buffer.from('something else'));
    const refused = await world.run(newRun(), [fileId]).catch((error: unknown) => error);
    expect(isProblem(refused, 'claim_file_differs') && refused.details).toMatchObject({ bytes: '6', theirBytes: 14 });
    expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('something else');
    expect(await world.findings()).toEqual([`differential_not_sent ${fileName}`]);
  });
});

test('an answer that another day took, while the run that sent the file is dead, settles it', async () => {
  const fileId = await inDoubt('claims');
  await world.remotes.place(`in/${fileName}`, Buffer.from('claims'));
  await world.answer(answerName, 'A 1');
  expect(await world.late(newRun(), '2026-11-22')).toBe(1);
  expect(await file()).toMatchObject({ state: 'answered', found_there: true });
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', answers: 1 }]);
  expect(world.remotes.sftp.seen).toMatchObject({ takenBytes: 0, renames: 0 });
});

test('a file whose lines were all settled otherwise does not expire', async () => {
  const fileId = await world.written('claims', 1);
  const settle = `insert into applied select 0, ${fileId}, 1`;
  world.clock.at('2026-11-24 12:00', () => world.db.pool.query(settle));
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', answers: 0 }]);
  expect(await world.findings()).toEqual([]);
});

describe('no doubt, and yet it is there', () => {
  test('with our size: taken as sent, as after a restored backup', async () => {
    const fileId = await world.written('claims', 1);
    await world.remotes.place(`in/${fileName}`, Buffer.from('claims'));
    answerOn('2026-11-23 09:00', 'A 1');
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', foundThere: true }]);
  });

  test('with our size and other bytes: nothing is touched, and people are told', async () => {
    const fileId = await world.written('claims', 1);
    await world.remotes.place(`in/${fileName}`, Buffer.from('claimz'));
    const refused = await world.run(newRun(), [fileId]).catch((error: unknown) => error);
    expect(isProblem(refused, 'claim_file_differs')).toBe(true);
    expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('claimz');
  });

  test('with another size: never replaced', async () => {
    const fileId = await world.written('claims', 1);
    await world.remotes.place(`in/${fileName}`, Buffer.from('theirs'.repeat(9)));
    await expect(world.run(newRun(), [fileId])).rejects.toThrow('ours 6 bytes, theirs 54');
    expect((await world.remotes.on(`in/${fileName}`)).length).toBe(54);
  });
});

describe('the connection is lost', () => {
  test.each(['drop', 'done, then drop', 'half done, then drop'] as const)(
    'while it is renamed (%s): once there',
    async (how) => {
      const fileId = await world.written('claims', 1);
      let lost = false;
      world.remotes.sftp.faults = {
        onRename: () => {
          if (lost) return undefined;
          lost = true;
          return how;
        },
      };
      answerOn('2026-11-23 09:00', 'A 1');
      expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered' }]);
      expect(await there()).toContain(fileName);
      expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('claims');
    },
  );

  test('while it is renamed, and it was taken away at once: a person decides', async () => {
    world.kind = 'https';
    world.transport = { takesAway: true };
    world.remotes.webdav.faults = { onMove: () => 'taken away, then drop' };
    const fileId = await world.written('claims', 1);
    await expect(world.run(newRun(), [fileId])).rejects.toThrow('Nobody knows whether');
    expect(await file()).toMatchObject({ state: 'failed', reason: 'send_in_doubt' });
  });

  test('while it is renamed, it was taken away, and nobody can be asked for a while: not sent a second time', async () => {
    world.kind = 'https';
    world.transport = { takesAway: true };
    let down = false;
    world.remotes.webdav.faults = {
      onMove: () => {
        down = true;
        return 'taken away, then drop';
      },
      onRequest: () => (down ? 'drop' : undefined),
    };
    world.clock.at('2026-11-21 00:02', async () => {
      down = false;
    });
    const fileId = await world.written('claims', 1);
    await expect(world.run(newRun(), [fileId])).rejects.toThrow('Nobody knows whether');
    const puts = world.remotes.webdav.seen.requests.filter((request) => request.startsWith('PUT'));
    expect(puts).toHaveLength(1);
    expect(world.clock.now().equals(seoulInstant('2026-11-21 00:03'))).toBe(true);
  });

  test('again and again while bytes are put: nothing was renamed, so it is sent in the end', async () => {
    world.transport = { takesAway: true };
    const fileId = await world.written('claims', 1);
    world.remotes.sftp.faults = { onWrite: () => 'drop' };
    world.clock.at('2026-11-21 02:10', async () => {
      expect(await world.findings()).toEqual([`differential_unreachable ${fileName}`]);
      world.remotes.sftp.faults = {};
    });
    answerOn('2026-11-23 09:00', 'A 1');
    await world.run(newRun(), [fileId]);
    // Tried at 00:00, after 1, 2, 4, … minutes, at most an hour.
    expect(world.clock.waits.slice(0, 8).map((at) => at.slice(11, 16))).toEqual([
      '00:01',
      '00:03',
      '00:07',
      '00:15',
      '00:31',
      '01:03',
      '02:03',
      '03:03',
    ]);
    expect((await world.findings())[0]).toBe(`differential_unreachable ${fileName} closed`);
  });

  test('until the deadline: people decide', async () => {
    const fileId = await world.written('claims', 1);
    world.address = { port: 1 };
    const refused = await world.run(newRun(), [fileId]).catch((error: unknown) => error);
    expect(isProblem(refused, 'send_deadline_passed')).toBe(true);
    expect(world.clock.now().since(seoulInstant('2026-11-25 18:00')).total('hours')).toBeLessThan(1);
    expect(await file()).toMatchObject({ state: 'failed', reason: 'send_deadline_passed' });
  });
});

test('a server that says it renamed a file, and did not, is not believed: sent once it does', async () => {
  world.kind = 'https';
  const fileId = await world.written('claims', 1);
  world.remotes.webdav.faults = { onMove: () => 'said, not done' };
  world.clock.at('2026-11-21 00:10', async () => {
    expect(await file()).toMatchObject({ state: 'written' });
    world.remotes.webdav.faults = {};
  });
  answerOn('2026-11-23 09:00', 'A 1');
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', foundThere: false }]);
  expect(await there()).toEqual([fileName]);
});

describe('the settings are wrong', () => {
  test('a host key that is not the pinned one: nothing is sent, and the run goes on once it is put right', async () => {
    const id = newRun();
    const fileId = await world.written('claims', 1);
    world.address = { hostKeys: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'] };
    const refused = await world.run(id, [fileId]).catch((error: unknown) => error);
    expect(isProblem(refused, 'host_key_mismatch')).toBe(true);
    expect(world.remotes.sftp.seen).toMatchObject({ logins: 0, takenBytes: 0 });
    world.address = {};
    answerOn('2026-11-23 09:00', 'A 1');
    await world.durable.restart(id);
    expect(await world.durable.handle(id).result()).toMatchObject([{ state: 'answered', foundThere: false }]);
  });
});

describe('the archive is damaged', () => {
  test.each([
    ['bytes were changed', (at: string) => writeFile(at, 'claimz')],
    ['bytes are missing', (at: string) => truncate(at, 3)],
    ['it is gone', (at: string) => rm(at)],
  ])('%s: nothing is sent', async (_, damage) => {
    const fileId = await world.written('claims', 1);
    const at = String((await file())['archive_path']);
    await rename(at, `${at}.kept`);
    await writeFile(at, await readFile(`${at}.kept`));
    await damage(at);
    await expect(world.run(newRun(), [fileId])).rejects.toThrow('archived original');
    expect(await there()).toEqual([]);
    expect(await file()).toMatchObject({ state: 'failed', reason: 'archive_damaged' });
  });
});

describe('a person decides', () => {
  test('to send again: the run goes on from there', async () => {
    world.transport = { takesAway: true };
    const id = newRun();
    const fileId = await inDoubt('claims');
    await expect(world.run(id, [fileId])).rejects.toThrow();
    await decideFile(world.db.pool, {
      fileName,
      decision: 'again',
      by: 'kim',
      reason: 'they have none',
      at: world.clock.now(),
    });
    answerOn('2026-11-23 09:00', 'A 1');
    await world.durable.restart(id);
    expect(await world.durable.handle(id).result()).toMatchObject([{ state: 'answered' }]);
    expect((await world.remotes.on(`in/${fileName}`)).toString()).toBe('claims');
    const [finding] = await world.rows('select closed_by from finding');
    expect(finding).toEqual({ closed_by: 'kim: they have none' });
  });

  test('that it is there: answers are waited for', async () => {
    world.transport = { takesAway: true };
    const id = newRun();
    const fileId = await inDoubt('claims');
    await expect(world.run(id, [fileId])).rejects.toThrow();
    await decideFile(world.db.pool, {
      fileName,
      decision: 'sent',
      by: 'kim',
      reason: 'they said so',
      at: world.clock.now(),
    });
    answerOn('2026-11-23 09:00', 'A 1');
    await world.durable.restart(id);
    expect(await world.durable.handle(id).result()).toMatchObject([{ state: 'answered', foundThere: true }]);
    expect(await there()).toEqual([]);
  });

  test('nothing where there is nothing to decide', async () => {
    await world.written('claims', 1);
    const decision = { fileName, by: 'kim', reason: 'why not', at: world.clock.now() };
    for (const each of ['again', 'sent'] as const) {
      await expect(decideFile(world.db.pool, { ...decision, decision: each })).rejects.toThrow('nothing to decide');
    }
  });

  test('an answer decides by itself: who answers has the file', async () => {
    world.transport = { takesAway: true };
    const fileId = await inDoubt('claims');
    await expect(world.run(newRun(), [fileId])).rejects.toThrow();
    await world.answer(answerName, 'A 1');
    expect(await world.late(newRun(), '2026-11-22')).toBe(1);
    expect(await file()).toMatchObject({ state: 'answered', found_there: true });
    expect(await world.findings()).toContain(`differential_not_sent ${fileName} closed`);
  });
});
