import { describe, expect, test } from 'vitest';
import { listFindings } from '../findings/store.ts';
import { storyClock } from './exchange.fixture.ts';
import { filesIn, registrationWorld } from './registration.fixture.ts';

const world = registrationWorld();
const day = '2026-11-20';
const sale = (merchant: string, acquirer = '신한카드', on = '2026-11-19') =>
  `${merchant} ${acquirer} ${on} welcome-online`;

/** Registers a day of Welcome's at ten o'clock, and has everything accepted some minutes later. */
async function registerAndAccept(on: string) {
  world.clock = storyClock(`${on} 10:00`);
  world.clock.at(`${on} 10:15`, () => world.acceptAll('welcome', on));
  return await world.register('welcome', on);
}

describe('who is registered', () => {
  test('small merchants with a known intermediary, with each card company that they sold with', async () => {
    await world.merchant('M1', { name: '해운대떡집', sub: { intermediary: '1248100998' } });
    await world.merchant('M2', { no: '2208162517', tiers: { '2026H2': 3 } });
    await world.merchant('LARGE', { no: '1208147521', tiers: { '2026H2': 4 } });
    await world.merchant('UNGRADED', { no: '1018100006', tiers: {} });
    await world.merchant('UNKNOWN', { no: '1234567891', sub: false });
    await world.sold(
      sale('M1', '신한카드'),
      sale('M1', '신한카드', '2026-11-20'),
      sale('M1', 'KB국민카드', '2026-11-14'),
      // Seven days with the day itself: an eighth is not looked at.
      sale('M1', '현대카드', '2026-11-13'),
      sale('M2', '신한카드'),
      ...['LARGE', 'UNGRADED', 'UNKNOWN'].map((id) => sale(id)),
      'M2 비씨카드 2026-11-19 ksnet',
      'M2 롯데카드 2026-11-19 welcome-offline',
    );
    const result = await registerAndAccept(day);
    expect(await world.asked('welcome', day)).toEqual([
      'N M1 KB국민카드 1234567891 1248100998 해운대떡집',
      'N M1 신한카드 1234567891 1248100998 해운대떡집',
      'N M2 롯데카드 2208162517 - M2',
      'N M2 신한카드 2208162517 - M2',
    ]);
    expect(result).toMatchObject({
      outcome: 'answered',
      added: 4,
      changed: 0,
      terminated: 0,
      accepted: 4n,
      refused: 0,
    });
    expect(await world.rows('select merchant_id, acquirer from registered order by 1, 2')).toHaveLength(4);
    expect(await world.findings()).toEqual(['registration_facts_missing welcome']);
    const [missing] = await listFindings(world.db.pool);
    expect(missing?.detail).toEqual({ merchants: 1, first: ['UNKNOWN'] });
  });

  test('who has claims held back, however long ago it sold', async () => {
    await world.merchant('HELD');
    await world.rows(`select ensure_claim_leaf('welcome-online', '2026-10-01')`);
    await world.rows(
      `insert into claim (channel, traded_on, provider_tid, cancel_seq, kind, state, type, tier, captured_on, original_on,
         amount_won, original_won, charged_won, provider, merchant_id, mid, acquirer, order_no, final_no, reason)
       values ('welcome-online', '2026-10-01', 'held-once', 0, 'D', 'H', 'A', 0, '2026-10-01', '2026-10-01', 1, 1, 1,
         'welcome', 'HELD', 'MID1', '삼성카드', 'O', '1234567891', 'not_registered')`,
    );
    expect(await registerAndAccept(day)).toMatchObject({ added: 1, accepted: 1n });
    expect(await world.requests()).toEqual(['N HELD 삼성카드 accepted 00']);
  });

  test('nobody twice, and nobody at all where nothing is new', async () => {
    await world.merchant('M1');
    await world.sold(sale('M1'), sale('M1', '신한카드', '2026-11-20'));
    expect(await registerAndAccept(day)).toMatchObject({ added: 1, outcome: 'answered' });
    expect(await world.register('welcome', '2026-11-21')).toMatchObject({ outcome: 'empty', added: 0, fileName: null });
    expect(await filesIn(world, 'in')).toEqual(['reg_welcome_1248100998_20261120_req']);
    // The day itself runs once.
    expect(await world.register('welcome', day)).toMatchObject({ added: 1, accepted: 1n });
  });

  test('a provider that registers nobody is asked nothing', async () => {
    await world.merchant('M1');
    await world.sold('M1 신한카드 2026-11-19 nice');
    expect(await world.register('nice', day)).toMatchObject({ outcome: 'not_needed', added: 0 });
    expect(await filesIn(world, 'in')).toEqual([]);
  });
});

