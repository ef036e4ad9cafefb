import type { BankAnswer } from './bank-port.ts';

/** 지급 상태. `sent` and `unknown`: only the bank can say whether the money has left. */
export type PayoutState =
  | 'awaiting_approval'
  | 'created'
  | 'holder_checked'
  | 'sent'
  | 'unknown'
  | 'succeeded'
  | 'rejected'
  | 'cancelled';

/** Which states may follow which. Money is locked from the first one on; the last three are ends. */
export const transitions: Readonly<Record<PayoutState, readonly PayoutState[]>> = {
  awaiting_approval: ['created', 'cancelled'],
  created: ['holder_checked', 'rejected', 'cancelled'],
  // Back here from sent and unknown where the bank provably has no such transfer: it is sent again under its number.
  holder_checked: ['sent', 'succeeded', 'rejected', 'cancelled'],
  sent: ['holder_checked', 'unknown', 'succeeded', 'rejected'],
  unknown: ['holder_checked', 'succeeded', 'rejected'],
  succeeded: [],
  rejected: [],
  cancelled: [],
};

export function isEnd(state: PayoutState): boolean {
  return transitions[state].length === 0;
}

/**
 * Where an answer came from. `holder`: what preceded the sending, the holder inquiry or our own check of the account;
 * `hand`: two people in the bank's stead.
 */
export type Source = 'holder' | 'transfer' | 'inquiry' | 'callback' | 'day_list' | 'hand';

export type PayoutFacts = {
  readonly state: PayoutState;
  readonly sends: number;
  readonly asks: number;
  readonly claims: number;
  /** The run that says this still has it in its hands. */
  readonly inHand: boolean;
};

/** When it is looked at next: at once, some time after (longer each time), when it is settled, when the bank opens. */
export type NextLook = 'now' | 'later' | 'settled' | 'open';

export type Judgement = {
  readonly to: PayoutState;
  /** repeated: nothing new; disagrees: the end was another one, and stays. */
  readonly verdict: 'applied' | 'repeated' | 'disagrees';
  /** What the ledger books. */
  readonly booking?: 'paid' | 'released';
  readonly next: NextLook;
  /** The sending did not happen after all. */
  readonly unsent?: true;
};

/**
 * What the bank's word makes of a payout, whatever order words come in and however often. `settled`: so long after the
 * last sending that NOT_FOUND is a proof.
 */
export function judge(payout: PayoutFacts, source: Source, answer: BankAnswer, settled: boolean): Judgement {
  const { state } = payout;
  const { outcome } = answer;
  const stays: Judgement = { to: state, verdict: 'repeated', next: 'later' };
  if (outcome === 'succeeded' || outcome === 'rejected') {
    // People speak in the bank's stead only where it alone could, and does not.
    if (source === 'hand' && state !== 'sent' && state !== 'unknown') return stays;
    // A check of the account that comes late: what may have left since is only given back by the bank's own word.
    return source === 'holder' && payout.sends > 0 ? stays : judgeDefinite(state, outcome);
  }
  if (isEnd(state) || comesByItself(source)) return stays;
  const waits = { verdict: 'applied', next: outcome === 'closed' ? 'open' : 'later' } as const;
  if (source === 'holder') return { to: state, ...waits };
  // Somebody's word came while this one was under way, and said that it can be sent again: that stands.
  if (state !== 'sent' && state !== 'unknown') return stays;
  // Of a run that was frozen, or that did not hear of its commit: what is under way now is another sending.
  if (!payout.inHand) return stays;
  switch (outcome) {
    case 'not_sent':
    case 'closed':
      return source === 'transfer' ? { to: 'holder_checked', unsent: true, ...waits } : { to: 'unknown', ...waits };
    case 'not_found':
      if (source === 'inquiry' && settled) return { to: 'holder_checked', verdict: 'applied', next: 'now' };
      return { to: 'unknown', verdict: 'applied', next: 'settled' };
    case 'duplicate':
      return { to: 'unknown', verdict: 'applied', next: source === 'transfer' ? 'now' : 'later' };
    case 'processing':
    case 'unknown':
      return { to: 'unknown', ...waits };
  }
}

/** True for words that say nothing about how the bank takes orders, and only end a payout. */
export function comesByItself(source: Source): boolean {
  return source === 'callback' || source === 'day_list' || source === 'hand';
}

function judgeDefinite(state: PayoutState, outcome: 'succeeded' | 'rejected'): Judgement {
  if (!isEnd(state)) {
    return { to: outcome, verdict: 'applied', booking: outcome === 'succeeded' ? 'paid' : 'released', next: 'now' };
  }
  // A cancelled payout gave the money back as a rejected one does.
  const same = state === outcome || (state === 'cancelled' && outcome === 'rejected');
  return { to: state, verdict: same ? 'repeated' : 'disagrees', next: 'now' };
}

/** True where the bank, or the way to it, failed: several in a row open the circuit. */
export function isTechnical(answer: BankAnswer): boolean {
  return answer.outcome === 'not_sent' || answer.outcome === 'unknown';
}

const backOff = { firstMs: 1_000, mostMs: 300_000 };

/** How long to wait before the next try, doubling from a second to five minutes. */
export function backOffMs(tries: number): number {
  return Math.min(backOff.mostMs, backOff.firstMs * 2 ** Math.min(Math.max(tries - 1, 0), 20));
}
