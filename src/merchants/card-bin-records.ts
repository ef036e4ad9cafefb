import type { DatedRecord } from '../imports/dated-store.ts';
import type { NamedFields } from '../imports/named-fields.ts';
import type { RecordColumns } from '../imports/record.ts';

/** 카드 구분. A check card (체크) is charged less than a credit card. */
export const cardTypes = ['credit', 'check'] as const;
export type CardType = (typeof cardTypes)[number];
/** As tables hold them. */
export const cardTypeCodes: Readonly<Record<CardType, 'C' | 'K'>> = { credit: 'C', check: 'K' };

/** 카드 BIN. The columns of a card BIN file: see docs/tiers.md. */
export const cardBinColumns: RecordColumns = { names: ['bin', 'cardType', 'validFrom'], numbers: new Set() };

export function readCardBin(fields: NamedFields): DatedRecord {
  const bin = fields.raw('bin');
  if (!/^\d{6}$/.test(bin)) fields.refuse('bin', 'import_bin');
  const validFrom = fields.day('validFrom').toString();
  return {
    identity: [bin, validFrom],
    content: { bin, validFrom, cardType: cardTypeCodes[fields.choice('cardType', cardTypes)] },
  };
}
