import { refused, text } from '../imports/field.ts';
import type { ImportKind } from '../imports/staged-table.ts';
import { isBusinessNo } from '../kernel/business-no.ts';

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
    text(fields, merchantId, block, { ours: true }) ??
    text(fields, name, block, { max: 200 }) ??
    (isBusinessNo(fields.text(businessNo)) ? undefined : refused(fields, businessNo, 'import_business_no')) ??
    text(fields, businessNo, block),
};
