// Merchants to be registered, a provider that is reached over real servers, and what card companies answer.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { type RemoteFolders, type RemoteKind, remoteFolders } from '../../test/support/remote-folders.ts';
import { openArchive } from '../platform/archive.ts';
import { createDurable, type Durable } from '../platform/durable/durable.ts';
import type { RemoteFolder } from '../platform/remote-folder.ts';
import type { Differential, DifferentialProvider } from '../providers/differential.ts';
import { differentialProviders } from '../providers/differential-registry.ts';
import type { ExchangeRow } from '../providers/layout/exchange-layout.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';
import { type StoryClock, storyClock } from './exchange.fixture.ts';
import type { DifferentialPorts } from './ports.ts';
import { type RegistrationResult, type Registrations, registerRegistrations } from './registration-workflow.ts';

export const businessNo = '1248100998';

export type Answered = Partial<ExchangeRow<'registrationAnswer'>> & { readonly merchantId: string };

export type RegistrationWorld = {
  readonly db: TestDatabase;
  readonly remotes: RemoteFolders;
  clock: StoryClock;
  kind: RemoteKind;
  /** What happens to a folder before it is used: a process may die there. */
  around: (remote: RemoteFolder) => RemoteFolder;
  register(provider: string, on: string): Promise<RegistrationResult>;
  /** A merchant with its grades by half-year, and through whom it sells; `sub` false: nobody said so. */
  merchant(
    id: string,
    facts?: {
      readonly name?: string;
      readonly no?: string;
      readonly tiers?: Readonly<Record<string, number>>;
      readonly sub?:
        | false
        | { readonly from?: string; readonly intermediary?: string | null; readonly closed?: string };
    },
  ): Promise<void>;
  tier(no: string, half: string, tier: number): Promise<void>;
  sub(id: string, from: string, intermediary: string | null, closed?: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Sales: `M1 신한카드 2026-11-19 welcome-online`. */
  sold(...sales: readonly string[]): Promise<void>;
  /** The requests that stand at the provider's, a line each: `N M1 신한카드 1234567891 - name`. */
  asked(provider: string, day: string): Promise<string[]>;
  /** Answers a day's file; what a line leaves out is as it was asked for, and `00`. */
  answer(provider: string, day: string, lines: readonly Answered[], change?: (bytes: Buffer) => Buffer): Promise<void>;
  /** Accepts all that was asked for. */
  acceptAll(provider: string, day: string): Promise<void>;
  /** All requests: `N M1 신한카드 accepted 00`. */
  requests(): Promise<string[]>;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  findings(): Promise<string[]>;
};

const answeredAt: Record<string, number> = {};

/** For the tests of a file: call it once. `prepare` registers what else is to run in its engine. */
export function registrationWorld(
  prepare: (durable: Durable, ports: DifferentialPorts) => void = () => {},
): RegistrationWorld {
  const remotes = remoteFolders();
  let db: TestDatabase;
  let durable: Durable;
  let home: string;
  let registrations: Registrations;

  const registrationOf = (id: string): NonNullable<Differential['registration']> => {
    const provider: DifferentialProvider | undefined = differentialProviders.find((each) => each.id === id);
    if (provider?.differential.registration === undefined) throw new Error(`${id} registers nobody`);
    return provider.differential.registration;
  };
  const nameOf = (template: string, day: string) =>
    template.replace('{biz}', businessNo).replace('{day}', day.replaceAll('-', ''));
  const headOf = (day: string) => ({ on: Temporal.PlainDate.from(day), biz: businessNo });

  /** Everybody's folders are the test's: `in` for what we send, `out` for answers. */
  const providers = differentialProviders.map((provider: DifferentialProvider) => {
    const transport = { ...provider.differential.transport, outbox: 'in', inbox: 'out' };
    return { ...provider, differential: { ...provider.differential, transport } };
  });

  beforeAll(async () => {
    db = await testDatabase();
    const log = { debug() {}, info() {}, warn() {}, error() {} } as never;
    durable = createDurable({ databaseUrl: db.url, pool: db.pool, log });
    const ports: DifferentialPorts = {
      pool: db.pool,
      log,
      providers,
      archive: {
        get folder() {
          return home;
        },
        keep: (chunks) => openArchive(home).keep(chunks),
        read: (kept) => openArchive(home).read(kept),
        verify: (kept) => openArchive(home).verify(kept),
      },
      clock: { now: () => world.clock.now(), waitUntil: (instant, label) => world.clock.waitUntil(instant, label) },
      businessNo: () => businessNo,
      remote: () => world.around(remotes.open(world.kind)),
      watch: () => {},
    };
    registrations = registerRegistrations(durable, ports);
    prepare(durable, ports);
    await durable.launch();
  });
  afterAll(async () => {
    await durable.shutdown(1_000);
    await db.close();
  });
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'jeongsan-registration-'));
    Object.assign(world, {
      clock: storyClock('2026-11-20 10:00'),
      kind: 'folder',
      around: (remote: RemoteFolder) => remote,
    });
    await db.pool.query(
      `delete from registration; delete from answer_file; delete from claim_file; delete from finding;
       delete from payment; delete from payment_total; 
       delete from dbos.operation_outputs; delete from dbos.transaction_completion; delete from dbos.workflow_status;
       alter table sub_merchant disable trigger user; alter table merchant_tier disable trigger user;
       delete from sub_merchant; delete from merchant_tier; delete from merchant;
       alter table sub_merchant enable trigger user; alter table merchant_tier enable trigger user`,
    );
  });
  afterEach(() => rm(home, { recursive: true }));

  const run = async (sql: string, values: unknown[] = []) => (await db.pool.query(sql, values)).rows;
  const importOf = async (kind: string): Promise<bigint> =>
    (
      await run(`insert into import (kind, file_name, imported_by) values ($1, 'x', 'test') returning import_id`, [
        kind,
      ])
    )[0].import_id;

  const world: RegistrationWorld = {
    get db() {
      return db;
    },
    remotes,
    clock: storyClock('2026-11-20 10:00'),
    kind: 'folder',
    around: (remote) => remote,
    register: (provider, on) => registrations.register({ provider, on, who: 'kim' }),
    async merchant(id, { name = id, no = '1234567891', tiers = { '2026H2': 0 }, sub = {} } = {}) {
      await run('insert into merchant values ($1, $2, $3, $4)', [id, name, no, await importOf('merchants')]);
      for (const [half, tier] of Object.entries(tiers)) await world.tier(no, half, tier);
      if (sub !== false) await world.sub(id, sub.from ?? '2020-01-01', sub.intermediary ?? null, sub.closed);
    },
    async tier(no, half, tier) {
      await run(`insert into merchant_tier (business_no, half, tier, recorded_by) values ($1, $2, $3, 'test')`, [
        no,
        half,
        tier,
      ]);
    },
    async sub(id, from, intermediary, closed) {
      await run(
        `insert into sub_merchant (merchant_id, valid_from, intermediary_no, opened_on, closed_on, recorded_by)
         values ($1, $2, $3, '2020-01-01', $4, 'test')`,
        [id, from, intermediary, closed ?? null],
      );
    },
    async rename(id, name) {
      await run('update merchant set name = $2 where merchant_id = $1', [id, name]);
    },
    async sold(...sales) {
      const importId = await importOf('payments');
      for (const [n, sale] of sales.entries()) {
        const [merchant, acquirer, on, channel] = sale.split(' ');
        await run(`select ensure_leaf('payment', $1, $2)`, [channel, on]);
        await run(
          `insert into payment values ($1, $2::text::date, $3, 0, 'A', 1000, $2::text::timestamp, 'MID1', $4, 'O', '', $5, $5,
             '', '540926******1234', 0, $6)`,
          [channel, on, `T${importId}-${n}`, merchant, acquirer, importId],
        );
        await run(`insert into payment_total values ($1, $2, 'MID1', $3, 1, 1000, 0) on conflict do nothing`, [
          channel,
          on,
          importId,
        ]);
      }
    },
    async asked(provider, day) {
      const { request } = registrationOf(provider);
      const fileName = nameOf(request.fileName, day);
      const bytes = await remotes.on(`in/${fileName}`);
      const { rows } = decodeExchange(request.layout, { ...headOf(day), provider, fileName }, bytes);
      return rows.map(({ action, merchantId, acquirer, finalNo, intermediaryNo, shopName }) =>
        [action, merchantId, acquirer, finalNo, intermediaryNo ?? '-', shopName].join(' '),
      );
    },
    async answer(provider, day, lines, change = (bytes) => bytes) {
      const { answers } = registrationOf(provider);
      const rows = lines.map(
        ({ merchantId, action = 'N', acquirer = '신한카드', finalNo = '1234567891', code = '00' }) => ({
          action,
          acquirer,
          merchantId,
          finalNo,
          code,
        }),
      );
      const fileName = nameOf(answers.fileName, day);
      // The server's clock goes on with each answer.
      answeredAt[fileName] = (answeredAt[fileName] ?? 0) + 1;
      const modifiedOn = new Date(Date.parse(`${day}T01:00:00Z`) + answeredAt[fileName] * 60_000).toISOString();
      await remotes.place(`out/${fileName}`, change(encodeExchange(answers.layout, headOf(day), rows)), modifiedOn);
    },
    async acceptAll(provider, day) {
      const asked = await world.asked(provider, day);
      const lines = asked.map((line) => {
        const [action = '', merchantId = '', acquirer = '', finalNo = ''] = line.split(' ');
        return { action, merchantId, acquirer, finalNo };
      });
      await world.answer(provider, day, lines);
    },
    async requests() {
      const rows = await run(
        `select concat_ws(' ', action, merchant_id, acquirer, state, code, reason) as text from registration
          order by registration_id`,
      );
      return rows.map(({ text }) => text);
    },
    rows: run,
    async findings() {
      const rows = await run(
        `select concat_ws(' ', kind, subject, case when closed_at is not null then 'closed' end) as text from finding
          order by finding_id`,
      );
      return rows.map(({ text }) => text);
    },
  };
  return world;
}

/** The names in a folder of the provider. */
export const filesIn = async (world: RegistrationWorld, folder: 'in' | 'out') =>
  (await readdir(path.join(world.remotes.folder, folder))).sort();
