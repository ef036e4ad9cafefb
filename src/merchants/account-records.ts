import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import { type RecordColumns, withoutNumbers } from '../imports/record.ts';
import type { Cipher } from '../platform/cipher.ts';
import { accountOf, holderOf, maskName } from './account.ts';

/** 지급 계좌. The columns of an accounts file: see docs/terms.md. */
export const accountColumns: RecordColumns = {
  names: ['merchantId', 'validFrom', 'bankCode', 'accountNo', 'holder'],
  numbers: new Set(),
};

/** Reads an account and seals number and holder at once: beyond this function only what may be shown can be read. */
export function readAccount(fields: NamedFields, cipher: Cipher): DatedRecord {
  const merchantId = fields.text('merchantId', { ours: true });
  const validFrom = fields.day('validFrom').toString();
  const bankCode = fields.raw('bankCode');
  if (!/^\d{3}$/.test(bankCode)) fields.refuseUnseen('bankCode', 'import_bank_code');
  const accountNo = fields.raw('accountNo');
  if (!/^\d{6,20}$/.test(accountNo)) fields.refuseUnseen('accountNo', 'import_account_no');
  const holder = readHolder(fields);
  const { sealed, keyId } = cipher.seal(accountNo, accountOf(merchantId, bankCode));
  const holderSealed = cipher.seal(holder, holderOf(merchantId, bankCode)).sealed;
  return {
    identity: [merchantId, validFrom],
    // Sealed anew each time, so the fingerprints are what tells whether number and holder are the same.
    content: {
      merchantId,
      validFrom,
      bankCode,
      accountNo: cipher.fingerprint(`${bankCode}:${accountNo}`).toString('hex'),
      holder: cipher.fingerprint(holder).toString('hex'),
    },
    kept: {
      sealed: sealed.toString('hex'),
      keyId,
      last4: accountNo.slice(-4),
      holder: maskName(holder),
      holderSealed: holderSealed.toString('hex'),
    },
  };
}

/** A holder is shown: a long number in its place is an account number that has strayed. */
function readHolder(fields: NamedFields): string {
  const holder = fields.text('holder', { max: 200 });
  return withoutNumbers(holder) === holder ? holder : fields.refuseUnseen('holder', 'import_holder');
}
