import { escapeLiteral, type PoolClient, type QueryResultRow } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import type { Archive, ArchivedBytes } from '../platform/archive.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeRefusal, ExchangeWritten } from '../providers/layout/exchange-facts.ts';
import { ExchangeWriter } from '../providers/layout/exchange-writer.ts';
import { noteHeld } from './batch-end-store.ts';
import { claimDays } from './batch-store.ts';
import { canBeNamed, formatExchangeName } from './exchange-name.ts';
import { insertFile } from './file-store.ts';
import { fileOrder, type MidReach, quickFileOrder } from './write-order-store.ts';

/** A file of a batch by the number that was drawn for it; `mid` is '' where it holds all MIDs. */
export type FileToWrite = {
  readonly batchId: bigint;
  readonly provider: DifferentialProvider;
  readonly on: Temporal.PlainDate;
  readonly businessNo: string;
  readonly fileId: bigint;
  readonly mid: string;
};

/** 작성 결과. `held` claims were left out, since the layout cannot hold them. */
export type WrittenClaims = {
  readonly fileId: bigint;
  readonly fileName: string;
  readonly lines: bigint;
  readonly amountWon: bigint;
  readonly differenceWon: bigint;
  readonly bytes: number;
  readonly held: number;
};

/** Claims that the provider's layout cannot hold: why they are held, and the finding about them. */
export const notEncodable = 'not_encodable';
const notEncodableFinding = 'differential_not_encodable';
/** So many are named to people; of what is more they are told how many there are. */
const namedMost = 20;

/** The numbers that were drawn for the files of a batch. */
export async function fileNumbers(
  tx: PoolClient,
  batchId: bigint,
): Promise<readonly { readonly fileId: bigint; readonly mid: string }[]> {
  return query(tx, `select file_id as "fileId", mid from differential_file_number where batch_id = $1 order by mid`, [
    batchId,
  ]);
}

/**
 * 작성. Writes the claims of a file into the archive, in an order of their own, so that the same claims always are the
 * same bytes, and notes the file. Claims that the layout cannot hold are held back, with the cancels of such approvals;
 * the others go. Null where there is nothing to claim: then there is no file.
 */
export async function writeClaims(tx: PoolClient, archive: Archive, file: FileToWrite): Promise<WrittenClaims | null> {
  const { batchId, provider, on, businessNo, fileId, mid } = file;
  // The sort is as large as the file, and goes to all cores.
  await tx.query(`
    set local work_mem = '256MB';
    set local jit = off;
    set local parallel_setup_cost = 0;
    set local parallel_tuple_cost = 0`);
  const claims = await claimsOfFile(tx, file);
  const spec = provider.differential.claims;
  const fileName = formatExchangeName(spec.fileName, { businessNo, on, mid });
  const held: HeldClaim[] = [];
  for (;;) {
    const sums = claims === undefined ? undefined : await sumsOf(tx, claims);
    if (claims !== undefined && sums !== undefined && spec.perMid && !canBeNamed(mid)) {
      held.push(...(await holdRefused(tx, claims, allFor(mid, sums))));
      await tell(tx, file, `${provider.id} ${on} ${mid}`, held);
      return null;
    }
    if (claims === undefined || sums === undefined || sums.lines === 0n) {
      await tell(tx, file, fileName, held);
      return null;
    }
    const { written, kept } = await writeFile(tx, archive, file, claims, sums.reach);
    const newly = await holdRefused(tx, claims, written.refused);
    held.push(...newly);
    // The cancels of what was refused are in the bytes: they are written again without.
    if (newly.length > written.refused.length) continue;
    const { reach: _, ...left } = newly.length === 0 ? sums : await sumsOf(tx, claims);
    if (left.lines === 0n) continue;
    check(left.lines === BigInt(written.lines), `${fileName}: ${written.lines} lines of ${left.lines} claims`);
    check(left.amountWon === written.amountWon, `${fileName}: ${written.amountWon} won of ${left.amountWon}`);
    const noted = { batchId, provider: provider.id, kind: 'claims', on: on.toString(), mid, fileName } as const;
    await insertFile(tx, { ...noted, ...left, kept }, fileId);
    await tell(tx, file, fileName, held);
    return { fileId, fileName, ...left, bytes: kept.bytes, held: held.length };
  }
}

/** Of a claim `c` with a result: what was accepted once and taken back since is answered anew when it is sent again. */
const isStillAccepted = `coalesce((
  select accepted from claim_revision v
   where v.channel = c.channel and v.traded_on = c.traded_on and v.provider_tid = c.provider_tid
     and v.cancel_seq = c.cancel_seq and v.kind = c.kind order by revision_id desc limit 1), true)`;

