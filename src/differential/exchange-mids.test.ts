import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerName, exchangeWorld, fileName } from './exchange.fixture.ts';
import { decideFile } from './send-decision-store.ts';

const world = exchangeWorld();
let runs = 0;
const newRun = () => {
  runs += 1;
  return `mids:${runs}`;
};
const there = () => readdir(path.join(world.remotes.folder, 'in'));

test('of several files one that cannot be sent harms only itself, and goes out while others are waited for', async () => {
  const [one, other] = [await world.written('claims one', 1, 'M1'), await world.written('claims two', 1, 'M2')];
  await world.remotes.place(`in/${fileName}_M1`, Buffer.from('stray'));
  const decision = { fileName: `${fileName}_M1`, decision: 'again', by: 'kim', reason: 'removed' } as const;
  world.clock.at('2026-11-23 09:05', async () => {
    await rm(path.join(world.remotes.folder, 'in', `${fileName}_M1`));
    await decideFile(world.db.pool, { ...decision, at: world.clock.now() });
  });
  const [first, second] = await world.run(newRun(), [one, other]);
  // Nobody answers; both went out, the second at once and the first with the next look.
  expect([first?.state, second?.state]).toEqual(['expired', 'expired']);
  expect(await there()).toEqual([`${fileName}_M1`, `${fileName}_M2`]);
  const [sent] = await world.rows(`select sent_at from claim_file where file_name = '${fileName}_M1'`);
  expect(new Date(sent?.['sent_at'] as Date).toISOString()).toBe('2026-11-23T00:10:00.000Z');
});

describe('a provider that takes a file for each MID', () => {
  const answer = (mid: string) => world.answer(`${answerName}_${mid}`, 'A 1');

  test('refuses one of them for days: the others are sent, answered and applied meanwhile', async () => {
    world.perMid = true;
    const [one, other] = [await world.written('claims one', 1, 'M1'), await world.written('claims two', 1, 'M2')];
    const obstacle = path.join(world.remotes.folder, 'in', `${fileName}_M1.part`);
    await mkdir(obstacle);
    world.clock.at('2026-11-23 09:05', () => answer('M2'));
    const states = async () =>
      (await world.rows('select mid, state from claim_file order by mid')).map(({ mid, state }) => `${mid} ${state}`);
    world.clock.at('2026-11-23 12:00', async () => {
      expect(await states()).toEqual(['M1 written', 'M2 answered']);
      expect(await world.findings()).toContain(`differential_unreachable ${fileName}_M1`);
      await rm(obstacle, { recursive: true });
    });
    world.clock.at('2026-11-24 09:05', () => answer('M1'));
    const id = newRun();
    expect((await world.run(id, [one, other])).map(({ state }) => state)).toEqual(['answered', 'answered']);
    expect(await world.findings()).toContain(`differential_unreachable ${fileName}_M1 closed`);
    const [steps] = await world.rows(
      `select count(*)::int as n from dbos.operation_outputs where workflow_uuid = '${id}'`,
    );
    expect(steps?.['n']).toBeLessThan(16);
  });

  test('cannot be reached: each is told, none is tried in vain after the first', async () => {
    const files = [await world.written('claims one', 1, 'M1'), await world.written('claims two', 1, 'M2')];
    world.address = { port: 1 };
    world.clock.at('2026-11-21 00:01', async () => {
      expect(await world.findings()).toEqual([
        `differential_unreachable ${fileName}_M1`,
        `differential_unreachable ${fileName}_M2`,
      ]);
      world.address = {};
    });
    expect((await world.run(newRun(), files)).map(({ state }) => state)).toEqual(['expired', 'expired']);
    expect(await there()).toEqual([`${fileName}_M1`, `${fileName}_M2`]);
  });

  test('lets one answer not be read: the others are taken', async () => {
    world.perMid = true;
    const files = [await world.written('claims one', 1, 'M1'), await world.written('claims two', 1, 'M2')];
    world.clock.at('2026-11-23 09:00', () => Promise.all([answer('M1'), answer('M2')]));
    world.remotes.sftp.faults = {
      onOpen: (name) => (name.endsWith('_M1') && name.includes('_res') ? 'refuse' : undefined),
    };
    world.clock.at('2026-11-23 12:00', async () => {
      expect(await world.rows(`select mid from claim_file where state = 'answered'`)).toEqual([{ mid: 'M2' }]);
      expect(await world.findings()).toContain('differential_unreachable welcome');
      world.remotes.sftp.faults = {};
    });
    expect((await world.run(newRun(), files)).map(({ state }) => state)).toEqual(['answered', 'answered']);
  });
});
