import { z } from 'zod';
import { day, instant, rowId, won } from '../platform/http/fields.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import { claimStatuses } from './claim-words.ts';

/** 차액정산 원천사, as they are named in queries. */
export const providerIds = differentialProviders.map(({ id }) => id) as [string, ...string[]];

const count = () => z.number().int();

/** 신청 건, as a list has it. */
export const claimRow = z.object({
  provider: z.string(),
  channel: z.string(),
  tradedOn: day(),
  providerTid: z.string(),
  cancelSeq: count(),
  /** D daily, R retroactive. */
  kind: z.string(),
  /** A approval, C full cancel, P partial cancel. */
  type: z.string(),
  merchantId: z.string(),
  mid: z.string(),
  orderNo: z.string(),
  tier: count(),
  cardType: z.string().nullable(),
  ratePpm: count().nullable(),
  attempt: count(),
  capturedOn: day(),
  originalOn: day(),
  batchId: rowId().nullable(),
  fileId: rowId().nullable(),
  fileName: z.string().nullable(),
  amountWon: won(),
  chargedWon: won(),
  preferentialWon: won().nullable(),
  /** Ours. */
  differenceWon: won().nullable(),
  /** Theirs, as it holds now. */
  acceptedWon: won().nullable(),
  payOn: day().nullable(),
  status: z.enum(claimStatuses),
  reason: z.string().nullable(),
});

/** 청구 파일, as it is shown. */
export const claimFileRow = z.object({
  fileId: rowId(),
  fileName: z.string(),
  mid: z.string(),
  state: z.string(),
  lines: count(),
  amountWon: won(),
  differenceWon: won(),
  bytes: count(),
  sha256: z.string(),
  writtenAt: instant(),
  sentAt: instant().nullable(),
  foundThere: z.boolean().nullable(),
  deadlineAt: instant().nullable(),
  reason: z.string().nullable(),
});

/** 신청 건의 전 과정. */
export const shownClaim = claimRow.extend({
  acquirer: z.string(),
  finalNo: z.string(),
  intermediaryNo: z.string().nullable(),
  rule: z.string().nullable(),
  originalWon: won(),
  supplyWon: won().nullable(),
  vatWon: won().nullable(),
  answerId: rowId().nullable(),
  charged: z.object({ feeWon: won(), vatWon: won() }).nullable(),
  /** First six and last four digits. */
  cardNo: z.string().nullable(),
  rate: z.object({ ratePpm: count(), validFrom: day(), source: z.string() }).nullable(),
  graded: z.object({ half: z.string(), tier: count(), knownSince: instant(), recordedBy: z.string() }).nullable(),
  file: claimFileRow.nullable(),
  way: z.array(
    z.object({
      at: instant(),
      what: z.string(),
      by: z.string().nullable(),
      file: z.string().nullable(),
      sha256: z.string().nullable(),
      line: count().nullable(),
      code: z.string().nullable(),
      beforeWon: won().nullable(),
      afterWon: won().nullable(),
      detail: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  refunds: z.array(
    z.object({
      event: z.string(),
      bookedOn: day(),
      claims: count(),
      refundWon: won(),
      clawbackWon: won(),
      offsetWon: won(),
      carriedWon: won(),
      heldWon: won(),
      walletWon: won(),
    }),
  ),
});

/** 하루 작업, as a list has it. */
export const batchRow = z.object({
  batchId: rowId(),
  provider: z.string(),
  claimedOn: day(),
  runId: z.string(),
  state: z.string(),
  openedBy: z.string(),
  openedAt: instant(),
  selectedAt: instant().nullable(),
  finishedAt: instant().nullable(),
  candidates: count(),
  claims: count(),
  held: count(),
  ineligible: count(),
  notOvercharged: count(),
  differenceWon: won(),
  reason: z.string().nullable(),
});

const counted = z.array(z.object({ reason: z.string(), count: count() }));
/** 하루 작업. A batch with its files, its answers, and where its claims stand. */
export const shownBatch = batchRow.extend({
  files: z.array(claimFileRow),
  answers: z.array(
    z.object({
      answerId: rowId(),
      stage: z.string(),
      version: count(),
      fileName: z.string(),
      sha256: z.string(),
      state: z.string(),
      receivedAt: instant(),
      appliedAt: instant().nullable(),
      lines: count().nullable(),
      accepted: count().nullable(),
      rejected: count().nullable(),
      repeated: count().nullable(),
      setAside: count().nullable(),
      differenceWon: won().nullable(),
    }),
  ),
  standing: z.array(
    z.object({
      status: z.enum(claimStatuses),
      reason: z.string().nullable(),
      claims: count(),
      differenceWon: won(),
      acceptedWon: won(),
    }),
  ),
  unjudged: counted,
  breaks: z.array(z.object({ kind: z.string(), count: count() })),
});
