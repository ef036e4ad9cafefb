import { expect, test } from 'vitest';
import { storyClock } from '../differential/exchange.fixture.ts';
import { filesIn, registrationWorld } from '../differential/registration.fixture.ts';
import { decideFile } from '../differential/send-decision-store.ts';
import type { Durable } from '../platform/durable/durable.ts';
import { showRun } from '../platform/durable/runs.ts';
import type { Job } from './job.ts';
import { takeUpJob } from './take-up-workflow.ts';

let job: Job;
let durable: Durable;
const world = registrationWorld((engine, differential) => {
  durable = engine;
  job = takeUpJob({ durable, differential, configured: ['welcome', 'ksnet', 'nice'] });
});
const day = '2026-11-20';
const run = `registration:welcome:${day}`;
const requestName = 'reg_welcome_1248100998_20261120_req';
const otherKey = { hostKeys: [`SHA256:${'A'.repeat(43)}`] };

async function sold(channel = 'welcome-online', ...merchants: readonly string[]): Promise<void> {
  for (const id of merchants) await world.merchant(id);
  await world.sold(...merchants.map((id) => `${id} 신한카드 2026-11-19 ${channel}`));
}

/** The slot of that moment of Seoul, to its end. */
async function receive(moment: string): Promise<unknown> {
  const slot = Temporal.Instant.from(`${moment.replace(' ', 'T')}+09:00`);
  world.clock = storyClock(moment);
  const on = Temporal.PlainDate.from(moment.slice(0, 10));
  const call = { schedule: 'differential-receive', slot, on, parameters: {}, who: 'system:scheduler' };
  return await (await job.start(`differential-receive:${moment}`, call)).done;
}

test.each([
  ['welcome', 'sftp', 'welcome-online'],
  ['ksnet', 'https', 'ksnet'],
] as const)(
  '%s by %s: what is answered after the deadline, and then corrected, is put down',
  async (provider, kind, channel) => {
    world.kind = kind;
    await sold(channel, 'M1', 'M2');
    expect(await world.register(provider, day)).toMatchObject({ outcome: 'expired' });
    await world.answer(provider, day, [{ merchantId: 'M1', code: '12' }]);
    expect(await receive('2026-11-26 09:00')).toEqual({ answers: 1, restarted: 0 });
    expect(await world.requests()).toEqual([`N M1 신한카드 rejected 12 ${provider}:12`, 'N M2 신한카드 requested']);
    expect(await world.rows('select state from claim_file')).toEqual([{ state: 'expired' }]);

    await world.answer(provider, day, [{ merchantId: 'M1' }, { merchantId: 'M2' }]);
    expect(await receive('2026-11-26 10:00')).toEqual({ answers: 1, restarted: 0 });
    expect(await receive('2026-11-26 11:00')).toEqual({ answers: 0, restarted: 0 });
    expect(await world.requests()).toEqual(['N M1 신한카드 accepted 00', 'N M2 신한카드 accepted 00']);
    expect(await world.rows('select state from claim_file')).toEqual([{ state: 'answered' }]);
    expect((await world.findings()).filter((finding) => !finding.endsWith('closed'))).toEqual([]);
  },
);

test('a file whose run was cancelled expires once its deadline has passed', async () => {
  await sold('welcome-online', 'M1');
  world.clock.at('2026-11-20 10:05', async () => {
    await durable.cancel(run);
    throw new Error('nobody looks any more');
  });
  await expect(world.register('welcome', day)).rejects.toThrow();
  await receive('2026-11-25 17:00');
  expect(await world.findings()).toEqual([]);
  await receive('2026-11-25 18:00');
  expect(await world.findings()).toEqual([`differential_unanswered ${requestName}`]);
});

test('a day that failed once its file was written goes on from there', async () => {
  await sold('welcome-online', 'M1');
  world.kind = 'sftp';
  world.around = () => world.remotes.open('sftp', otherKey);
  await expect(world.register('welcome', day)).rejects.toThrow();
  expect(await world.findings()).toEqual([`registration_failed ${run}`]);
  world.around = (remote) => remote;
  const received = receive('2026-11-20 11:00');
  world.clock.at('2026-11-20 11:05', () => world.acceptAll('welcome', day));
  expect(await received).toEqual({ answers: 0, restarted: 1 });
  expect(await durable.handle(run).result()).toMatchObject({ outcome: 'answered', accepted: 1n });
  expect(await world.findings()).toEqual([`registration_failed ${run} closed`]);
});

test('a day waits for the person who has to decide about its file, and goes on once one has', async () => {
  await sold('welcome-online', 'M1');
  await world.remotes.place(`in/${requestName}`, Buffer.from('not ours'));
  await expect(world.register('welcome', day)).rejects.toThrow('ours');
  expect(await receive('2026-11-20 11:00')).toEqual({ answers: 0, restarted: 0 });
  expect((await showRun(world.db.pool, run)).state).toBe('failed');

  await world.remotes.place(`in/${requestName}`, Buffer.from(''));
  const decided = { fileName: requestName, decision: 'sent', by: 'kim', reason: 'it is' } as const;
  await decideFile(world.db.pool, { ...decided, at: world.clock.now() });
  const received = receive('2026-11-20 12:00');
  world.clock.at('2026-11-20 12:05', () => world.answer('welcome', day, [{ merchantId: 'M1' }]));
  expect(await received).toEqual({ answers: 0, restarted: 1 });
  expect(await durable.handle(run).result()).toMatchObject({ outcome: 'answered', accepted: 1n });
});

test('a day that failed before it had a file is left to the next one, which asks as things stand then', async () => {
  await sold('welcome-online', 'M1');
  await world.rows('alter table registration add constraint no_more check (false) not valid');
  await expect(world.register('welcome', day)).rejects.toThrow('no_more');
  await world.rows('alter table registration drop constraint no_more');
  expect(await receive('2026-11-20 11:00')).toEqual({ answers: 0, restarted: 0 });
  expect(await filesIn(world, 'in')).toEqual([]);
});
