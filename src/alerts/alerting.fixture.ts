import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { openFinding } from '../findings/store.ts';
import { type Cipher, openCipher } from '../platform/cipher.ts';
import type { Pool } from '../platform/database/pool.ts';
import { postDefaults } from '../platform/http-signed-post.ts';
import { createMailSender } from '../platform/mail.ts';
import { parseMailAddress } from '../platform/mail-address.ts';
import { Secret } from '../platform/secret.ts';
import { type ChannelDraft, saveChannel } from './channel-store.ts';
import { lookAtAlerts } from './course-store.ts';
import { type SendPorts, sendDue } from './send-port.ts';

export const kim = { who: 'kim@pg.example', from: 'test' } as const;
export const start = Temporal.Instant.from('2026-11-20T01:00:00Z');

export async function testCipher(): Promise<Cipher & { close(): void }> {
  const home = mkdtempSync(path.join(tmpdir(), 'jeongsan-alerts-'));
  const cipher = await openCipher({ home, key: new Secret(randomBytes(32).toString('base64')) });
  return { ...cipher, close: () => rmSync(home, { recursive: true, force: true }) };
}

/** The alerting of one process with a clock that is set by hand. */
export type Alerting = {
  now: Temporal.Instant;
  readonly ports: SendPorts;
  /** Looks and sends until there is nothing to do at this moment. */
  turn(): Promise<void>;
  /** Moves the clock, and does so at each moment on the way at which something is due. */
  pass(duration: Temporal.DurationLike): Promise<void>;
  channel(draft: ChannelDraft): Promise<void>;
};

export function alerting(pool: Pool, cipher: Cipher, mailUrl: string, node = 'node-1'): Alerting {
  const address = parseMailAddress(mailUrl);
  if ('faults' in address) throw new Error(address.faults.join());
  const patience = { connectMs: 10_000, idleMs: 10_000, wholeMs: 30_000 };
  const state = { now: start };
  const allowed = ['127.0.0.1'];
  const ports: SendPorts = {
    pool,
    log: pino({ level: 'silent' }),
    cipher,
    now: () => state.now,
    node,
    mail: { sender: createMailSender(address, '정산 <ops@pg.example>', patience), domain: 'pg.example' },
    post: { ...postDefaults, allowed, wholeMs: 10_000 },
    reportFiles: () => Promise.resolve({ files: [], folder: null }),
  };
  const turn = async () => {
    for (;;) {
      const words = await lookAtAlerts(pool, state.now);
      const tries = await sendDue(ports);
      if (words + tries === 0) return;
    }
  };
  return {
    get now() {
      return state.now;
    },
    set now(now) {
      state.now = now;
    },
    ports,
    turn,
    async pass(duration) {
      const until = state.now.add(duration);
      await turn();
      while (Temporal.Instant.compare(state.now, until) < 0) {
        const due = await nextDue(pool);
        const next = due !== undefined && Temporal.Instant.compare(due, until) < 0 ? due : until;
        const later = state.now.add({ seconds: 1 });
        state.now = Temporal.Instant.compare(next, later) < 0 ? later : next;
        await turn();
      }
    },
    async channel(draft) {
      await saveChannel({ pool, cipher, allowed }, draft, { actor: kim });
    },
  };
}

export function bankOpen(pool: Pool, bank = 'json-van') {
  const detail = { bank, failures: 5, openUntil: '2026-11-20T01:10:00.000Z' };
  return openFinding(pool, { kind: 'bank_circuit_open', subject: `bank:${bank}`, audience: 'in_charge', detail });
}

async function nextDue(pool: Pool): Promise<Temporal.Instant | undefined> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `select least((select min(next_at) from alert where closed_at is null),
                  (select min(greatest(d.next_at, held_until, s.next_at)) from alert_delivery d
                     left join alert_channel_state s using (channel_id) where state = 'waiting')) as at`,
  );
  return rows[0]?.at?.toTemporalInstant();
}
