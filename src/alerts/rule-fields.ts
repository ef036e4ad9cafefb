import { z } from 'zod';
import { Problem } from '../kernel/problem.ts';
import { term } from '../platform/http/fields.ts';
import { severities } from './finding-words.ts';
import type { RuleDraft } from './rule-store.ts';

/** What rules, channels and limits are called: lower-case words with hyphens. */
export const settingName = () => z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'a-z, 0-9 and hyphens, at most 40');

const pattern = term();
const seconds = (least: number, most: number) => z.number().int().min(least).max(most);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM');

/** What a rule may be, as the database also has it. */
export const ruleFields = z.object({
  position: z.number().int().min(0).max(1_000_000),
  kinds: z.array(pattern).max(100),
  subjects: z.array(pattern).max(100),
  severities: z.array(z.enum(severities)).max(severities.length),
  audience: z.enum(['in_charge', 'operations']).nullable(),
  severity: z.enum(severities).nullable(),
  channels: z.array(settingName()).max(20),
  groupBy: z.enum(['kind', 'rule']),
  groupSeconds: seconds(0, 86_400),
  updateSeconds: seconds(30, 86_400),
  repeatSeconds: seconds(0, 604_800),
  escalateSeconds: seconds(0, 604_800),
  escalationChannels: z.array(settingName()).max(20),
  calmSeconds: seconds(0, 86_400),
  quietFrom: clock.nullable(),
  quietTo: clock.nullable(),
  continues: z.boolean(),
  enabled: z.boolean(),
});

/** What a new rule is unless it says otherwise. */
export const usualRule: z.output<typeof ruleFields> = {
  position: 100,
  kinds: [],
  subjects: [],
  severities: [],
  audience: null,
  severity: null,
  channels: [],
  groupBy: 'kind',
  groupSeconds: 30,
  updateSeconds: 300,
  repeatSeconds: 14_400,
  escalateSeconds: 0,
  escalationChannels: [],
  calmSeconds: 60,
  quietFrom: null,
  quietTo: null,
  continues: false,
  enabled: true,
};

/** @throws Problem `alert_rule_invalid` */
export function checkedRule(rule: string, given: Readonly<Record<string, unknown>>): RuleDraft {
  const read = ruleFields.extend({ rule: settingName() }).safeParse({ ...given, rule });
  const refuse = (reason: string) => new Problem('alert_rule_invalid', { rule, reason });
  if (!read.success)
    throw refuse(read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  if ((read.data.quietFrom === null) !== (read.data.quietTo === null)) throw refuse('quietFrom, quietTo');
  return read.data;
}