describe('what is registered follows what is so', () => {
  test.each([
    ['another name', () => world.rename('M1', '새 이름'), 'C M1 신한카드 1234567891 - 새 이름'],
    [
      'another intermediary',
      () => world.sub('M1', '2026-11-21', '1248100998'),
      'C M1 신한카드 1234567891 1248100998 M1',
    ],
  ])('%s is a change', async (_, change, line) => {
    await world.merchant('M1');
    await world.sold(sale('M1'));
    await registerAndAccept(day);
    await change();
    expect(await registerAndAccept('2026-11-21')).toMatchObject({ added: 0, changed: 1, accepted: 1n });
    expect(await world.asked('welcome', '2026-11-21')).toEqual([line]);
    expect(await world.register('welcome', '2026-11-22')).toMatchObject({ outcome: 'empty' });
  });

  // Claims of its last days, and their cancels, come in for 90 days: 2026-11-20 is the 90th day after 2026-08-22.
  test.each([
    ['2026-08-22', 1],
    ['2026-08-23', 0],
  ])('closed on %s, 90 days or fewer ago: %i is terminated', async (closed, terminated) => {
    await world.merchant('M1');
    await world.sold(sale('M1', '신한카드', '2026-11-19'));
    await registerAndAccept('2026-11-19');
    await world.sub('M1', '2026-11-20', null, closed);
    expect(await registerAndAccept(day)).toMatchObject({ terminated, added: 0, changed: 0 });
    expect(await world.rows('select * from registered')).toHaveLength(1 - terminated);
    if (terminated === 1) expect(await world.register('welcome', '2026-11-21')).toMatchObject({ outcome: 'empty' });
  });

  // The half-year before ended on 2026-08-13; 90 days before 2026-11-11 are 2026-08-13, before 2026-11-12 2026-08-14.
  test.each([
    ['graded 4', 4, '2026-11-11', 0],
    ['graded 4', 4, '2026-11-12', 1],
    ['not graded yet', undefined, '2026-11-12', 0],
  ])('small until the half-year ended, then %s (%s): on %s %i is terminated', async (_, tier, on, terminated) => {
    await world.merchant('M1', { tiers: { '2026H1': 1 } });
    await world.sold(sale('M1', '신한카드', '2026-08-10'));
    await registerAndAccept('2026-08-10');
    if (tier !== undefined) await world.tier('1234567891', '2026H2', tier);
    expect(await registerAndAccept(on)).toMatchObject({ terminated, added: 0, changed: 0 });
  });

  test('who turns out not to have been small, but is not graded for this half-year yet, stays', async () => {
    await world.merchant('M1', { tiers: { '2026H1': 1 } });
    await world.sold(sale('M1', '신한카드', '2026-08-10'));
    await registerAndAccept('2026-08-10');
    await world.tier('1234567891', '2026H1', 4);
    expect(await registerAndAccept('2026-08-20')).toMatchObject({ outcome: 'empty', terminated: 0 });
    await world.tier('1234567891', '2026H2', 4);
    expect(await registerAndAccept('2026-08-21')).toMatchObject({ terminated: 1, accepted: 1n });
  });

  test('who is small again after it was terminated is registered anew', async () => {
    await world.merchant('M1');
    await world.sold(sale('M1'));
    await registerAndAccept(day);
    await world.sub('M1', '2026-11-21', null, '2026-01-31');
    expect(await registerAndAccept('2026-11-21')).toMatchObject({ terminated: 1, accepted: 1n });
    await world.sub('M1', '2026-11-22', null);
    expect(await registerAndAccept('2026-11-22')).toMatchObject({ added: 1, accepted: 1n });
    expect(await world.requests()).toEqual([
      'N M1 신한카드 accepted 00',
      'T M1 신한카드 accepted 00',
      'N M1 신한카드 accepted 00',
    ]);
  });
});

describe('what CP949 lacks', () => {
  test('is refused before sending, naming merchant and character, and the others go', async () => {
    await world.merchant('BAD', { name: '카페😀둘', no: '2208162517' });
    await world.merchant('M1', { name: '뷁스퀘어' });
    await world.sold(sale('BAD'), sale('M1'));
    expect(await registerAndAccept(day)).toMatchObject({ added: 2, refused: 1, accepted: 1n, outcome: 'answered' });
    expect(await world.asked('welcome', day)).toEqual(['N M1 신한카드 1234567891 - 뷁스퀘어']);
    expect(await world.requests()).toEqual([
      'N BAD 신한카드 refused shopName not_in_encoding 😀',
      'N M1 신한카드 accepted 00',
    ]);
    const [finding] = await listFindings(world.db.pool);
    expect(finding).toMatchObject({
      kind: 'registration_not_encodable',
      subject: 'welcome',
      detail: {
        requests: 1,
        first: [{ merchantId: 'BAD', shopName: '카페😀둘', reason: 'shopName not_in_encoding 😀' }],
      },
    });
    // Not again before it is called otherwise.
    expect(await world.register('welcome', '2026-11-21')).toMatchObject({ outcome: 'empty' });
    await world.rename('BAD', '카페둘');
    expect(await registerAndAccept('2026-11-22')).toMatchObject({ added: 1, refused: 0, accepted: 1n });
    expect(await world.findings()).toEqual(['registration_not_encodable welcome closed']);
  });

  test('where it is all that there is, no file goes', async () => {
    await world.merchant('BAD', { name: '😀' });
    await world.sold(sale('BAD'));
    expect(await world.register('welcome', day)).toMatchObject({ outcome: 'empty', refused: 1, fileName: null });
    expect(await filesIn(world, 'in')).toEqual([]);
  });
});
