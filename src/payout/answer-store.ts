import { closeFinding, openFinding } from '../findings/store.ts';
import { seoul } from '../kernel/business-day.ts';
import { check } from '../kernel/check.ts';
import { house, inFlightOf, walletOf } from '../ledger/accounts.ts';
import { ensureLedgerDay, holdAccounts, type LedgerEntry, post } from '../ledger/store.ts';
import type { PoolClient } from '../platform/database/pool.ts';
import type { BankAnswer } from './bank-port.ts';
import { countTechnical } from './control-store.ts';
import {
  backOffMs,
  comesByItself,
  isEnd,
  isTechnical,
  type Judgement,
  judge,
  type PayoutState,
  type Source,
  transitions,
} from './states.ts';

/** What a bank said about a payout, to be noted. */
export type Answered = {
  readonly payoutId: bigint;
  readonly source: Source;
  readonly answer: BankAnswer;
  readonly who: string;
  /** The run that had it in its hands and lets go of it with this. */
  readonly releases?: string;
  /** So long after the last sending that NOT_FOUND is a proof. */
  readonly settled?: boolean;
};

/** Who answered, as of when, and what follows for waiting. */
export type AnswerRules = {
  readonly bank: string;
  readonly now: Temporal.Instant;
  readonly settlingMs: number;
  /** When the bank takes transfers again, by its hours; undefined while it is open. */
  readonly opensAt: Temporal.Instant | undefined;
  /** Unknown for longer is a finding. */
  readonly unknownFindingMs: number;
};

export type Noted = { readonly payoutId: bigint; readonly state: PayoutState; readonly verdict: Judgement['verdict'] };

type Row = {
  payoutId: bigint;
  state: PayoutState;
  kind: 'withdrawal' | 'scheduled' | 'direct';
  merchantId: string;
  amountWon: bigint;
  messageNo: string | null;
  sends: number;
  asks: number;
  claims: number;
  run: string | null;
  firstSentAt: Date | null;
  resultCode: string | null;
};

type Change = {
  readonly row: Row;
  readonly given: Answered;
  readonly judgement: Judgement;
  readonly nextAt: Temporal.Instant;
};

/** The bank said that it is closed outside its hours: it is tried again after this. */
const closedAnywayMs = 60_000;

/**
 * Notes what a bank said about payouts: their states, the trail, the ledger and findings in one transaction. The first
 * definite answer counts whatever its source; the same again changes nothing, another one is a finding and books
 * nothing. Safe to repeat. At most one answer a payout.
 */
export async function noteAnswers(tx: PoolClient, given: readonly Answered[], rules: AnswerRules): Promise<Noted[]> {
  const rows = await lockPayouts(
    tx,
    given.map(({ payoutId }) => payoutId),
  );
  const changes = given.map((each) => {
    const row = rows.get(each.payoutId);
    check(row, `there is no payout ${each.payoutId}`);
    const facts = { ...row, inHand: row.run !== null && [each.who, each.releases].includes(row.run) };
    const judgement = judge(facts, each.source, each.answer, each.settled ?? false);
    check(
      judgement.to === row.state || transitions[row.state].includes(judgement.to),
      `payout ${row.payoutId} cannot go from ${row.state} to ${judgement.to}`,
    );
    return { row, given: each, judgement, nextAt: nextAt(row, each, judgement, rules) };
  });
  await writeChanges(tx, changes, rules);
  await writeEvents(tx, changes);
  const entries = changes.flatMap((change) => entryOf(change, rules) ?? []);
  // One entry locks its accounts itself.
  if (entries.length > 1) {
    await ensureLedgerDay(tx, postedOn(rules));
    await holdAccounts(
      tx,
      entries.flatMap(({ lines }) => lines.map(({ account }) => account)),
    );
  }
  for (const entry of entries) await post(tx, entry);
  for (const change of changes) {
    await tell(tx, change, rules);
    await tellOfRejection(tx, change, rules.bank);
  }
  await countTechnical(tx, rules.bank, technicalInARow(given), rules.now);
  return changes.map(({ row, judgement }) => ({
    payoutId: row.payoutId,
    state: judgement.to,
    verdict: judgement.verdict,
  }));
}

