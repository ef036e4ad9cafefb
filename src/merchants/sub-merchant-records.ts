import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';
import { isBusinessNo } from '../kernel/business-no.ts';

/** 하위가맹점. The columns of a sub-merchants file: see docs/tiers.md. */
export const subMerchantColumns: RecordColumns = {
  names: ['merchantId', 'validFrom', 'intermediaryNo', 'openedOn', 'closedOn'],
  numbers: new Set(),
};

export function readSubMerchant(fields: NamedFields): DatedRecord {
  const merchantId = fields.text('merchantId', { ours: true });
  const validFrom = fields.day('validFrom').toString();
  const intermediaryNo = fields.optional('intermediaryNo', (name) => {
    const businessNo = fields.raw(name);
    return isBusinessNo(businessNo) ? businessNo : fields.refuse(name, 'import_business_no');
  });
  const openedOn = fields.day('openedOn');
  const closedOn = fields.optional('closedOn', (name) => fields.day(name));
  if (closedOn !== null && Temporal.PlainDate.compare(closedOn, openedOn) < 0) {
    fields.refuse('closedOn', 'import_below', { other: 'openedOn' });
  }
  return {
    identity: [merchantId, validFrom],
    content: {
      merchantId,
      validFrom,
      intermediaryNo,
      openedOn: openedOn.toString(),
      closedOn: closedOn?.toString() ?? null,
    },
  };
}
