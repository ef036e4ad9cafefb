// What a provider's bytes come to, field by field: a sale of 10,000 won claims 176 of the 220 that were charged. What cannot
// be read leaves its claim waiting, what is not said or cannot be is held, and the other lines are paid.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type AnswerBooks, createAnswerBooks } from './answers.fixture.ts';
import { verifyClaims } from './verify-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

type Case<Field extends string> = readonly [said: Partial<Record<Field, string>>, comesTo: string];
const tidsOf = (cases: readonly unknown[]) => cases.map((_, n) => `T${String(n).padStart(2, '0')}`);

/** Claims a sale for each case, applies these bytes, and says what became of each, with its breaks that are not of its status. */
async function answered<Field extends string>(
  providerId: 'ksnet' | 'nice',
  cases: readonly Case<Field>[],
  bytesOf: (books: AnswerBooks, on: string) => Buffer,
): Promise<readonly Case<Field>[]> {
  const books = createAnswerBooks(database.pool, providerId);
  try {
    const file = await books.file();
    const tids = tidsOf(cases);
    for (const tid of tids) await books.claim(file, { tid, merchantId: `${providerId}-${tid}` });
    const before = { ksnet: 0, nice: 2 }[providerId];
    await books.answer(file, bytesOf(books, file.on));
    const stands = await books.texts(
      `select concat_ws(' ', c.status, c.accepted_won, c.supply_won, c.vat_won, c.status_reason, u.detail ->> 'field',
                        u.detail ->> 'problem', b.kinds) as text
         from claim_status c
         left join claim_break u on u.provider = c.provider and u.kind = 'unreadable'
              and u.line_no = substr(c.provider_tid, 2)::int + ${before} + 1
         left join lateral (select string_agg(kind, ' ' order by kind) as kinds from claim_break b
                             where b.provider = c.provider and b.provider_tid = c.provider_tid
                               and b.kind is distinct from c.status_reason) b on true
        where c.provider = $1 order by c.provider_tid`,
      [providerId],
    );
    expect((await verifyClaims(database.pool)).deviations).toEqual([]);
    return cases.map(([said], n) => [said, stands[n] as string]);
  } finally {
    books.close();
  }
}

const paid = 'paid 176 160 16';
const impossible = 'held difference_impossible';
const notSmall = 'held tier_differs';
const unknown = 'held unknown_code';
const waits = (field: string, problem: string) => `waiting ${field} ${problem}`;

type Column = 'mid' | 'type' | 'on' | 'seq' | 'amount' | 'order' | 'code' | 'tier' | 'card' | 'won' | 'day';
const csv: readonly Case<Column>[] = [
  [{}, paid],
  [{ tier: '' }, notSmall],
  [{ tier: ' ' }, notSmall],
  [{ tier: ' 0' }, notSmall],
  [{ tier: '00' }, notSmall],
  [{ tier: '01' }, notSmall],
  [{ tier: '4' }, notSmall],
  [{ tier: '0 ' }, paid],
  [{ tier: '0\0' }, waits('tier', 'control_character')],
  [{ code: '00 ' }, paid],
  [{ code: '"00"' }, paid],
  [{ code: ' 00' }, unknown],
  [{ code: '0' }, unknown],
  [{ code: '000' }, unknown],
  [{ code: 'XX' }, 'held ksnet:XX'],
  [{ code: 'xx' }, unknown],
  [{ code: '' }, waits('code', 'missing')],
  [{ won: '' }, impossible],
  [{ won: ' ' }, impossible],
  [{ won: '0' }, 'paid 0 0 0 difference_differs'],
  [{ won: '00000176' }, paid],
  [{ won: '"176"' }, paid],
  [{ won: '220' }, 'paid 220 200 20 difference_differs'],
  [{ won: '221' }, impossible],
  [{ won: '-176' }, impossible],
  [{ won: '9007199254740993' }, impossible],
  [{ won: '10000000000000000' }, impossible],
  [{ won: '10000000000000001' }, impossible],
  [{ won: '-10000000000000001' }, impossible],
  [{ won: '9223372036854775807' }, impossible],
  [{ won: '9223372036854775808' }, waits('differenceWon', 'out_of_range')],
  [{ won: ' 176' }, waits('differenceWon', 'not_a_number')],
  [{ won: '+176' }, waits('differenceWon', 'not_a_number')],
  [{ won: '176.0' }, waits('differenceWon', 'not_a_number')],
  [{ won: '"1,76"' }, waits('differenceWon', 'not_a_number')],
  [{ card: '' }, paid],
  [{ card: 'K' }, paid],
  [{ card: '1' }, `${paid} card_type_differs`],
  [{ day: '' }, paid],
  [{ day: '00000000' }, paid],
  [{ day: '20261301' }, waits('payOn', 'no_such_day')],
  [{ seq: '00' }, paid],
  [{ seq: '' }, waits('cancelSeq', 'not_a_number')],
  [{ seq: '32768' }, waits('cancelSeq', 'out_of_range')],
  [{ amount: '' }, waits('amountWon', 'not_a_number')],
  [{ amount: '9223372036854775808' }, waits('amountWon', 'out_of_range')],
  [{ amount: '-10000' }, 'held amount_changed'],
  [{ order: '' }, paid],
  [{ order: 'A\0' }, waits('orderNo', 'control_character')],
  [{ type: '' }, paid],
  [{ type: '9' }, waits('type', 'unknown_code')],
  [{ on: '00000000' }, waits('tradedOn', 'no_such_day')],
  [{ mid: '' }, waits('mid', 'missing')],
];

