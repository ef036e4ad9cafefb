// Claims that were sent, answered line by line: each answer is bytes of the provider's own layout, applied as a run does it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { openArchive } from '../platform/archive.ts';
import { inTransaction } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import type { ExchangeRow } from '../providers/layout/exchange-layout.ts';
import { encodeExchange } from '../providers/layout/exchange-typed.ts';
import { loadAnswer, temporaryLines } from './answer-load.ts';
import { type AnswerCounts, type AnswerStage, noteApplied, registerAnswer } from './answer-store.ts';
import { type Applying, alone, applyLines, judgingOf } from './apply-lines-store.ts';
import { applyPart, loadInParts, partsOf } from './apply-part-store.ts';
import { applyAnswer } from './apply-store.ts';
import { planForSets, type Share } from './candidate-store.ts';
import { type PlantedClaim, plantClaim } from './claims.fixture.ts';

/** Our number, as it stands in the names of the files. */
const businessNo = '1234567891';

/** What a line says: an approval of 10,000 won that is accepted with 176 won, unless told otherwise. */
export type SaidLine = {
  readonly tid: string;
  readonly seq?: number;
  readonly code?: string;
  readonly won?: bigint | null;
  readonly amountWon?: bigint;
  readonly originalWon?: bigint;
  readonly supplyWon?: bigint;
  readonly tier?: string | null;
  readonly cardType?: string | null;
  readonly mid?: string;
  readonly tradedOn?: string;
};

/** How answers are applied: in parts where it is said of how many lines, and with which TIDs told as repeated. */
type Way = {
  readonly linesPerPart?: number;
  /** Of the TIDs of the answer's lines; else those that its reader tells. */
  readonly repeats?: (tids: readonly string[]) => readonly string[] | null;
};

