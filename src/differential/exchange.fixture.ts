import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type RemoteFolders, type RemoteKind, remoteFolders } from '../../test/support/remote-folders.ts';
import { Problem } from '../kernel/problem.ts';
import { type Archive, openArchive } from '../platform/archive.ts';
import { type PoolClient, query } from '../platform/database/pool.ts';
import { createDurable, type Durable, type Workflow } from '../platform/durable/durable.ts';
import { welcome } from '../providers/differential/welcome.ts';
import type { Transport } from '../providers/differential.ts';
import { type AnswerCounts, answerFile } from './answer-store.ts';
import { applyLateAnswers, type Exchange, type Exchanged, exchangeFiles } from './exchange.ts';
import { claimFile, insertFile } from './file-store.ts';
import type { DifferentialEvent, ExchangePorts } from './ports.ts';

/** A clock that goes on only when it is waited for, and lets the world act at its moments on the way. */
export type StoryClock = ExchangePorts['clock'] & {
  /** What happens at a moment of Seoul's clock: `2026-11-21 09:05`. */
  at(moment: string, act: () => Promise<unknown>): void;
  readonly waits: string[];
};

export const seoulInstant = (moment: string) => Temporal.Instant.from(`${moment.replace(' ', 'T')}+09:00`);

export function storyClock(from: string): StoryClock {
  let now = seoulInstant(from);
  let story: { at: Temporal.Instant; act: () => Promise<unknown> }[] = [];
  const waits: string[] = [];
  return {
    waits,
    now: () => now,
    at(moment, act) {
      story.push({ at: seoulInstant(moment), act });
      story.sort((one, other) => Temporal.Instant.compare(one.at, other.at));
    },
    async waitUntil(instant) {
      if (Temporal.Instant.compare(instant, now) <= 0) return;
      waits.push(instant.toZonedDateTimeISO('Asia/Seoul').toPlainDateTime().toString({ smallestUnit: 'second' }));
      for (let next = story[0]; next && Temporal.Instant.compare(next.at, instant) <= 0; next = story[0]) {
        story = story.slice(1);
        now = next.at;
        await next.act();
      }
      now = instant;
    },
  };
}

type Request = { readonly fileIds: readonly bigint[]; readonly sendAt?: string };

/** An installation that exchanges files with one provider over real servers; anew for each test, one engine for all. */
export type ExchangeWorld = {
  readonly db: TestDatabase;
  readonly remotes: RemoteFolders;
  readonly archive: Archive;
  readonly events: DifferentialEvent[];
  clock: StoryClock;
  kind: RemoteKind;
  transport: Partial<Transport>;
  /** Changes of the address: a wrong host key, a wrong port. */
  address: object;
  /** Whether the name of an answer ends with its MID, as that of its file does. */
  perMid: boolean;
  /** As the configuration says now. */
  businessNo: string;
  /** `BUG` is applied like any other from here on. */
  isMended: boolean;
  readonly durable: Durable;
  /** Archives and notes a file of so many lines for 2026-11-20; returns its number. */
  written(text: string, lines: number, mid?: string): Promise<bigint>;
  run(id: string, fileIds: readonly bigint[], sendAt?: string): Promise<readonly Exchanged[]>;
  late(id: string, on: string): Promise<number>;
  /** An answer appears in the inbox. `A 3` accepts three lines, `BAD` is refused, `BUG` fails. */
  answer(name: string, text: string, modifiedOn?: string): Promise<unknown>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  findings(): Promise<string[]>;
};

export const fileName = 'daff_welcome_1234567891_20261120_req';
export const validationName = 'daff_welcome_1234567891_20261120_valid';
export const answerName = 'daff_welcome_1234567891_20261120_res';

