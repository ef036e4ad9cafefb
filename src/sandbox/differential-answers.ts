import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeHead, ExchangeLayout, ExchangeRow } from '../providers/layout/exchange-layout.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';
import { type ClaimProvider, played } from './differential-claims.ts';
import type { Fate, FileMood, Verdict } from './differential-fates.ts';
import { supplyOf } from './differential-rates.ts';
import { draw } from './draw.ts';

/** A request as the provider reads it: its claims with what stands in their lines. */
export type ReadClaim = ExchangeRow<'claim'>;

/** What the provider puts out for a request, in turn. */
export type Publication = {
  readonly stage: 'validation' | 'answer';
  readonly bytes: Buffer;
  /** late: on the next business day; very_late: after the deadline; soon: with the answer before it, a while later. */
  readonly when: 'at_once' | 'soon' | 'late' | 'very_late';
};

/** A request's claims, each with the verdict on this try of it; undefined: nothing is said. */
export type Judged = {
  readonly row: ReadClaim;
  readonly fate: Fate | undefined;
  readonly verdict: Verdict | undefined;
  /** Whether this is its first try. */
  readonly first: boolean;
};

export type Answering = {
  readonly provider: DifferentialProvider;
  readonly head: ExchangeHead;
  readonly mood: FileMood;
  readonly judged: readonly Judged[];
};

type AnswerRow = ExchangeRow<'answer'>;

/** The claims of a request file. */
export function readClaims(provider: DifferentialProvider, head: ExchangeHead, fileName: string, bytes: Buffer) {
  const { layout } = provider.differential.claims;
  return decodeExchange(layout, { ...head, provider: provider.id, fileName }, bytes).rows;
}

/** 결과 파일. What a provider puts out for a request in the mood of its file. */
export function publicationsOf(answering: Answering): readonly Publication[] {
  const { provider, head } = answering;
  const { validation, answers } = provider.differential;
  const early = validation === undefined ? [] : answering.judged.filter(({ verdict }) => verdict?.early === true);
  const judged = answering.judged.filter((one) => !early.includes(one));
  const write = (rows: readonly AnswerRow[], of = head): Buffer =>
    encodeExchange(
      answers.layout,
      of,
      rows.map((row) => stated(answers.layout, row)),
    );
  const said = judged.filter(({ verdict }) => verdict !== undefined);
  const rows = said.map(({ row, verdict, fate }) => answerRow(provider.id, row, fate, verdict as Verdict));
  const versions = moodyVersions(answering, said, rows, write);
  return [
    ...(validation === undefined
      ? []
      : [
          {
            stage: 'validation' as const,
            bytes: encodeExchange(
              validation.layout,
              head,
              answering.judged.map((one) => validationRow(one, early)),
            ),
            when: 'at_once' as const,
          },
        ]),
    ...versions,
  ];
}

/** The versions of an answer as its mood has them; the last one is right. */
function moodyVersions(
  { head, mood, provider }: Answering,
  said: readonly Judged[],
  rows: readonly AnswerRow[],
  write: (rows: readonly AnswerRow[], of?: ExchangeHead) => Buffer,
): readonly Publication[] {
  const put = (bytes: Buffer, when: Publication['when'] = 'at_once'): Publication => ({ stage: 'answer', bytes, when });
  const right = write(rows);
  const first = (bytes: Buffer): Publication[] => [put(bytes), put(right, 'soon')];
  if (rows.length === 0) return [];
  switch (mood) {
    case 'half':
      return first(write(rows.filter((_, n) => n % 2 === 0)));
    case 'rest':
      return [put(write(rows.filter((_, n) => n % 2 === 0))), ...restOf(rows, write, put)];
    case 'unknown_claim':
      return [put(write([...rows, strangerOf(rows)]))];
    case 'same_twice':
      return [put(write(rows.flatMap((row, n) => (n % 3 === 0 ? [row, row] : [row])))), put(right, 'soon')];
    case 'corrected':
      return first(
        write(
          said.map(({ row, fate, verdict, first: isFirst }) =>
            answerRow(provider.id, row, fate, (isFirst ? fate?.mistaken : undefined) ?? (verdict as Verdict)),
          ),
        ),
      );
    case 'wrong_total':
      return first(
        withFrameOf(right, write(rows.map((row, n) => (n === 0 ? { ...row, amountWon: row.amountWon + 1n } : row)))),
      );
    case 'other_day':
      return first(write(rows, { ...head, on: head.on.subtract({ days: 1 }) }));
    case 'truncated':
      return first(right.subarray(0, Math.floor(right.length * 0.6) + 1));
    case 'reordered':
      return [put(write(shuffled(rows)))];
    case 'answered_twice':
      return first(write(rows.flatMap((row, n) => (n % 6 === 1 ? [row, contradictionOf(row)] : [row]))));
    case 'unreadable':
      return first(garbled(provider.differential.answers.layout, right));
    case 'late':
      return [put(right, 'late')];
    case 'after_deadline':
      return [put(right, 'very_late')];
    case 'plain':
      return [put(right)];
  }
}

