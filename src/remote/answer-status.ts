import { exitStatus } from '../platform/command.ts';

const { done, failed, incomplete } = exitStatus;
type Answer = Readonly<Record<string, unknown>>;
type Verdict = (answer: Answer) => number;

const failedWhere =
  (isBad: (answer: Answer) => boolean): Verdict =>
  (answer) =>
    isBad(answer) ? failed : done;
const some = (list: unknown, field: string, ...values: unknown[]): boolean =>
  Array.isArray(list) && (list as readonly Answer[]).some((each) => values.includes(each[field]));
const holds = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

const ofBreaks = failedWhere(({ refused }) => holds(refused));
const ofRuns = failedWhere(({ outcomes }) => some(outcomes, 'outcome', 'failed'));
const ofMany = failedWhere(
  ({ runs }) => Array.isArray(runs) && (runs as readonly Answer[]).some(({ problem }) => problem !== null),
);
const ofRun: Verdict = ({ state, outcome, parts }) => {
  if (some(parts, 'state', 'failed') || ['failed', 'cancelled', 'exhausted'].includes(String(state))) return failed;
  return outcome === 'incomplete' ? incomplete : done;
};
const ofImport: Verdict = ({ entered, refused }) => {
  if (entered === false) return failed;
  return Number(refused) > 0 ? incomplete : done;
};

/** By operation, of what it came to where that is waited for; the others are done once they are answered. */
const verdicts: Readonly<Record<string, Verdict>> = {
  assignBreaks: ofBreaks,
  commentBreaks: ofBreaks,
  investigateBreaks: ofBreaks,
  resolveBreaks: ofBreaks,
  cancelRuns: ofRuns,
  restartRuns: ofRuns,
  followRun: ofRun,
  restartRun: ofRun,
  startBackfill: failedWhere(({ days }) => some(days, 'state', 'failed', 'cancelled')),
  startReconciliation: ({ stages, outcome }) =>
    some(stages, 'state', 'failed') ? failed : outcome === 'complete' ? done : incomplete,
  startSettlement: ({ state, setAside }) => (state === 'settled' && setAside === 0 ? done : incomplete),
  startDifferential: ofMany,
  startRegistrations: ofMany,
  decideClaimFile: failedWhere(({ state }) => state === 'failed'),
  closeFindings: failedWhere(({ left }) => holds(left)),
  verifyLedger: failedWhere(({ clean }) => clean !== true),
  verifyClaims: failedWhere(({ clean }) => clean !== true),
  verifyAudit: failedWhere(({ sound }) => sound !== true),
  showAlertStatus: ({ faults }) => (holds(faults) ? incomplete : done),
  importMerchants: ofImport,
  importContracts: ofImport,
  importTerms: ofImport,
  importAccounts: ofImport,
  importTiers: ofImport,
  importHalfYears: ofImport,
  importPreferentialRates: ofImport,
  importSubMerchants: ofImport,
  importCardBins: ofImport,
  importPayments: ofImport,
  importDeposits: ofImport,
};

/** 종료 상태. What a command that was answered so ends with, as beside the database: a script cannot tell the two apart. */
export function statusOf(operation: string, answer: unknown): number {
  const verdict = verdicts[operation];
  return verdict === undefined || typeof answer !== 'object' || answer === null ? done : verdict(answer as Answer);
}
