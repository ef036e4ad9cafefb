import { describe, expect, test } from 'vitest';
import { csv, fixed, row } from '../../../test/support/sample-statement.ts';
import { encodeAll } from '../../../test/support/statement-reading.ts';
import { welcomeOffline } from '../welcome-offline.ts';
import type { StatementLayout, StatementRow } from './layout.ts';

describe('what a field cannot hold is not written', () => {
  const refused: readonly [
    title: string,
    layout: StatementLayout,
    row: StatementRow<'transaction'>,
    field: string,
    problem: string,
  ][] = [
    ['a name longer than its field', fixed, row({ extras: { shopName: '뷁'.repeat(13) } }), 'shopName', 'too_long'],
    ['a character that CP949 lacks', fixed, row({ extras: { shopName: '😀' } }), 'shopName', 'not_in_encoding'],
    ['a text that ends like filling', fixed, row({ orderNo: 'ORD ' }), 'orderNo', 'like_padding'],
    ['a line break', csv, row({ orderNo: 'a\nb' }), 'orderNo', 'control_character'],
    ['an amount longer than its field', fixed, row({ amountWon: 10n ** 12n }), 'amountWon', 'out_of_range'],
    [
      'a cancel above zero where the kind says the sign',
      csv,
      row({ kind: 'C', amountWon: 1n }),
      'amountWon',
      'wrong_sign',
    ],
    ['an unknown kind', fixed, row({ kind: 'X' }), 'kind', 'unknown_code'],
    ['another MID than the file has', csv, row({ mid: 'M2' }), 'mid', 'not_constant'],
    [
      'a year that two digits cannot tell',
      welcomeOffline.statements.transaction.layout,
      row({ tradedOn: '2070-01-01' }),
      'tradedOn',
      'out_of_range',
    ],
  ];
  test.each(refused)('%s', async (_, layout, given, field, problem) => {
    await expect(encodeAll(layout, [given], 'M1')).rejects.toMatchObject({
      code: 'statement_value_refused',
      details: { row: 1, field, problem },
    });
  });
});
