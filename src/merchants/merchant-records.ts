import { refused, text } from '../imports/field.ts';
import type { RecordFields } from '../imports/record.ts';
import type { ImportKind } from '../imports/staged-table.ts';

const merchantId = 0;
const name = 1;
const businessNo = 2;

/** 가맹점. What a merchants file holds. */
export const merchantRecords: ImportKind = {
  kind: 'merchants',
  columns: { names: ['merchantId', 'name', 'businessNo'], numbers: new Set() },
  tables: [
    {
      name: 'merchant',
      identity: ['merchant_id'],
      columns: [
        { name: 'merchant_id', type: 'text', field: 'merchantId' },
        { name: 'name', type: 'text', field: 'name' },
        { name: 'business_no', type: 'text', field: 'businessNo' },
      ],
    },
  ],
  route: () => 0,
  encode: (fields, _table, block) =>
    text(fields, merchantId, block) ??
    text(fields, name, block, { max: 200 }) ??
    (isBusinessNo(fields, businessNo) ? undefined : refused(fields, businessNo, 'import_business_no')) ??
    text(fields, businessNo, block),
};

/** Weights of the check digit (국세청): the ninth digit also counts by the tens of its fivefold. */
const weights = [1, 3, 7, 1, 3, 7, 1, 3, 5] as const;

/** 사업자등록번호. Ten digits, the last of which is the check digit. */
function isBusinessNo(fields: RecordFields, column: number): boolean {
  const value = fields.text(column);
  if (!/^[0-9]{10}$/.test(value)) return false;
  const sum = weights.reduce((total, weight, i) => total + weight * Number(value[i]), 0);
  return (10 - ((sum + Math.floor((5 * Number(value[8])) / 10)) % 10)) % 10 === Number(value[9]);
}
