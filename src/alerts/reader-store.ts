import { closeFinding, openFinding } from '../findings/store.ts';
import { type Queryable, query } from '../platform/database/pool.ts';

const kind = 'alert_recipient_refused';
const itself = 'system:alerts';

/** Of a mail for a whole channel: who was not reached is seen by nobody else, since the message went out. */
export async function noteUnreached(db: Queryable, channel: string, unreached: readonly string[]): Promise<void> {
  const subject = `channel:${channel}`;
  if (unreached.length === 0) return void (await closeFinding(db, { kind, subject, by: itself }));
  await openFinding(db, { kind, subject, audience: 'in_charge', detail: { channel, recipients: unreached } });
}

/** Of a mail for those alone who were not reached before: it is over where they were all that people were told of. */
export async function noteReached(db: Queryable, channel: string, readers: readonly string[]): Promise<void> {
  const subject = `channel:${channel}`;
  const [found] = await query<{ detail: { recipients?: readonly string[] } }>(
    db,
    'select detail from finding where kind = $1 and subject = $2 and closed_at is null',
    [kind, subject],
  );
  const told = found?.detail.recipients ?? [];
  if (told.every((each) => readers.includes(each))) await closeFinding(db, { kind, subject, by: itself });
}
