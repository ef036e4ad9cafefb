import { randomBytes } from 'node:crypto';
import { Problem } from '../kernel/problem.ts';
import { eventTypes, isEventPattern } from './event-types.ts';

/** A signing secret as Standard Webhooks writes one: 32 random bytes. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * The events that somebody wants to hear of, each once.
 * @throws Problem `webhook_event_unknown`
 */
export function wantedEvents(named: readonly string[]): readonly string[] {
  const wanted = [...new Set(named.flatMap((each) => each.split(',')).map((each) => each.trim()))];
  const unknown = wanted.find((each) => !isEventPattern(each));
  if (unknown !== undefined || wanted.length === 0) {
    const known = eventTypes.map(({ type }) => type).join(', ');
    throw new Problem('webhook_event_unknown', { type: unknown ?? '', known: `${known}, payout.*, *` });
  }
  return wanted;
}
