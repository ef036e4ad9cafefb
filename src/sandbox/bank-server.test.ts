import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { always, bankFolder, holderName, testBank } from '../../test/support/bank.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Bank, TransferOrder } from '../payout/bank-port.ts';
import { readTransfers } from './bank-journal.ts';
import { calm, type MoodName, moodDice, parseMoods, stormy } from './bank-moods.ts';
import { journalFile } from './bank-server.ts';

const order: TransferOrder = {
  messageNo: '000000000001',
  messageOn: '2026-11-20',
  bankCode: '088',
  accountNo: '110123456789',
  holder: holderName,
  amountWon: 978n,
};
const nth = (n: number): TransferOrder => ({ ...order, messageNo: String(n).padStart(12, '0') });

async function listed(bank: Bank, on = order.messageOn) {
  return await Array.fromAsync(bank.transfers(Temporal.PlainDate.from(on)));
}

test('a bank without moods: whose account, a transfer, its inquiry, and the list of the day', async () => {
  const { bank } = await testBank();
  expect(await bank.holder(order)).toEqual({ outcome: 'found', holder: holderName });
  expect(await bank.holder({ ...order, accountNo: '1100000' })).toMatchObject({ outcome: 'no_account', code: '1001' });
  expect(await bank.inquire(order)).toMatchObject({ outcome: 'not_found', code: '2404' });
  expect(await bank.transfer(order)).toMatchObject({ outcome: 'succeeded', code: '0000' });
  expect(await bank.inquire(order)).toMatchObject({ outcome: 'succeeded' });
  expect(await bank.transfer({ ...nth(2), accountNo: '1100000' })).toMatchObject({ outcome: 'rejected', code: '1001' });
  expect(await listed(bank)).toEqual([
    { messageNo: order.messageNo, amountWon: 978n, outcome: 'succeeded' },
    { messageNo: nth(2).messageNo, amountWon: 978n, outcome: 'rejected' },
  ]);
  expect(await listed(bank, '2026-11-21')).toEqual([]);
});

type Fate = { mood: MoodName; answer: string; moved: number; later: string };
const fates: readonly Fate[] = [
  { mood: 'reject', answer: 'rejected', moved: 0, later: 'rejected' },
  { mood: 'drop_before', answer: 'unknown', moved: 0, later: 'not_found' },
  { mood: 'drop_after', answer: 'unknown', moved: 1, later: 'succeeded' },
  { mood: 'no_answer', answer: 'unknown', moved: 1, later: 'succeeded' },
  { mood: 'garbage', answer: 'unknown', moved: 1, later: 'succeeded' },
  { mood: 'wrong_signature', answer: 'unknown', moved: 1, later: 'succeeded' },
  { mood: 'other_message', answer: 'unknown', moved: 1, later: 'succeeded' },
  { mood: 'duplicate', answer: 'duplicate', moved: 1, later: 'succeeded' },
  { mood: 'callback_early', answer: 'succeeded', moved: 1, later: 'succeeded' },
];

describe('what the adapter makes of each mood, and what an inquiry finds afterwards', () => {
  test.each(fates)('$mood', async ({ mood, answer, moved, later }) => {
    const { bank, server } = await testBank({ moods: always(mood) });
    expect((await bank.transfer(order)).outcome).toBe(answer);
    expect(server.transfers().filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(moved);
    expect((await bank.inquire(order)).outcome).toBe(later);
  });

  test('late_arrival: not found at first, and there a moment later', async () => {
    const { bank, server } = await testBank({ moods: { ...always('late_arrival'), lateMs: [300, 300] } });
    expect((await bank.transfer(order)).outcome).toBe('unknown');
    expect((await bank.inquire(order)).outcome).toBe('not_found');
    await eventually(async () => expect((await bank.inquire(order)).outcome).toBe('succeeded'));
    expect(server.transfers()).toHaveLength(1);
  });

  test('processing: neither listed nor decided before its time by the bank’s clock', async () => {
    let now = Temporal.Instant.from('2026-11-20T03:00:00Z');
    const moods = { ...always('processing'), processingMs: [240_000, 240_000] as const };
    const { bank } = await testBank({ moods, now: () => now });
    expect((await bank.transfer(order)).outcome).toBe('processing');
    expect(await listed(bank)).toEqual([]);
    now = now.add({ minutes: 3 });
    expect((await bank.inquire(order)).outcome).toBe('processing');
    now = now.add({ minutes: 1 });
    expect((await bank.inquire(order)).outcome).toBe('succeeded');
    expect(await listed(bank)).toHaveLength(1);
  });

  test('inquiry_trouble: an inquiry brings no word at times, and never a wrong one', async () => {
    const { bank } = await testBank({ moods: { ...calm, shares: { inquiry_trouble: 0.5 } } });
    await bank.transfer(order);
    const answers = await Promise.all(Array.from({ length: 40 }, () => bank.inquire(order)));
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['succeeded', 'unknown']));
  });

  test('closed: nothing moves between 23:30 and 00:30 in Seoul', async () => {
    const closed = { from: '23:30', to: '00:30' };
    let now = Temporal.Instant.from('2026-11-20T23:45:00+09:00');
    const { bank, server } = await testBank({ closed, now: () => now });
    expect((await bank.transfer(order)).outcome).toBe('closed');
    expect((await bank.inquire(order)).outcome).toBe('closed');
    expect((await bank.holder(order)).outcome).toBe('closed');
    now = Temporal.Instant.from('2026-11-21T00:30:00+09:00');
    expect(server.transfers()).toHaveLength(0);
    expect((await bank.transfer(order)).outcome).toBe('succeeded');
  });
});

