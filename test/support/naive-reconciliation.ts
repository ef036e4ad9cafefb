import type { StatementRow } from '../../src/providers/layout/layout.ts';
import type { ScoredBreak } from './score.ts';
import type { OurRecord, TheirLine, TheirStatement, WorldFiles } from './world-files.ts';

/** One record of ours in a stage, and whether a line has been found for it. */
type Ours = {
  readonly record: OurRecord;
  readonly on: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly kind: string;
  readonly amountWon: number;
  taken: boolean;
};
type Unpaired = { readonly statement: TheirStatement; readonly line: TheirLine; readonly row: StatementRow };

export type NaiveResult = {
  readonly differences: readonly ScoredBreak[];
  /** Pairs found by approval or order number only. */
  readonly weak: number;
  /** Held captures that a later statement released. */
  readonly released: number;
};

/**
 * Reconciles a whole world at once, in memory, as simply as it can be said: the yardstick for what the generator
 * claims to have planted. It shares nothing with the product but the decoding of lines.
 */
export function reconcileNaively(world: WorldFiles): NaiveResult {
  const providers = world.summary.providers;
  const results = providers.flatMap((provider) => {
    const captures = reconcileCaptures(world, provider);
    return [
      reconcileTransactions(world, provider),
      captures,
      reconcileSettlements(world, provider, captures.notSettled),
      reconcileDeposits(world, provider),
    ];
  });
  return {
    differences: results.flatMap(({ differences }) => differences),
    weak: results.reduce((sum, { weak = 0 }) => sum + weak, 0),
    released: results.reduce((sum, { released = 0 }) => sum + released, 0),
  };
}

type StageResult = { readonly differences: ScoredBreak[]; readonly weak?: number; readonly released?: number };

const keyOf = (providerTid: string | undefined, cancelSeq: number | string): string => `${providerTid}/${cancelSeq}`;
const ordinal: Readonly<Record<string, string>> = { approval: 'A', cancel: 'C', partial_cancel: 'P' };

function oursOf(world: WorldFiles, provider: string, captures: boolean): Map<string, Ours> {
  const ours = new Map<string, Ours>();
  for (const record of world.records) {
    if (record['provider'] !== provider || (record['record'] === 'capture') !== captures) continue;
    const { providerTid = '', cancelSeq = '' } = record;
    const on = captures ? (record['capturedOn'] ?? '') : (record['tradedAt'] ?? '').slice(0, 10);
    const kind = captures ? (cancelSeq === '0' ? 'A' : 'C') : (ordinal[record['record'] ?? ''] ?? '?');
    const amountWon = Number(record['amountWon']);
    const one = { record, on, providerTid, cancelSeq: Number(cancelSeq), kind, amountWon, taken: false };
    const key = keyOf(providerTid, cancelSeq);
    if (ours.has(key)) throw new Error(`two records of ours with the key ${key}`);
    ours.set(key, one);
  }
  return ours;
}

function statementsOf(world: WorldFiles, provider: string, stage: string): TheirStatement[] {
  return world.statements
    .filter((statement) => statement.provider === provider && statement.stage === stage)
    .sort((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : 0));
}

const told = (
  { provider, stage, on }: TheirStatement,
  { lineNo, providerTid }: TheirLine,
  kind: string,
  differenceWon: number | null,
): ScoredBreak => ({ provider, stage, on, kind, providerTid: providerTid ?? null, line: lineNo, differenceWon });

function missing(provider: string, stage: string, ours: Iterable<Ours>): ScoredBreak[] {
  return [...ours]
    .filter(({ taken }) => !taken)
    .map(({ on, providerTid, amountWon }) => {
      const kind = 'missing_at_provider';
      return { provider, stage, on, kind, providerTid, line: null, differenceWon: -amountWon };
    });
}

/** An unreadable line: its record of ours is not missing, only unknown. */
function unreadable(statement: TheirStatement, line: TheirLine, ours: Map<string, Ours>): ScoredBreak {
  for (const one of ours.values()) if (one.providerTid === line.providerTid && one.cancelSeq === 0) one.taken = true;
  return told(statement, line, 'unreadable', null);
}