async function lockPayouts(tx: PoolClient, ids: readonly bigint[]): Promise<Map<bigint, Row>> {
  const { rows } = await tx.query<Row>(
    `select payout_id as "payoutId", state, kind, merchant_id as "merchantId", amount_won as "amountWon",
            message_no as "messageNo", sends, asks, claims, claimed_by as run, first_sent_at as "firstSentAt", result_code as "resultCode"
       from payout where payout_id = any ($1::bigint[]) order by payout_id for update`,
    [ids.map(String)],
  );
  return new Map(rows.map((row) => [row.payoutId, row]));
}

function nextAt(row: Row, given: Answered, { next }: Judgement, rules: AnswerRules): Temporal.Instant {
  const { now } = rules;
  const later = backOffMs(given.source === 'inquiry' ? row.asks + 1 : row.claims);
  switch (next) {
    case 'now':
      return now;
    case 'later':
      return now.add({ milliseconds: later });
    case 'settled':
      return now.add({ milliseconds: Math.max(later, rules.settlingMs) });
    case 'open':
      return rules.opensAt ?? now.add({ milliseconds: closedAnywayMs });
  }
}

async function writeChanges(tx: PoolClient, changes: readonly Change[], { now }: AnswerRules): Promise<void> {
  const definite = (change: Change) => change.judgement.booking !== undefined;
  const of = <T>(pick: (change: Change) => T) => changes.map(pick);
  const { rowCount } = await tx.query(
    `update payout p
        set state = c.to_state,
            next_at = case when c.applied then c.next_at else p.next_at end,
            sends = p.sends - c.unsent, asks = p.asks + c.asked,
            last_sent_at = case when c.ended_sending then $10 else p.last_sent_at end,
            finished_at = case when c.definite then $10 else p.finished_at end,
            result_code = case when c.applied then c.code else p.result_code end,
            result_reason = case when c.applied then c.reason else p.result_reason end,
            claimed_by = case when p.claimed_by = c.releases then null else p.claimed_by end,
            claimed_at = case when p.claimed_by = c.releases then null else p.claimed_at end
       from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::int[], $6::int[], $7::bool[], $8::text[],
                   $9::text[], $11::text[], $12::bool[], $13::bool[])
            as c (payout_id, from_state, to_state, next_at, unsent, asked, definite, code, reason, releases, applied,
                  ended_sending)
      where p.payout_id = c.payout_id and p.state = c.from_state`,
    [
      of(({ row }) => String(row.payoutId)),
      of(({ row }) => row.state),
      of(({ judgement }) => judgement.to),
      of((change) => change.nextAt.toString()),
      of(({ judgement }) => (judgement.unsent ? 1 : 0)),
      of(({ given }) => (given.source === 'inquiry' ? 1 : 0)),
      of(definite),
      of(({ given }) => codeOf(given.answer)),
      of(({ given }) => reasonOf(given.answer)),
      now.toString(),
      of(({ given }) => given.releases ?? null),
      of(({ judgement }) => judgement.verdict === 'applied'),
      of(({ given, judgement }) => given.source === 'transfer' && !judgement.unsent),
    ],
  );
  check(rowCount === changes.length, 'payouts are noted under their locks');
}

const eventOf: Readonly<Record<Source, string>> = {
  holder: 'holder_answered',
  transfer: 'answered',
  inquiry: 'asked',
  callback: 'called_back',
  day_list: 'listed',
  hand: 'settled_by_hand',
};

/** What only repeats what we know leaves no trail: a callback may come a thousand times. */
async function writeEvents(tx: PoolClient, all: readonly Change[]): Promise<void> {
  const changes = all.filter(({ judgement }) => judgement.verdict !== 'repeated');
  if (changes.length === 0) return;
  await tx.query(
    `insert into payout_event (payout_id, who, from_state, to_state, what, detail)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])`,
    [
      changes.map(({ row }) => String(row.payoutId)),
      changes.map(({ given }) => given.who),
      changes.map(({ row }) => row.state),
      changes.map(({ judgement }) => judgement.to),
      changes.map(({ given, judgement }) => (judgement.verdict === 'disagrees' ? 'disagreed' : eventOf[given.source])),
      changes.map(({ given }) => JSON.stringify(given.answer)),
    ],
  );
}

