import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { check } from '../kernel/check.ts';
import type { Archive, ArchivedBytes } from '../platform/archive.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeRefusal, ExchangeWritten } from '../providers/layout/exchange-facts.ts';
import { ExchangeWriter } from '../providers/layout/exchange-writer.ts';
import { formatExchangeName } from './exchange-name.ts';
import { insertFile } from './file-store.ts';

export type RegistrationFile = {
  readonly provider: DifferentialProvider;
  readonly on: Temporal.PlainDate;
  readonly businessNo: string;
};

/** `fileId` is null where nothing could be written, so that there is no file. */
export type WrittenRegistrations = {
  readonly fileId: bigint | null;
  readonly fileName: string;
  readonly lines: number;
  readonly refused: number;
};

/**
 * 등록 파일 작성. Writes the requests that are in no file yet into the archive and notes the file. A request that the
 * layout cannot hold, such as one with a character that CP949 lacks, is refused by us; the others go. The
 * caller holds `lockRegistrations`.
 */
export async function writeRegistrations(
  tx: PoolClient,
  archive: Archive,
  { provider, on, businessNo }: RegistrationFile,
): Promise<WrittenRegistrations> {
  const { registration } = provider.differential;
  check(registration, `${provider.id} registers merchants`);
  const fileName = formatExchangeName(registration.request.fileName, { businessNo, on, mid: '' });
  await tx.query(
    `create temp table registration_line on commit drop as
     select (row_number() over (order by merchant_id, acquirer, registration_id) - 1)::int as row, registration_id
       from registration where provider = '${provider.id}' and state = 'requested' and file_id is null`,
  );
  await tx.query('analyze registration_line');
  const writer = { layout: registration.request.layout, head: { on, biz: businessNo } };
  const { written, kept } = await writeFile(tx, archive, writer);
  const { lines, refused } = written;
  await refuse(tx, refused);
  if (lines === 0) return { fileId: null, fileName, lines, refused: refused.length };
  const noted = { batchId: null, provider: provider.id, kind: 'registration', on: on.toString(), mid: '' } as const;
  const sums = { lines: BigInt(lines), amountWon: 0n, differenceWon: 0n };
  const fileId = await insertFile(tx, { ...noted, fileName, ...sums, kept });
  const { rowCount } = await tx.query(
    `update registration r set file_id = $1 from registration_line l
      where r.registration_id = l.registration_id and r.state = 'requested'`,
    [fileId],
  );
  check(rowCount === lines, `${fileName}: ${lines} lines of ${rowCount} requests`);
  return { fileId, fileName, lines, refused: refused.length };
}

async function writeFile(
  tx: PoolClient,
  archive: Archive,
  {
    layout,
    head,
  }: {
    layout: NonNullable<DifferentialProvider['differential']['registration']>['request']['layout'];
    head: { on: Temporal.PlainDate; biz: string };
  },
): Promise<{ readonly written: ExchangeWritten; readonly kept: ArchivedBytes }> {
  const blocks: Buffer[] = [];
  const writer = new ExchangeWriter(layout, head, { emit: (block) => blocks.push(block) });
  const rows = tx.query(
    copyTo(
      `copy (select r.action, r.acquirer, r.merchant_id, r.final_no, r.intermediary_no, r.shop_name
               from registration_line l join registration r using (registration_id) order by l.row)
         to stdout (format binary)`,
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

/** Each refused request says why. */
async function refuse(tx: PoolClient, refusals: readonly ExchangeRefusal[]): Promise<void> {
  if (refusals.length === 0) return;
  const { rowCount } = await tx.query(
    `update registration r set state = 'refused', reason = d.reason, answered_at = clock_timestamp()
       from unnest($1::int[], $2::text[]) as d(row, reason) join registration_line l using (row)
      where r.registration_id = l.registration_id`,
    [refusals.map(({ row }) => row), refusals.map(reasonOf)],
  );
  check(rowCount === refusals.length, `${refusals.length} requests were refused and ${rowCount} noted`);
}

/** `shopName not_in_encoding 😀`: the column, what is wrong, and the character where it is one. */
function reasonOf({ column, fault, character }: ExchangeRefusal): string {
  return [column, fault, ...(character === undefined ? [] : [character])].join(' ');
}
