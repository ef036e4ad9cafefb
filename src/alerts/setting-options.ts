import { Problem } from '../kernel/problem.ts';
import { channelKinds, channelPurposes } from './channel.ts';

/** Options as they were typed. */
type Given = Readonly<Record<string, string | boolean | undefined>>;

/** What the options change of a channel. A secret is read from the environment variable that is named. */
export function channelChanges(options: Given) {
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const [kind, to, also, spoken, secret] = ['kind', 'to', 'also', 'language', 'secret'].map(text);
  return {
    kind: kind === undefined ? undefined : oneOf(kind, channelKinds, '--kind'),
    recipients: to === undefined ? undefined : names(to),
    url: text('url'),
    secret: secret === undefined ? undefined : secretOf(secret),
    language: spoken === undefined ? undefined : oneOf(spoken, ['ko', 'en'], '--language'),
    purposes: also === undefined ? undefined : names(also).map((each) => oneOf(each, channelPurposes, '--also')),
    enabled: switched(options),
  };
}

/** What the options change of a rule. */
export function ruleChanges(options: Given): Readonly<Record<string, unknown>> {
  const text = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const changes: Record<string, unknown> = {};
  const set = (field: string, option: string, read: (given: string) => unknown) => {
    const given = text(option);
    if (given !== undefined) changes[field] = read(given);
  };
  set('position', 'position', Number);
  for (const list of ['kinds', 'subjects', 'severities', 'channels']) set(list, list, names);
  set('escalationChannels', 'escalateTo', names);
  set('audience', 'audience', (given) => (given === 'any' ? null : given));
  set('severity', 'as', (given) => (given === 'own' ? null : given));
  set('groupBy', 'groupBy', String);
  set('groupSeconds', 'gather', secondsOf);
  for (const wait of ['update', 'repeat', 'escalate', 'calm']) set(`${wait}Seconds`, wait, secondsOf);
  set('continues', 'continues', (given) => oneOf(given, ['yes', 'no'], '--continues') === 'yes');
  const quiet = text('quiet');
  if (quiet !== undefined) {
    const [from, to] = quiet === 'none' ? [null, null] : quiet.split('-');
    Object.assign(changes, { quietFrom: from, quietTo: to ?? null });
  }
  const enabled = switched(options);
  return enabled === undefined ? changes : { ...changes, enabled };
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** `90`, `30s`, `5m`, `4h`, `1d`. @throws Problem `usage` */
function secondsOf(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,7})([smhd])?$/.exec(text) ?? [];
  if (count === undefined) throw new Problem('usage', { reason: `${text} (30s, 5m, 4h, 1d)` });
  return Number(count) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}

/** @throws Problem `usage` */
export function checkedName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name))
    throw new Problem('usage', { reason: `<channel> ${name} (a-z, 0-9, -)` });
  return name;
}

/** A secret on a command line would stand in the shell's history. @throws Problem `usage` */
function secretOf(variable: string): string {
  const secret = process.env[variable];
  if (secret === undefined || secret === '') throw new Problem('usage', { reason: `--secret ${variable}: not set` });
  return secret;
}

function switched(options: Given): boolean | undefined {
  if (options['on'] === true) return true;
  return options['off'] === true ? false : undefined;
}

/** @throws Problem `usage` */
export function oneOf<Name extends string>(text: string, names: readonly Name[], option: string): Name {
  const name = names.find((each) => each === text);
  if (name === undefined) throw new Problem('usage', { reason: `${option} ${text} (${names.join(', ')})` });
  return name;
}
