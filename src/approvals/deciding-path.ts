import type { Approval, ApprovalKind } from './store.ts';

/** Where what waits is decided on: the thing it is about, as the paths of the API name it. */
const about: Readonly<Record<ApprovalKind, (subject: string) => string>> = {
  payout: (subject) => `/v1/payouts/${segment(subject)}`,
  payout_settle: (subject) => `/v1/payouts/${segment(unnumbered(subject))}/settlement`,
  bank_limit: (subject) => `/v1/banks/${segment(unnumbered(subject))}/limit`,
  adjustment: (subject) => `/v1/ledger/adjustments/${segment(subject)}`,
  retroactive_refund: (subject) =>
    `/v1/differential/retroactive-refunds/${segment(subject.replace(/^retroactive:/, ''))}`,
  dismissal: (subject) => `/v1/dismissals/${segment(unnumbered(subject))}`,
};

/** What is computed anew is not refused: another proposal takes its place. */
const cannotBeRefused: readonly ApprovalKind[] = ['retroactive_refund'];

const segment = encodeURIComponent;

/** Without the number of the proposal: see `propose`. */
function unnumbered(subject: string): string {
  return subject.replace(/:[0-9]+$/, '');
}

/** What to POST to, to approve or to refuse. */
export function decidingPath({ kind, subject }: Pick<Approval, 'kind' | 'subject'>): {
  readonly approve: string;
  readonly refuse: string | null;
} {
  const path = about[kind](subject);
  return { approve: `${path}/approve`, refuse: cannotBeRefused.includes(kind) ? null : `${path}/refuse` };
}