/** Claims of a file of which no answer has said anything yet. */
export async function unansweredClaims(tx: PoolClient, batchId: bigint, fileId: bigint): Promise<bigint> {
  const leaves = await leavesOfBatch(tx, batchId);
  if (leaves === undefined) return 0n;
  const [row] = await wholeLeaves<{ claims: bigint }>(
    tx,
    `select count(*) as claims
       from claim c
       left join claim_result r on r.channel = c.channel and r.traded_on = c.traded_on and r.provider_tid = c.provider_tid
             and r.cancel_seq = c.cancel_seq and r.kind = c.kind and ${leaves('r')}
      where c.file_id = $1 and c.state = 'P' and ${leaves('c')}
        and (r.channel is null or (c.attempt > 1 and not ${isStillAccepted}))`,
    [fileId],
  );
  check(row, 'a count is a row');
  return row.claims;
}

/** The rows of a file, as a condition on `claim`; undefined where the batch claims nothing. */
type Claims = { readonly where: string };

async function claimsOfFile(tx: PoolClient, { batchId, fileId }: FileToWrite): Promise<Claims | undefined> {
  const leaves = await leavesOfBatch(tx, batchId);
  if (leaves === undefined) return undefined;
  return { where: `c.file_id = ${fileId} and c.state = 'P' and ${leaves('c')}` };
}

/** A condition that names the leaves of a batch by literals, so that no other is opened. */
async function leavesOfBatch(tx: PoolClient, batchId: bigint): Promise<((alias: string) => string) | undefined> {
  const days = new Map<string, string[]>();
  for (const { channel, tradedOn } of await claimDays(tx, batchId)) {
    days.set(channel, [...(days.get(channel) ?? []), tradedOn]);
  }
  if (days.size === 0) return undefined;
  return (alias) => {
    const channels = [...days].map(([channel, on]) => {
      const list = on.map((day) => `date ${escapeLiteral(day)}`).join(', ');
      return `(${alias}.channel = ${escapeLiteral(channel)} and ${alias}.traded_on in (${list}))`;
    });
    return `(${channels.join(' or ')})`;
  };
}

/** Most of what a leaf holds is asked for, which a leaf that was just filled does not tell by its statistics. */
async function wholeLeaves<Row extends QueryResultRow>(
  tx: PoolClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  await tx.query(
    'set local enable_nestloop = off; set local enable_indexscan = off; set local enable_bitmapscan = off',
  );
  const rows = await query<Row>(tx, sql, values);
  await tx.query('reset enable_nestloop; reset enable_indexscan; reset enable_bitmapscan');
  return rows;
}

type FileSums = Pick<WrittenClaims, 'lines' | 'amountWon' | 'differenceWon'>;

/** What the claims of a file come to, and from which TID to which those of each MID are. */
async function sumsOf(tx: PoolClient, { where }: Claims): Promise<FileSums & { readonly reach: readonly MidReach[] }> {
  const reach = await wholeLeaves<FileSums & MidReach>(
    tx,
    `select mid, count(*) as lines, sum(amount_won)::bigint as "amountWon", sum(difference_won)::bigint as "differenceWon",
            min(provider_tid) as first, max(provider_tid) as last
       from claim c where ${where} group by mid order by mid`,
  );
  const sum = (of: keyof FileSums) => reach.reduce((total, each) => total + each[of], 0n);
  return { lines: sum('lines'), amountWon: sum('amountWon'), differenceWon: sum('differenceWon'), reach };
}

async function writeFile(
  tx: PoolClient,
  archive: Archive,
  { provider, on, businessNo, mid }: FileToWrite,
  { where }: Claims,
  reach: readonly MidReach[],
): Promise<{ readonly written: ExchangeWritten; readonly kept: ArchivedBytes }> {
  const blocks: Buffer[] = [];
  const head = { on, biz: businessNo, ...(mid === '' ? {} : { mids: [mid] }) };
  const writer = new ExchangeWriter(provider.differential.claims.layout, head, { emit: (block) => blocks.push(block) });
  const rows = tx.query(
    copyTo(
      `copy (select c.mid, c.type, c.traded_on, c.original_on, c.provider_tid, c.cancel_seq, c.amount_won, c.original_won,
                    c.intermediary_no, c.final_no, c.order_no
               from claim c where ${where} order by ${quickFileOrder(reach)}) to stdout (format binary)`,
    ),
  );
  let written: ExchangeWritten | undefined;
  async function* bytes(): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of rows) {
      writer.push(chunk as Buffer);
      yield* blocks.splice(0);
    }
    written = writer.end();
    yield* blocks.splice(0);
  }
  const kept = await archive.keep(bytes());
  check(written, 'the file came to its end');
  return { written, kept };
}

