import type { Pool } from 'pg';
import { type DatedKind, importDated } from '../imports/dated-records.ts';
import type { ImportOptions, ImportOutcome } from '../imports/import-records.ts';
import type { ImportSource } from '../imports/import-source.ts';
import { cardBinColumns, readCardBin } from './card-bin-records.ts';
import { halfYearColumns, readHalfYear } from './half-year-records.ts';
import { rateColumns, readPreferentialRate } from './rate-records.ts';
import { readSubMerchant, subMerchantColumns } from './sub-merchant-records.ts';
import { refuseUnknownMerchants } from './terms-import-store.ts';
import {
  addCardBins,
  addHalfYears,
  addPreferentialRates,
  addSubMerchants,
  addTiers,
  refuseHalvesOutOfOrder,
  refuseImpossibleTiers,
} from './tier-import-store.ts';
import { readTier, tierColumns } from './tier-records.ts';

type Import = (pool: Pool, source: ImportSource, options: ImportOptions) => Promise<ImportOutcome>;

const importing =
  (kind: DatedKind): Import =>
  (pool, source, options) =>
    importDated(pool, kind, source, options);

/** 영중소 등급 적재. Brings the tiers of a half-year in from a file: see `importDated` and docs/tiers.md. */
export const importTiers = importing({
  kind: 'tiers',
  columns: tierColumns,
  read: readTier,
  judge: refuseImpossibleTiers,
  add: addTiers,
});

/** 반기 적재. Brings the first days of half-years in from a file: see `importDated` and docs/tiers.md. */
export const importHalfYears = importing({
  kind: 'half_years',
  columns: halfYearColumns,
  read: readHalfYear,
  judge: refuseHalvesOutOfOrder,
  add: addHalfYears,
});

/** 우대수수료율 적재. Brings preferential rates in from a file: see `importDated` and docs/tiers.md. */
export const importPreferentialRates = importing({
  kind: 'rates',
  columns: rateColumns,
  read: readPreferentialRate,
  judge: () => Promise.resolve(),
  add: addPreferentialRates,
});

/** 하위가맹점 적재. Brings facts of sub-merchants in from a file: see `importDated` and docs/tiers.md. */
export const importSubMerchants = importing({
  kind: 'sub_merchants',
  columns: subMerchantColumns,
  read: readSubMerchant,
  judge: refuseUnknownMerchants,
  add: addSubMerchants,
});

/** 카드 BIN 적재. Brings what kind of card a BIN is in from a file: see `importDated` and docs/tiers.md. */
export const importCardBins = importing({
  kind: 'card_bins',
  columns: cardBinColumns,
  read: readCardBin,
  judge: () => Promise.resolve(),
  add: addCardBins,
});
