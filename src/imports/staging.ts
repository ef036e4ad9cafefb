import { finished } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from } from 'pg-copy-streams';
import { check } from '../kernel/check.ts';
import { wonToJson } from '../kernel/money.ts';
import { CopyBlock } from './copy-block.ts';
import type { RecordFields, Refusal } from './record.ts';
import type { RecordSink } from './record-scanner.ts';
import type { ImportKind } from './staged-table.ts';
import { copyRecords, copyRefusals, createStaging } from './store.ts';

const blockBytes = 1 << 20;

/**
 * Records and refusals on their way into temporary tables: checked and encoded as they are scanned, copied a block
 * at a time while the next one fills. What waits is bounded: `drain` returns when at most one block is under way.
 */
export class Staging implements RecordSink {
  /** Lines read so far. */
  rows = 0;
  readonly kind: ImportKind;
  /** Records staged for each table of the kind. */
  readonly staged: number[];
  readonly #client: PoolClient;
  readonly #blocks: readonly CopyBlock[];
  readonly #refusals = new CopyBlock(Buffer.allocUnsafeSlow(blockBytes));
  readonly #waiting: { sql: string; bytes: Buffer }[] = [];
  /** Memory of blocks that were sent, to be filled again. */
  readonly #spare: Buffer[] = [];
  #copying: Promise<void> = Promise.resolve();

  private constructor(client: PoolClient, kind: ImportKind) {
    this.#client = client;
    this.kind = kind;
    this.staged = kind.tables.map(() => 0);
    this.#blocks = kind.tables.map(() => new CopyBlock(Buffer.allocUnsafeSlow(blockBytes)));
  }

  static async create(client: PoolClient, kind: ImportKind): Promise<Staging> {
    await createStaging(client, kind.tables);
    return new Staging(client, kind);
  }

  record(fields: RecordFields, lineNo: number): void {
    this.rows += 1;
    const place = this.kind.route(fields);
    const refusal = typeof place === 'number' ? this.#add(fields, place, lineNo) : place;
    if (refusal !== undefined) this.#refuse(refusal, lineNo);
  }

  refuse(refusal: Refusal, lineNo: number): void {
    this.rows += 1;
    this.#refuse(refusal, lineNo);
  }

  #add(fields: RecordFields, place: number, lineNo: number): Refusal | undefined {
    const table = this.kind.tables[place];
    const block = this.#blocks[place];
    check(table !== undefined && block !== undefined, `no table ${place}`);
    block.beginRow(table.columns.length + 1);
    block.bigint(lineNo);
    const refusal = this.kind.encode(fields, place, block);
    if (refusal !== undefined) {
      block.dropRow();
      return refusal;
    }
    block.endRow();
    this.staged[place] = (this.staged[place] ?? 0) + 1;
    if (block.isFull) this.#send(copyRecords(table), block);
    return undefined;
  }

  #refuse(refusal: Refusal, lineNo: number): void {
    const block = this.#refusals;
    block.beginRow(3);
    block.bigint(lineNo);
    block.text(refusal.code);
    block.text(JSON.stringify(refusal.details, (_, value) => (typeof value === 'bigint' ? wonToJson(value) : value)));
    block.endRow();
    if (block.isFull) this.#send(copyRefusals, block);
  }

  #send(sql: string, block: CopyBlock): void {
    this.#waiting.push({ sql, bytes: block.take(this.#spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes)) });
  }

  /** Sends what is full; waits only for the block before. */
  async drain(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#copying;
      this.#copying = this.#copy(next.sql, next.bytes);
      // Awaited by the next drain; until then its failure is no unhandled one.
      this.#copying.catch(() => {});
    }
  }

  /** Sends the rest and waits until all of it stands in the temporary tables. */
  async finish(): Promise<void> {
    this.kind.tables.forEach((table, i) => {
      const block = this.#blocks[i];
      if (block !== undefined && block.rows > 0) this.#send(copyRecords(table), block);
    });
    if (this.#refusals.rows > 0) this.#send(copyRefusals, this.#refusals);
    await this.drain();
    await this.#copying;
  }

  async #copy(sql: string, bytes: Buffer): Promise<void> {
    const stream = this.#client.query(from(sql));
    stream.end(bytes);
    await finished(stream);
    this.#spare.push(Buffer.from(bytes.buffer));
  }
}