/** Refusals of all claims of a file: its MID cannot stand in a name. */
function allFor(mid: string, { lines }: FileSums): ExchangeRefusal[] {
  const refusal = { column: 'mid', value: mid, fault: 'holds_separator' } as const;
  return Array.from({ length: Number(lines) }, (_, row) => ({ ...refusal, row }));
}

type HeldClaim = {
  readonly merchantId: string;
  readonly providerTid: string;
  readonly cancelSeq: number;
  readonly reason: string;
} & Partial<Pick<ExchangeRefusal, 'column' | 'value' | 'fault' | 'character'>>;

/**
 * Holds the claims that were refused, and what cancels them: a cancel of what was never claimed would take back what
 * nobody has paid.
 */
async function holdRefused(
  tx: PoolClient,
  { where }: Claims,
  refusals: readonly ExchangeRefusal[],
): Promise<HeldClaim[]> {
  if (refusals.length === 0) return [];
  const held = await query<Omit<HeldClaim, 'column'> & { readonly row: bigint | null }>(
    tx,
    `with numbered as (
       select c.channel, c.traded_on, c.provider_tid, c.cancel_seq, c.kind, c.original_on,
              row_number() over (order by ${fileOrder}) - 1 as row
         from claim c where ${where}),
     refused as (select * from numbered where row = any ($1::bigint[])),
     held as (
       select channel, traded_on, provider_tid, cancel_seq, kind, row, '${notEncodable}' as reason from refused
        union all
       select n.channel, n.traded_on, n.provider_tid, n.cancel_seq, n.kind, null, 'original_held'
         from numbered n
         join refused r on r.channel = n.channel and r.provider_tid = n.provider_tid and r.traded_on = n.original_on
              and r.kind = n.kind and r.cancel_seq = 0
        where n.cancel_seq > 0 and n.row <> all ($1::bigint[])),
     noted as (
       update claim c set state = 'H', reason = h.reason, file_id = null
         from held h
        where ${where} and c.channel = h.channel and c.traded_on = h.traded_on and c.provider_tid = h.provider_tid
          and c.cancel_seq = h.cancel_seq and c.kind = h.kind
       returning c.channel, c.traded_on, c.provider_tid, c.cancel_seq, c.kind, c.merchant_id, h.row, h.reason),
     events as (
       insert into claim_event (channel, traded_on, provider_tid, cancel_seq, kind, by, event, reason, detail)
       select n.channel, n.traded_on, n.provider_tid, n.cancel_seq, n.kind, 'jeongsan', 'held', n.reason,
              coalesce(d.detail, '{}')
         from noted n
         left join unnest($1::bigint[], $2::jsonb[]) as d(row, detail) on d.row = n.row)
     select merchant_id as "merchantId", provider_tid as "providerTid", cancel_seq as "cancelSeq", row, reason
       from noted order by row`,
    [refusals.map(({ row }) => row), refusals.map(({ row: _, ...detail }) => JSON.stringify(detail))],
  );
  check(held.length >= refusals.length, `${refusals.length} claims were refused and ${held.length} held`);
  const refusalOf = new Map(refusals.map((refusal) => [BigInt(refusal.row), refusal]));
  return held.map(({ row, ...claim }) => {
    const refusal = row === null ? undefined : refusalOf.get(row);
    return { ...claim, ...(refusal === undefined ? {} : detailOf(refusal)) };
  });
}

function detailOf({ row: _, ...detail }: ExchangeRefusal): Omit<ExchangeRefusal, 'row'> {
  return detail;
}

/** One finding a file: whose claims stay behind, and which character it is. */
async function tell(tx: PoolClient, file: FileToWrite, fileName: string, held: readonly HeldClaim[]): Promise<void> {
  if (held.length === 0) return;
  await noteHeld(tx, file.batchId, held.length);
  await openFinding(tx, {
    kind: notEncodableFinding,
    subject: fileName,
    audience: 'in_charge',
    detail: {
      provider: file.provider.id,
      on: file.on.toString(),
      claims: held.length,
      first: held.slice(0, namedMost),
    },
  });
}