describe('a message number moves money at most once', () => {
  test('however often and however differently it comes', async () => {
    const { bank, server } = await testBank();
    const answers = await Promise.all(Array.from({ length: 20 }, () => bank.transfer(order)));
    expect(answers.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(19);
    expect((await bank.transfer({ ...order, amountWon: 1n })).outcome).toBe('duplicate');
    expect(server.transfers().map(({ amountWon }) => amountWon)).toEqual([978n]);
  });

  test('also over a restart, and over a line that was half written', async () => {
    const folder = bankFolder();
    const first = await testBank({ folder });
    expect((await first.bank.transfer(order)).outcome).toBe('succeeded');
    await first.server.close();
    appendFileSync(journalFile(folder), '{"is":"transfer","messageNo":"0000000');
    const { bank, server } = await testBank({ folder });
    expect((await bank.transfer(order)).outcome).toBe('duplicate');
    expect((await bank.transfer(nth(2))).outcome).toBe('succeeded');
    expect(server.transfers()).toHaveLength(2);
    expect(readTransfers(journalFile(folder))).toEqual(server.transfers());
  });
});

describe('callbacks', () => {
  /** Counts what is called back; refuses the first `refusals`. */
  async function listen(refusals = 0) {
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      bodies.push((await Array.fromAsync(request as AsyncIterable<Buffer>)).join(''));
      response.writeHead(bodies.length <= refusals ? 503 : 200).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test.each([
    { mood: 'callback_early', calls: 1 },
    { mood: 'callback_late', calls: 1 },
    { mood: 'callback_twice', calls: 2 },
  ] as const)('$mood', async ({ mood, calls }) => {
    const { bodies, url } = await listen();
    const { bank } = await testBank({ moods: always(mood), callbackUrl: () => url });
    expect((await bank.transfer(order)).outcome).toBe('succeeded');
    if (mood === 'callback_early') expect(bodies).toHaveLength(1);
    await eventually(() => expect(bodies).toHaveLength(calls));
    expect(JSON.parse(bodies.at(-1) ?? '')).toMatchObject({ messageNo: order.messageNo, state: 'succeeded' });
  });

  test('one that is not taken is made again', async () => {
    const { bodies, url } = await listen(1);
    const { bank } = await testBank({ moods: always('callback_late'), callbackUrl: () => url });
    await bank.transfer(order);
    await eventually(() => expect(bodies).toHaveLength(2));
  });

  test('one that a restart came before is made afterwards, and only once', async () => {
    const folder = bankFolder();
    const { bodies, url } = await listen();
    const late = {
      folder,
      moods: { ...always('callback_late'), lateMs: [60_000, 60_000] as const },
      callbackUrl: () => url,
    };
    const first = await testBank(late);
    await first.bank.transfer(order);
    await first.server.close();
    expect(bodies).toEqual([]);
    const soonCalled = { ...late, moods: always('callback_late') };
    const second = await testBank(soonCalled);
    await eventually(() => expect(bodies).toHaveLength(1));
    await eventually(() => expect(readFileSync(journalFile(folder), 'utf8')).toContain('"callback"'));
    await second.server.close();
    const third = await testBank(soonCalled);
    await third.bank.transfer(nth(2));
    await eventually(() => expect(bodies).toHaveLength(2));
    expect(bodies.map((body) => (JSON.parse(body) as { messageNo: string }).messageNo)).toEqual([
      order.messageNo,
      nth(2).messageNo,
    ]);
  });
});

test('a list of several pages comes in order and whole', async () => {
  const { bank } = await testBank();
  for (let n = 1; n <= 1_050; n += 50)
    await Promise.all(Array.from({ length: 50 }, (_, i) => bank.transfer(nth(n + i))));
  const rows = await listed(bank);
  expect(rows.map(({ messageNo }) => messageNo)).toEqual(Array.from({ length: 1_050 }, (_, i) => nth(i + 1).messageNo));
});

test('the same seed makes the same moods, in their shares', () => {
  const fate = (seed: string) => {
    const dice = moodDice(seed, stormy);
    return Array.from(
      { length: 2_000 },
      (_, n) => `${dice.rejects(`m${n}`)} ${dice.wire(`m${n}`, 0)} ${dice.callback(`m${n}`)}`,
    );
  };
  expect(fate('1')).toEqual(fate('1'));
  expect(fate('1')).not.toEqual(fate('2'));
  const dropped = fate('1').filter((each) => each.includes('drop_after')).length;
  expect(dropped).toBeGreaterThan(80);
  expect(dropped).toBeLessThan(165);
});

test.each(['drop_after=2', 'nonsense=0.1', 'calm,reject', ''])('moods that cannot be read are refused: %s', (text) => {
  expect(() => parseMoods(text)).toThrow(expect.objectContaining({ code: 'usage' }));
});
test('moods are read from a preset and shares', () => {
  expect(parseMoods('reject=0.5')).toEqual({ ...calm, shares: { reject: 0.5 } });
  expect(parseMoods('stormy,reject=0')).toEqual({ ...stormy, shares: { ...stormy.shares, reject: 0 } });
});