function reconcileTransactions(world: WorldFiles, provider: string): StageResult {
  const ours = oursOf(world, provider, false);
  const differences: ScoredBreak[] = [];
  const unpaired: Unpaired[] = [];
  for (const statement of statementsOf(world, provider, 'transaction')) {
    for (const line of statement.lines) {
      const { row } = line;
      if (row === undefined) {
        differences.push(unreadable(statement, line, ours));
        continue;
      }
      const amountWon = Number(row.amountWon);
      const one = ours.get(keyOf(row.providerTid, row.cancelSeq));
      if (one === undefined) unpaired.push({ statement, line, row });
      else if (one.taken) differences.push(told(statement, line, 'duplicate', amountWon));
      else {
        one.taken = true;
        const by = amountWon - one.amountWon;
        if (row.kind !== one.kind) differences.push(told(statement, line, 'status_differs', by));
        else if (by !== 0) differences.push(told(statement, line, 'amount_differs', by));
        else if (one.on !== statement.on) differences.push(told(statement, line, nearMidnight(one, statement, row), 0));
        else if (row.tradedOn !== statement.on) differences.push(told(statement, line, 'date_differs', 0));
      }
    }
  }
  const left = pairWeakly(unpaired, ours);
  differences.push(
    ...left.map(({ statement, line, row }) => told(statement, line, 'missing_here', Number(row.amountWon))),
  );
  differences.push(...missing(provider, 'transaction', ours.values()));
  return { differences, weak: unpaired.length - left.length };
}

/** Ours within ten minutes of midnight, theirs within ten minutes of the same midnight on the other side. */
function nearMidnight(ours: Ours, { on }: TheirStatement, row: StatementRow): string {
  if (!('tradedTime' in row) || row.tradedOn !== on) return 'date_differs';
  const at = Date.parse(ours.record['tradedAt'] ?? '');
  const theirs = Date.parse(`${on}T${row.tradedTime}+09:00`);
  const midnight = Date.parse(`${ours.on < on ? on : ours.on}T00:00:00+09:00`);
  const near = Math.abs(at - midnight) <= 600_000 && Math.abs(theirs - midnight) <= 600_000;
  return near ? 'timing' : 'date_differs';
}

/** The weaker keys over what is left; a key that more than one record shares pairs nothing here. */
function pairWeakly(unpaired: readonly Unpaired[], ours: Map<string, Ours>): Unpaired[] {
  const ofRecord = ({ record, on, kind, amountWon }: Ours): [string, string] => [
    [record['approvalNo'], on, amountWon, kind, record['acquirer'], record['cardMerchantNo']].join(),
    [record['orderNo'], record['mid'], kind, amountWon, record['cancelSeq']].join(),
  ];
  const ofRow = (row: StatementRow): [string, string] => [
    [row.approvalNo, row.tradedOn, row.amountWon, row.kind, row.acquirer, row.cardMerchantNo].join(),
    [row.orderNo, row.mid, row.kind, row.amountWon, row.cancelSeq].join(),
  ];
  let left = [...unpaired];
  for (const pass of [0, 1] as const) {
    left = left.filter(({ row }) => {
      const matching = [...ours.values()].filter((one) => !one.taken && ofRecord(one)[pass] === ofRow(row)[pass]);
      const [one] = matching;
      if (one === undefined || matching.length > 1) return true;
      one.taken = true;
      return false;
    });
  }
  return left;
}