function restOf(
  rows: readonly AnswerRow[],
  write: (rows: readonly AnswerRow[]) => Buffer,
  put: (bytes: Buffer, when: Publication['when']) => Publication,
): Publication[] {
  const rest = rows.filter((_, n) => n % 2 === 1);
  return rest.length === 0 ? [] : [put(write(rest), 'soon')];
}

/** Without what the provider's layout has no place for. */
function stated({ data }: ExchangeLayout<'answer'>, row: AnswerRow): AnswerRow {
  const left = data.columns.filter(({ source }) => source.from === 'nowhere').map(({ name }) => [name, null]);
  return { ...row, ...Object.fromEntries(left) };
}

/** The line of an answer: the request's line echoed, and what the provider says to it. */
function answerRow(providerId: string, row: ReadClaim, fate: Fate | undefined, verdict: Verdict): AnswerRow {
  const { mid, tradedOn, providerTid, cancelSeq, originalWon } = row;
  const pays = verdict.code === '00' && fate !== undefined;
  const differenceWon = pays ? (verdict.differenceWon ?? fate.claim.differenceWon) : null;
  const { manner } = played[providerId as ClaimProvider];
  const supplyWon = differenceWon === null ? null : supplyOf(differenceWon, manner);
  return {
    mid,
    tradedOn,
    providerTid,
    cancelSeq,
    amountWon: verdict.amountWon ?? row.amountWon,
    originalWon,
    tier: pays ? String(verdict.tier ?? fate.claim.tier) : null,
    cardType: pays ? (fate.claim.cardType === 'check' ? '1' : '0') : null,
    differenceWon,
    supplyWon,
    vatWon: differenceWon === null || supplyWon === null ? null : differenceWon - supplyWon,
    payOn: pays ? Temporal.PlainDate.from(tradedOn).add({ days: 7 }).toString() : null,
    code: verdict.code,
    extras: echoOf(row),
  };
}

function validationRow({ row, verdict }: Judged, early: readonly Judged[]): ExchangeRow<'validation'> {
  const { mid, tradedOn, providerTid, cancelSeq, amountWon } = row;
  const isEarly = early.some((one) => one.row === row);
  const code = isEarly ? (verdict?.code ?? '00') : '00';
  return {
    mid,
    tradedOn,
    providerTid,
    cancelSeq,
    amountWon,
    code,
    extras: { ...echoOf(row), originalWon: row.originalWon },
  };
}

/** What an answer repeats of the request besides its columns. */
function echoOf(row: ReadClaim) {
  const { type, intermediaryNo, finalNo, orderNo, approvedOn } = row;
  return { type, intermediaryNo: intermediaryNo ?? '', finalNo, orderNo, approvedOn, originalTid: row.providerTid };
}

/** A line about a transaction that nobody claimed. */
function strangerOf(rows: readonly AnswerRow[]): AnswerRow {
  const row = rows[0] as AnswerRow;
  return { ...row, providerTid: `9${row.providerTid.slice(1, -2)}ZZ` };
}

function contradictionOf(row: AnswerRow): AnswerRow {
  if (row.code !== '00') return { ...row, code: row.code === '01' ? '05' : '01' };
  return {
    ...row,
    tier: null,
    cardType: null,
    differenceWon: null,
    supplyWon: null,
    vatWon: null,
    payOn: null,
    code: '01',
  };
}

/** The same lines in another order, the same one each time. */
function shuffled(rows: readonly AnswerRow[]): readonly AnswerRow[] {
  const keys = rows.map((row, n) => ({ row, at: draw(n, rows.length, 7) }));
  return keys.sort((a, b) => a.at - b.at).map(({ row }) => row);
}

/** Data of the one file between the frame of another: its totals are not those of its lines. */
function withFrameOf(right: Buffer, other: Buffer): Buffer {
  const [lines, others] = [right, other].map((bytes) => bytes.toString('latin1').split('\n')) as [string[], string[]];
  return Buffer.from(lines.map((line, n) => (/^(12|02)/.test(line) ? (others[n] ?? line) : line)).join('\n'), 'latin1');
}

/** The first line's amount is no number any more. */
function garbled({ format, data }: ExchangeLayout, right: Buffer): Buffer {
  const lines = right.toString('latin1').split('\n');
  const n = lines.findIndex((line) => line.startsWith(data.mark));
  const index = data.fields.findIndex(({ name }) => name === 'amountWon');
  const line = lines[n] ?? '';
  if (format.kind === 'fixed') {
    const { offset, width } = data.fields[index] as { offset: number; width: number };
    lines[n] = `${line.slice(0, offset + width - 1)}?${line.slice(offset + width)}`;
  } else {
    lines[n] = line.split(format.separator).with(index, '1?').join(format.separator);
  }
  return Buffer.from(lines.join('\n'), 'latin1');
}
