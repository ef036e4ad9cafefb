/** The product's ways: many entries a transaction, and one. */
import { post, postAll } from '../../src/ledger/store.ts';
import { inTransaction, type Pool } from '../../src/platform/database/pool.ts';
import { postedOn, type Transfer } from './transfers.ts';

/** One transaction, from the transfers in this process's memory to the commit. */
export async function postBatch(pool: Pool, batch: readonly Transfer[]): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query(`create temp table posting (event text, kind text, posted_on date, posted_by text, reason text,
      account text, amount_won bigint) on commit drop`);
    await tx.query(
      `insert into posting
       select event, 'bench', $5::date, 'bench', null, line.account, line.won
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t (event, debit, credit, won)
        cross join lateral (values (debit, - won), (credit, won)) as line (account, won)`,
      [
        batch.map(({ event }) => event),
        batch.map(({ from }) => from),
        batch.map(({ to }) => to),
        batch.map(({ amountWon }) => amountWon),
        postedOn,
      ],
    );
    await postAll(tx, { from: 'posting' });
  });
}

/** One transaction for one transfer. */
export async function postOne(pool: Pool, { event, from, to, amountWon }: Transfer): Promise<void> {
  await inTransaction(pool, (tx) =>
    post(tx, {
      event,
      kind: 'bench',
      postedOn,
      postedBy: 'bench',
      lines: [
        { account: from, amountWon: -amountWon },
        { account: to, amountWon },
      ],
    }),
  );
}
