import { AsyncResource } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { answerName, exchangeWorld, fileName, seoulInstant, storyClock } from './exchange.fixture.ts';
import { noteSending } from './file-store.ts';

const world = exchangeWorld();
/** No run is begun from within a step of another. */
const outside = new AsyncResource('another run');
let runs = 0;
const newRun = () => {
  runs += 1;
  return `settled:${runs}`;
};

/** Another run takes the answer while this one is in the midst of its first word with the provider about the file. */
function answeredMeanwhile(text: string): void {
  let isFirst = true;
  world.kind = 'https';
  world.remotes.webdav.faults.onRequest = async (method, path) => {
    if (!isFirst || method !== 'HEAD' || !path.endsWith(fileName)) return undefined;
    isFirst = false;
    await world.answer(answerName, text);
    expect(await world.late(newRun(), '2026-11-21')).toBe(1);
    return undefined;
  };
}

async function inDoubt(lines = 1): Promise<bigint> {
  const fileId = await world.written('claims', lines);
  await noteSending(world.db.pool, fileId, seoulInstant('2026-11-21 00:30'));
  return fileId;
}

describe('a file that is answered while its run asks whether it is there', () => {
  test('and it was taken away: nobody has to decide anything', async () => {
    world.transport = { takesAway: true };
    const fileId = await inDoubt();
    answeredMeanwhile('A 1');
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', answers: 1 }]);
    expect((await world.findings()).filter((finding) => finding.includes('not_sent'))).toEqual([]);
  });

  test('and it is not there any more: it is not sent again', async () => {
    const fileId = await inDoubt();
    answeredMeanwhile('A 1');
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', answers: 1 }]);
    expect(world.remotes.webdav.seen.requests.filter((request) => request.startsWith('PUT'))).toEqual([]);
  });

  test('by halves: the rest is waited for', async () => {
    const fileId = await inDoubt(2);
    answeredMeanwhile('A 1');
    world.clock.at('2026-11-24 09:00', () => world.answer(answerName, 'A 1b', '2026-11-24T00:00:00Z'));
    expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered', answers: 2, accepted: 2n }]);
  });
});

test('a file that is answered while nobody could be asked about it: the finding is over', async () => {
  const fileId = await inDoubt();
  world.address = { port: 1 };
  world.clock.at('2026-11-21 00:10', async () => {
    expect(await world.findings()).toEqual([`differential_unreachable ${fileName}`]);
    world.address = {};
    await world.answer(answerName, 'A 1');
    // Its own clock: this run stands still meanwhile.
    const own = world.clock;
    world.clock = storyClock('2026-11-21 00:10');
    expect(await outside.runInAsyncScope(() => world.late(newRun(), '2026-11-21'))).toBe(1);
    world.clock = own;
  });
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered' }]);
  expect(await world.findings()).toContain(`differential_unreachable ${fileName} closed`);
});

test('https: an answer that we may not read keeps nobody from the others, and is told', async () => {
  world.kind = 'https';
  world.perMid = true;
  const files = [await world.written('claims', 1, 'A'), await world.written('claims', 1, 'B')];
  let mayNot = true;
  world.remotes.webdav.faults.onRequest = (method, path) =>
    mayNot && method === 'GET' && path.endsWith(`${answerName}_A`) ? 403 : undefined;
  world.clock.at('2026-11-23 09:00', async () => {
    for (const mid of ['A', 'B']) await world.answer(`${answerName}_${mid}`, 'A 1');
  });
  world.clock.at('2026-11-23 12:00', async () => {
    expect(await world.rows('select mid, state from claim_file order by mid')).toEqual([
      { mid: 'A', state: 'sent' },
      { mid: 'B', state: 'answered' },
    ]);
    const [told] = await world.rows(
      `select detail->>'reason' as reason from finding where kind = 'differential_unreachable'`,
    );
    expect(told?.['reason']).toContain(`${answerName}_A`);
    mayNot = false;
  });
  expect(await world.run(newRun(), files)).toMatchObject([{ state: 'answered' }, { state: 'answered' }]);
});

test.each([
  ['may not be listed', { onRequest: (method: string) => (method === 'PROPFIND' ? 405 : undefined) }],
  ['holds too much to be listed', { listing: ' '.repeat(17 * 1024 * 1024) }],
])('https: in a folder that %s, answers are asked for by their names', async (_, faults) => {
  world.kind = 'https';
  const fileId = await world.written('claims', 1);
  world.remotes.webdav.faults = faults;
  world.clock.at('2026-11-23 09:05', () => world.answer(answerName, 'A 1'));
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered' }]);
  expect((await world.findings()).filter((finding) => finding.includes('unreachable'))).toEqual([]);
  // Refused for good, it is not asked for six times.
  const { requests } = world.remotes.webdav.seen;
  expect(requests.filter((request) => request.startsWith('PROPFIND'))).toHaveLength(2);
});

test('https: a token that is refused altogether ends the run', async () => {
  world.kind = 'https';
  const fileId = await world.written('claims', 1);
  world.clock.at('2026-11-23 08:00', async () => {
    world.remotes.webdav.faults.onRequest = () => 403;
  });
  await expect(world.run(newRun(), [fileId])).rejects.toMatchObject({ code: 'token_refused' });
});

test('a file of a day long past is looked after for as long as any other, from when it went out', async () => {
  world.clock = storyClock('2026-12-21 10:00');
  const fileId = await world.written('claims', 1);
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'expired' }]);
  await world.answer(answerName, 'A 1');
  // Files of the day before that had gone out at their time would be the last.
  expect(await world.late(newRun(), '2027-01-05')).toBe(0);
  expect(await world.late(newRun(), '2027-01-03')).toBe(1);
  expect(await world.rows('select state from claim_file')).toEqual([{ state: 'answered' }]);
});

test('an answer is looked for under the number that we had when its file was written', async () => {
  const fileId = await world.written('claims', 1);
  world.clock.at('2026-11-23 08:00', async () => {
    world.businessNo = '2208162517';
    await world.answer(answerName, 'A 1');
  });
  expect(await world.run(newRun(), [fileId])).toMatchObject([{ state: 'answered' }]);
});