test('fields of comma-separated lines (KSNET)', async () => {
  const plain = { mid: 'MID1', type: '0', on: '20261120', seq: '0', amount: '10000', order: 'ORD' } as const;
  const said = { code: '00', tier: '0', card: '0', won: '176', day: '20261127' } as const;
  const lines = tidsOf(csv).map((tid, n) => {
    const l = { ...plain, ...said, ...csv[n]?.[0] };
    const echoed = `${l.mid},${l.type},${l.on},,1234567891,${tid},${l.seq},${l.amount},10000,${l.order},20261120`;
    return `R,KSNET,${echoed},${l.code},${l.tier},${l.card},${l.won},${l.day}\r\n`;
  });
  expect(await answered('ksnet', csv, () => Buffer.from(lines.join(''), 'latin1'))).toEqual(csv);
});

/** Where the answer's fields begin in a record of 400 bytes and a line break. */
const nice = { tier: 239, card: 241, supply: 242, vat: 257, won: 272, day: 287, code: 295 } as const;
const zeros = (text: string) => text.padStart(15, '0');
const blank = ' '.repeat(15);
const fixed: readonly Case<keyof typeof nice>[] = [
  [{}, paid],
  [{ tier: ' ' }, notSmall],
  [{ tier: '4' }, notSmall],
  [{ tier: 'a' }, notSmall],
  [{ tier: '\0' }, waits('tier', 'control_character')],
  [{ card: ' ' }, paid],
  [{ card: '1' }, `${paid} card_type_differs`],
  [{ code: '  ' }, waits('code', 'missing')],
  [{ code: '0 ' }, unknown],
  [{ code: ' 0' }, unknown],
  [{ code: 'ok' }, unknown],
  [{ won: blank }, paid],
  [{ supply: blank }, paid],
  [{ vat: blank }, paid],
  [{ supply: blank, vat: blank }, paid],
  [{ supply: blank, won: blank }, impossible],
  [{ vat: blank, won: blank }, impossible],
  [{ supply: blank, vat: blank, won: blank }, impossible],
  [{ supply: zeros('161') }, impossible],
  [{ won: zeros('175') }, impossible],
  [{ supply: zeros('161'), vat: zeros('15') }, 'paid 176 161 15 split_differs'],
  [{ supply: zeros('161'), vat: blank }, 'paid 176 161 15 split_differs'],
  [{ supply: zeros('-160'), vat: zeros('-16'), won: zeros('-176') }, impossible],
  [{ supply: zeros('0'), vat: zeros('0'), won: zeros('0') }, 'paid 0 0 0 difference_differs'],
  [{ supply: '999999999999999', vat: zeros('0'), won: '999999999999999' }, impossible],
  [{ won: '            176' }, waits('differenceWon', 'not_a_number')],
  [{ won: '0000000000001-6' }, waits('differenceWon', 'not_a_number')],
  [{ won: '\0'.repeat(15) }, waits('differenceWon', 'not_a_number')],
  [{ supply: '160            ' }, waits('supplyWon', 'not_a_number')],
  [{ day: '        ' }, paid],
  [{ day: '20260230' }, waits('payOn', 'no_such_day')],
];

test('fields of fixed width (NICE)', async () => {
  const came = await answered('nice', fixed, (books, on) => {
    const bytes = books.bytes(
      on,
      tidsOf(fixed).map((tid) => ({ tid })),
    );
    for (const [n, [said]] of fixed.entries()) {
      for (const [field, text] of Object.entries(said)) {
        // After the records of the file and of its MID.
        bytes.write(text, (2 + n) * 401 + nice[field as keyof typeof nice], 'latin1');
      }
    }
    return bytes;
  });
  expect(came).toEqual(fixed);
});