function reconcileCaptures(world: WorldFiles, provider: string): StageResult & { notSettled: Set<string> } {
  const statements = statementsOf(world, provider, 'capture');
  const differences: ScoredBreak[] = [];
  const notSettled = new Set<string>();
  if (statements.length === 0) return { differences, notSettled };
  const ours = oursOf(world, provider, true);
  const held = new Map<string, ScoredBreak>();
  let released = 0;
  for (const statement of statements) {
    for (const line of statement.lines) {
      const { row } = line;
      if (row === undefined || !('result' in row)) {
        differences.push(unreadable(statement, line, ours));
        continue;
      }
      const amountWon = Number(row.amountWon);
      const key = keyOf(row.providerTid, row.cancelSeq);
      const one = ours.get(key);
      if (one === undefined) differences.push(told(statement, line, 'missing_here', amountWon));
      else if (row.result === 'L' && held.delete(key)) {
        released += 1;
        if (row.capturedOn !== one.on || statement.on <= one.on) throw new Error(`released out of turn: ${key}`);
      } else if (one.taken) differences.push(told(statement, line, 'duplicate', amountWon));
      else {
        one.taken = true;
        if (one.on !== statement.on || row.capturedOn !== one.on) throw new Error(`captured on another day: ${key}`);
        if (row.result === 'H') held.set(key, told(statement, line, 'capture_held', -one.amountWon));
        if (row.result === 'R') differences.push(told(statement, line, 'capture_rejected', -one.amountWon));
        if (row.result === 'R') notSettled.add(key);
        const by = amountWon - one.amountWon;
        if (row.result === 'A' && by !== 0) differences.push(told(statement, line, 'amount_differs', by));
      }
    }
  }
  for (const key of held.keys()) notSettled.add(key);
  differences.push(...held.values(), ...missing(provider, 'capture', ours.values()));
  return { differences, released, notSettled };
}

function reconcileSettlements(world: WorldFiles, provider: string, notSettled: ReadonlySet<string>): StageResult {
  const ours = oursOf(world, provider, true);
  for (const key of notSettled) ours.delete(key);
  const differences: ScoredBreak[] = [];
  for (const statement of statementsOf(world, provider, 'settlement')) {
    for (const line of statement.lines) {
      const { row } = line;
      if (row === undefined || !('netWon' in row)) throw new Error(`no settlement line is unreadable: ${line.lineNo}`);
      const [amount, fee, vat, net] = [row.amountWon, row.feeWon, row.vatWon, row.netWon].map(Number) as [
        number,
        number,
        number,
        number,
      ];
      const key = keyOf(row.providerTid, row.cancelSeq);
      const one = ours.get(key);
      if (notSettled.has(key)) throw new Error(`settled without having been captured: ${key}`);
      if (one === undefined) differences.push(told(statement, line, 'missing_here', amount));
      else if (one.taken) differences.push(told(statement, line, 'duplicate', amount));
      else {
        one.taken = true;
        if (row.capturedOn !== one.on) throw new Error(`captured on another day: ${key}`);
        const [ourFee, ourVat] = [Number(one.record['feeWon']), Number(one.record['vatWon'])];
        const tell = (kind: string, by: number): void => {
          if (by !== 0) differences.push(told(statement, line, kind, by));
        };
        tell('amount_differs', amount - one.amountWon);
        if (amount === one.amountWon) tell('fee_differs', fee - ourFee);
        if (amount === one.amountWon) tell('vat_differs', vat - ourVat);
        tell('net_differs', net - (amount - fee - vat));
      }
    }
  }
  differences.push(...missing(provider, 'settlement', ours.values()));
  return { differences };
}

function reconcileDeposits(world: WorldFiles, provider: string): StageResult {
  const promised = new Map<string, number>();
  const lastOn = world.summary.days.at(-1) ?? '';
  for (const { lines } of statementsOf(world, provider, 'settlement')) {
    for (const { row } of lines) {
      if (row === undefined || !('netWon' in row) || row.payInOn > lastOn) continue;
      promised.set(row.payInOn, (promised.get(row.payInOn) ?? 0) - Number(row.netWon));
    }
  }
  for (const { provider: by, depositedOn = '', amountWon } of world.deposits) {
    if (by === provider) promised.set(depositedOn, (promised.get(depositedOn) ?? 0) + Number(amountWon));
  }
  const differences = [...promised]
    .filter(([, by]) => by !== 0)
    .map(([on, differenceWon]) => {
      return { provider, stage: 'deposit', on, kind: 'deposit_differs', providerTid: null, line: null, differenceWon };
    });
  return { differences };
}