const postedOn = ({ now }: AnswerRules): string => now.toZonedDateTimeISO(seoul).toPlainDate().toString();

/** What an answer books, where it books anything. */
function entryOf({ row, given, judgement }: Change, rules: AnswerRules): LedgerEntry | undefined {
  if (judgement.booking === undefined) return undefined;
  const { payoutId, merchantId, amountWon } = row;
  return {
    event: `payout:${payoutId}:${judgement.booking}`,
    kind: `payout_${judgement.booking}`,
    postedOn: postedOn(rules),
    postedBy: given.who,
    lines: [
      { account: inFlightOf(merchantId), amountWon: -amountWon },
      { account: judgement.booking === 'paid' ? house.bank : walletOf(merchantId), amountWon },
    ],
  };
}

/** Findings: contradictions for good, unknown ones until the bank is definite. */
async function tell(tx: PoolClient, { row, given, judgement }: Change, rules: AnswerRules): Promise<void> {
  const subject = `payout:${row.payoutId}`;
  const about = {
    merchantId: row.merchantId,
    amountWon: String(row.amountWon),
    bank: rules.bank,
    messageNo: row.messageNo,
  };
  if (judgement.verdict === 'disagrees') {
    const detail = { ...about, ours: row.state, theirs: given.answer.outcome, source: given.source };
    await openFinding(tx, { kind: 'payout_contradicted', subject, audience: 'operations', detail });
    return;
  }
  const unknownMs = row.firstSentAt === null ? 0 : rules.now.epochMilliseconds - row.firstSentAt.getTime();
  if (judgement.to === 'unknown' && unknownMs > rules.unknownFindingMs) {
    const detail = { ...about, since: row.firstSentAt?.toISOString(), asks: row.asks + 1 };
    await openFinding(tx, { kind: 'payout_unknown', subject, audience: 'in_charge', detail });
  } else if (isEnd(judgement.to) && !isEnd(row.state) && unknownMs > rules.unknownFindingMs) {
    await closeFinding(tx, { kind: 'payout_unknown', subject, by: given.who });
  }
}

/** Nobody asked for what is paid by itself, and nobody would see that it is rejected slot after slot. */
async function tellOfRejection(tx: PoolClient, { row, given, judgement }: Change, bank: string): Promise<void> {
  if (row.kind === 'withdrawal' || judgement.booking === undefined) return;
  const finding = { kind: 'payout_rejected', subject: row.merchantId };
  if (judgement.booking === 'paid') return void (await closeFinding(tx, { ...finding, by: given.who }));
  const said = { code: codeOf(given.answer), text: reasonOf(given.answer) };
  const detail = { payoutId: row.payoutId, amountWon: row.amountWon, bank, ...said };
  await openFinding(tx, { ...finding, audience: 'in_charge', detail });
}

/** How many of the latest words were no word of the bank, and whether any before them was one. */
function technicalInARow(given: readonly Answered[]): { readonly failures: number; readonly heard: boolean } {
  let failures = 0;
  let heard = false;
  for (const { answer, source } of given) {
    if (comesByItself(source)) continue;
    const technical = isTechnical(answer);
    failures = technical ? failures + 1 : 0;
    heard ||= !technical;
  }
  return { failures, heard };
}

function codeOf(answer: BankAnswer): string | null {
  return 'code' in answer && answer.code !== '' ? answer.code : null;
}

function reasonOf(answer: BankAnswer): string {
  if ('reason' in answer) return answer.outcome === 'closed' ? 'bank_closed' : answer.reason;
  return answer.text;
}

/** Unknown for longer is a finding. */
export const unknownFindingMs = 10 * 60_000;