/** For the tests of a file: call it once. */
export function exchangeWorld(): ExchangeWorld {
  const remotes = remoteFolders();
  let db: TestDatabase;
  let durable: Durable;
  let home: string;
  let archive: Archive;
  let exchanging: Workflow<[Request], readonly Exchanged[]>;
  let catchingUp: Workflow<[string], number>;

  beforeAll(async () => {
    db = await testDatabase();
    await db.pool.query('create table applied (answer_id bigint primary key, file_id bigint, accepted bigint)');
    const quiet = () => {};
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as never;
    durable = createDurable({ databaseUrl: db.url, pool: db.pool, log });
    exchanging = durable.register('exchange', ({ fileIds, sendAt }: Request) =>
      exchangeFiles(ports(), {
        ...exchange(),
        fileIds,
        ...(sendAt === undefined ? {} : { sendAt: seoulInstant(sendAt) }),
      }),
    );
    catchingUp = durable.register('late', (on: string) =>
      applyLateAnswers(ports(), exchange(), { kind: 'claims', on: Temporal.PlainDate.from(on) }),
    );
    await durable.launch();
  });
  afterAll(async () => {
    await durable.shutdown(1_000);
    await db.close();
  });
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'jeongsan-exchange-'));
    archive = openArchive(home);
    Object.assign(world, {
      clock: storyClock('2026-11-21 00:00'),
      kind: 'sftp',
      transport: {},
      address: {},
      perMid: false,
      isMended: false,
      businessNo: '1234567891',
    });
    world.events.splice(0);
    await db.pool.query('delete from applied; delete from answer_file; delete from claim_file; delete from finding');
  });
  afterEach(() => rm(home, { recursive: true }));

  const ports = (): ExchangePorts => ({
    pool: db.pool,
    log: { debug() {}, info() {}, warn() {}, error() {} } as never,
    archive,
    clock: world.clock,
    businessNo: () => world.businessNo,
    remote: () => remotes.open(world.kind, world.address),
    watch: (event) => world.events.push(event),
  });

  const exchange = (): Omit<Exchange, 'fileIds'> => {
    const transport = { ...welcome.differential.transport, outbox: 'in', inbox: 'out', ...world.transport };
    const { validation, answers } = welcome.differential;
    const named = ({ fileName }: { readonly fileName: string }) => ({
      fileName: world.perMid ? `${fileName}_{mid}` : fileName,
    });
    return {
      provider: { ...welcome, differential: { ...welcome.differential, transport } },
      answers: [
        { stage: 'validation', spec: named(validation) },
        { stage: 'answer', spec: named(answers) },
      ],
      apply,
      unanswered: async (tx, fileId) => {
        const { lines } = await claimFile(tx, fileId);
        const [row] = await query<{ accepted: bigint }>(
          tx,
          'select coalesce(sum(accepted), 0)::bigint as accepted from applied where file_id = $1',
          [fileId],
        );
        return lines - (row?.accepted ?? 0n);
      },
    };
  };

  const apply = async (tx: PoolClient, answerId: bigint): Promise<AnswerCounts> => {
    const answer = await answerFile(tx, answerId);
    let text = '';
    for await (const chunk of archive.read({ sha256: answer.sha256, bytes: Number(answer.bytes) })) text += chunk;
    const [, lines] = /^(?:A|BUG) ?(\d+)/.exec(text) ?? [];
    const accepted = BigInt(lines ?? 0);
    await tx.query('insert into applied (answer_id, file_id, accepted) values ($1, $2, $3)', [
      answerId,
      answer.fileId,
      accepted,
    ]);
    if (text.startsWith('BUG') && !world.isMended) throw new Error('nobody thought of this');
    if (text.startsWith('BAD')) throw new Problem('statement_empty', { file: answer.fileName });
    const none = { rejected: 0n, repeated: 0n, setAside: 0n };
    return { lines: accepted, accepted, ...none, differenceWon: accepted * 100n };
  };

  const world: ExchangeWorld = {
    get db() {
      return db;
    },
    get durable() {
      return durable;
    },
    get archive() {
      return archive;
    },
    remotes,
    events: [],
    clock: storyClock('2026-11-21 00:00'),
    kind: 'sftp',
    transport: {},
    address: {},
    perMid: false,
    isMended: false,
    businessNo: '1234567891',
    async written(text, lines, mid = '') {
      const kept = await archive.keep(
        (async function* () {
          yield Buffer.from(text);
        })(),
      );
      const name = mid === '' ? fileName : `${fileName}_${mid}`;
      const file = {
        batchId: null,
        provider: 'welcome',
        kind: 'claims',
        on: '2026-11-20',
        mid,
        fileName: name,
      } as const;
      return insertFile(db.pool, { ...file, lines: BigInt(lines), amountWon: 0n, differenceWon: 0n, kept });
    },
    run: async (id, fileIds, sendAt) => {
      const request = { fileIds, ...(sendAt === undefined ? {} : { sendAt }) };
      return (await durable.start(exchanging, id, request)).result();
    },
    late: async (id, on) => (await durable.start(catchingUp, id, on)).result(),
    answer: (name, text, modifiedOn) => remotes.place(`out/${name}`, Buffer.from(text), modifiedOn),
    rows: async (sql) => (await db.pool.query(sql)).rows,
    findings: async () => {
      const { rows } = await db.pool.query(
        `select kind || ' ' || subject || case when closed_at is null then '' else ' closed' end as text
           from finding order by finding_id`,
      );
      return rows.map(({ text }) => text);
    },
  };
  return world;
}