/** Claims, files and answers of one provider in a database of a test's own. `close` removes the archive. */
export function createAnswerBooks(
  pool: Pool,
  providerId: 'welcome' | 'ksnet' | 'nice' = 'welcome',
  { linesPerPart, repeats }: Way = {},
) {
  const provider: DifferentialProvider = differentialProviderOf(providerId);
  const channel = provider.channels[0] as string;
  const folder = mkdtempSync(path.join(tmpdir(), 'jeongsan-answers-'));
  const archive = openArchive(folder);
  const applyingOf = (answerId: bigint, by: DifferentialProvider) =>
    ({ answerId, provider: by, archive, by: 'run', on: '2026-11-23' }) as const;
  const rows = async (sql: string, values: unknown[] = []) => (await pool.query(sql, values)).rows;
  const texts = async (sql: string, values: unknown[] = []): Promise<string[]> =>
    (await rows(sql, values)).map(({ text }) => text);

  const books = {
    provider,
    archive,
    /** A batch with its one file, sent; claims of it are planted with `claim`. */
    async file(on = '2026-11-20'): Promise<{ readonly batchId: bigint; readonly fileId: bigint; readonly on: string }> {
      const [batch] = await rows(
        `insert into differential_batch (provider, claimed_on, run_id, state, opened_by) values ($1, $2, 'run', 'waiting', 'test')
         returning batch_id`,
        [provider.id, on],
      );
      const { perMid, fileName } = provider.differential.claims;
      const name = fileName
        .replace('{biz}', businessNo)
        .replace('{day}', on.replaceAll('-', ''))
        .replace('{mid}', 'MID1');
      const [file] = await rows(
        `insert into claim_file (batch_id, provider, kind, on_day, mid, file_name, state, lines, amount_won, difference_won,
                                 bytes, sha256, archive_path, sent_at)
         values ($1, $2, 'claims', $3, $4, $5, 'sent', 0, 0, 0, 0, $6, '', now()) returning file_id`,
        [batch.batch_id, provider.id, on, perMid ? 'MID1' : '', name, 'a1'.repeat(32)],
      );
      return { batchId: batch.batch_id, fileId: file.file_id, on };
    },
    async claim(file: { batchId: bigint; fileId: bigint; on: string }, claim: PlantedClaim): Promise<void> {
      const on = claim.on ?? file.on;
      const { batchId, fileId } = file;
      await plantClaim(pool, { provider: provider.id, channel, on, batchId, fileId, ...claim });
      const day = [batchId, claim.channel ?? channel, on];
      await rows('insert into differential_day values ($1, $2, $3) on conflict do nothing', day);
    },
    /** A cancel of all of an approval of 10,000 won: −10,000 won, charged −220, by the rate −44, claimed −176. */
    async cancel(file: { batchId: bigint; fileId: bigint; on: string }, claim: PlantedClaim): Promise<void> {
      const won = { amountWon: -10_000n, chargedWon: -220n, preferentialWon: -44n };
      await books.claim(file, { seq: 1, originalOn: file.on, ...won, ...claim });
    },
    bytes(on: string, lines: readonly SaidLine[], stage: AnswerStage = 'answer'): Buffer {
      const { validation, answers } = provider.differential;
      const head = { on: Temporal.PlainDate.from(on), biz: businessNo };
      const echo = (line: SaidLine) => ({
        mid: line.mid ?? 'MID1',
        tradedOn: line.tradedOn ?? on,
        providerTid: line.tid,
        cancelSeq: line.seq ?? 0,
        amountWon: line.amountWon ?? ((line.seq ?? 0) > 0 ? -10_000n : 10_000n),
        code: line.code ?? '00',
        extras: {
          originalTid: line.tid,
          type: (line.seq ?? 0) > 0 ? 'C' : 'A',
          ...(stage === 'validation' ? { originalWon: 10_000n } : {}),
        },
      });
      if (stage === 'validation' && validation !== undefined) {
        return encodeExchange(validation.layout, head, lines.map(echo) as ExchangeRow<'validation'>[]);
      }
      const states = (column: string) =>
        answers.layout.data.columns.some(({ name, source }) => name === column && source.from !== 'nowhere');
      const answer = lines.map((line) => {
        const pays = (line.code ?? '00') === '00';
        const won = line.won === undefined ? (pays ? ((line.seq ?? 0) > 0 ? -176n : 176n) : null) : line.won;
        // 176 = 160 + 16: as the provider's rule splits it; both rules agree on multiples of 11.
        const supplyWon = line.supplyWon ?? (won === null ? null : (won * 10n) / 11n);
        return {
          ...echo(line),
          originalWon: line.originalWon ?? 10_000n,
          tier: line.tier === undefined ? (pays ? '0' : null) : line.tier,
          cardType: line.cardType === undefined ? (pays ? '0' : null) : line.cardType,
          differenceWon: states('differenceWon') ? won : null,
          supplyWon: states('supplyWon') ? supplyWon : null,
          vatWon: states('vatWon') && won !== null && supplyWon !== null ? won - supplyWon : null,
          payOn: pays ? '2026-11-27' : null,
        };
      });
      return encodeExchange(answers.layout, head, answer as ExchangeRow<'answer'>[]);
    },
    /** Registers an answer's bytes, as they are or of these lines, and applies them; returns their number and the counts. */
    async answer(
      file: { fileId: bigint; on: string },
      lines: readonly SaidLine[] | Buffer,
      stage: AnswerStage = 'answer',
      by: DifferentialProvider = provider,
    ): Promise<AnswerCounts & { readonly answerId: bigint }> {
      const answerId = await books.register(file, lines, stage);
      return { answerId, ...(await books.apply(answerId, by)) };
    },
    async register(file: { fileId: bigint; on: string }, lines: readonly SaidLine[] | Buffer, stage: AnswerStage) {
      const bytes = Buffer.isBuffer(lines) ? lines : books.bytes(file.on, lines, stage);
      const kept = await archive.keep(one(bytes));
      const at = Temporal.Instant.from('2026-11-23T00:10:00Z');
      return await inTransaction(pool, (tx) =>
        registerAnswer(tx, { fileId: file.fileId, stage, fileName: `res-${file.fileId}`, kept, modifiedAtMs: 0, at }),
      );
    },
    async apply(answerId: bigint, by: DifferentialProvider = provider): Promise<AnswerCounts> {
      if (linesPerPart !== undefined) {
        const parts = await books.load(answerId, by);
        if (parts > 0 && repeats !== undefined) {
          const tids = await texts(`select distinct provider_tid as text from answer_line_${answerId} order by 1`);
          await rows('update answer_load set repeats = $2 where answer_id = $1', [answerId, repeats(tids)]);
        }
        await Promise.all(Array.from({ length: parts }, (_, part) => books.applyPart(answerId, { part, parts }, by)));
      }
      return await inTransaction(pool, (tx) => books.applyIn(tx, answerId, by));
    },
    /** As a whole, or what is left of it after its parts, in a transaction of the test's. */
    async applyIn(tx: PoolClient, answerId: bigint, by: DifferentialProvider = provider): Promise<AnswerCounts> {
      const applying = applyingOf(answerId, by);
      const isTold = repeats !== undefined && (await partsOf(tx, answerId)) === undefined;
      const counts = isTold ? await applyTold(tx, applying, repeats) : await applyAnswer(tx, applying);
      await noteApplied(tx, answerId, counts);
      return counts;
    },
    /** Loads an answer that is applied in parts; returns in how many. */
    load: (answerId: bigint, by: DifferentialProvider = provider): Promise<number> =>
      inTransaction(pool, async (tx) => {
        const parts = await loadInParts(tx, applyingOf(answerId, by), linesPerPart);
        // As the checkpoint of the step, which a transaction that has failed would not take.
        await tx.query('select');
        return parts;
      }),
    applyPart: (answerId: bigint, share: Share, by: DifferentialProvider = provider): Promise<null> =>
      inTransaction(pool, (tx) => applyPart(tx, applyingOf(answerId, by), share)),
    /** Claims as `tid/seq status accepted reason`. */
    standing: () =>
      texts(`select concat_ws(' ', provider_tid || '/' || cancel_seq, status, accepted_won, status_reason) as text
               from claim_status order by provider_tid, cancel_seq`),
    /** Accounts that hold anything, as `wallet:M1 176`. */
    balances: () =>
      texts(`select account || ' ' || balance_won as text from ledger_account where balance_won <> 0 order by account`),
    /** Breaks as `kind subject ours theirs`, `(closed)` where they are. */
    breaks: () =>
      texts(`select concat_ws(' ', kind, subject, ours_won, theirs_won, case when closed_at is not null then '(closed)' end) as text
               from claim_break order by break_id`),
    refunds: () =>
      texts(`select concat_ws(' ', event, claims, refund_won, clawback_won, offset_won, carried_won, held_won, wallet_won) as text
               from claim_refund order by event`),
    events: () =>
      texts(
        `select concat_ws(' ', provider_tid || '/' || cancel_seq, event, reason) as text from claim_event order by event_id`,
      ),
    rows,
    texts,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
  return books;
}

/** As a whole, whatever the reader says of repeated lines. */
async function applyTold(tx: PoolClient, applying: Applying, repeats: Required<Way>['repeats']): Promise<AnswerCounts> {
  const of = await judgingOf(tx, applying);
  await planForSets(tx);
  await loadAnswer(tx, { archive: applying.archive, ...of, into: temporaryLines });
  await alone(tx, applying.provider);
  const { rows } = await tx.query<{ tid: string }>(
    `select distinct provider_tid as tid from ${temporaryLines} order by 1`,
  );
  const counts = await applyLines(tx, { ...of, lines: temporaryLines, repeats: repeats(rows.map(({ tid }) => tid)) });
  await tx.query(`drop table ${temporaryLines}`);
  return counts;
}

export type AnswerBooks = ReturnType<typeof createAnswerBooks>;

async function* one(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}

/** What applying came to, as `lines accepted rejected repeated setAside won`. */
export function countsText(counts: AnswerCounts): string {
  const { lines, accepted, rejected, repeated, setAside, differenceWon } = counts;
  return [lines, accepted, rejected, repeated, setAside, differenceWon].join(' ');
}
