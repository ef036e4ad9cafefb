import type { KeyPart } from '../platform/database/keyset.ts';

/** The key of a capture, as the primary keys of hot tables hold it: lists of captures are read in its order. */
export function captureKey(alias = ''): readonly KeyPart[] {
  return [
    { sql: `${alias}provider`, type: 'text' },
    { sql: `${alias}captured_on`, type: 'date' },
    { sql: `${alias}provider_tid`, type: 'text' },
    { sql: `${alias}cancel_seq`, type: 'integer' },
  ];
}
