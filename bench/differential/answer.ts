/** The provider's answer to all claims of a batch: each accepted, as we computed it. */
import { to as copyTo } from 'pg-copy-streams';
import type { Pool, PoolClient } from '../../src/platform/database/pool.ts';
import { differentialProviderOf } from '../../src/providers/differential-registry.ts';
import { ExchangeWriter } from '../../src/providers/layout/exchange-writer.ts';
import { businessNo, channel, provider } from './data.ts';

const { answers } = differentialProviderOf(provider).differential;

/** Marks the file as sent, so that it can be answered. */
export async function makeAnswerable(tx: PoolClient, fileId: bigint): Promise<void> {
  await tx.query(`update claim_file set state = 'sent', sent_at = now(), sending_at = now() where file_id = $1`, [
    fileId,
  ]);
}

/** The file's bytes, in constant memory. */
export async function* answerBytes(pool: Pool, on: string): AsyncGenerator<Buffer, void, void> {
  const client = await pool.connect();
  const blocks: Buffer[] = [];
  const writer = new ExchangeWriter(
    answers.layout,
    { on: Temporal.PlainDate.from(on), biz: businessNo },
    { emit: (block) => blocks.push(block) },
  );
  try {
    const supply = 'difference_won * 10 / 11';
    const rows = client.query(
      copyTo(
        `copy (select mid, traded_on, provider_tid, cancel_seq, amount_won, original_won, tier::text,
                      case card_type when 'K' then '1' else '0' end, null::bigint, ${supply}, difference_won - ${supply},
                      traded_on + 5, '00'
                 from claim where channel = '${channel}' and traded_on = '${on}'
                order by mid, provider_tid, cancel_seq) to stdout (format binary)`,
      ),
    );
    for await (const chunk of rows) {
      writer.push(chunk as Buffer);
      yield* blocks.splice(0);
    }
    writer.end();
    yield* blocks;
  } finally {
    client.release();
  }
}
