import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Column } from '../platform/terminal.ts';
import { sayIn } from './alert-message.ts';
import { type AlertChannel, reachesSomebody } from './channel.ts';
import { severityWords } from './finding-words.ts';
import { type Limit, limits } from './limit.ts';
import type { AlertRule } from './rule.ts';

const columnsOf = (titles: readonly string[]): Column[] => titles.map((title) => ({ title }));

export function ruleColumns(language: Language): Column[] {
  return columnsOf(
    language === 'ko'
      ? ['순서', '규칙', '대상', '채널', '모으기', '재알림', '미확인 시', '조용한 시간', '사용']
      : ['Position', 'Rule', 'Of', 'Channels', 'Gather', 'Again', 'Unacknowledged', 'Quiet', 'On'],
  );
}

export function ruleRow(rule: AlertRule, language: Language): string[] {
  const say = sayIn(language);
  const of = [
    ...rule.severities.map((severity) => severityWords[severity][language]),
    ...rule.kinds,
    ...rule.subjects,
    ...(rule.audience === null ? [] : [rule.audience]),
  ];
  const escalation =
    rule.escalateSeconds === 0 ? '' : `${durationText(rule.escalateSeconds)} → ${rule.escalationChannels.join(', ')}`;
  return [
    String(rule.position),
    rule.rule,
    of.join(', ') || '*',
    rule.channels.join(', '),
    durationText(rule.groupSeconds),
    rule.repeatSeconds === 0 ? say('안 함', 'no') : durationText(rule.repeatSeconds),
    escalation,
    rule.quietFrom === null ? '' : `${rule.quietFrom}–${rule.quietTo}`,
    rule.enabled ? 'O' : '-',
  ];
}

export function channelColumns(language: Language): Column[] {
  return columnsOf(
    language === 'ko'
      ? ['채널', '종류', '받는 곳', '언어', '추가 발송', '상태', '마지막 발송', '대기']
      : ['Channel', 'Kind', 'To', 'Language', 'Also sent', 'State', 'Last sent', 'Waiting'],
  );
}

export function channelRow(channel: AlertChannel, language: Language): string[] {
  const say = sayIn(language);
  const state = !channel.enabled
    ? say('사용 안 함', 'off')
    : !reachesSomebody(channel)
      ? say('받을 사람 없음', 'reaches nobody')
      : channel.failures > 0
        ? say(
            `장애 ${channel.failures}회: ${channel.lastError ?? ''}`,
            `failed ${channel.failures} times: ${channel.lastError ?? ''}`,
          )
        : say('정상', 'well');
  return [
    channel.channel,
    channel.kind,
    channel.kind === 'smtp' ? channel.recipients.join(', ') : `${channel.host ?? ''}${channel.signed ? ' (HMAC)' : ''}`,
    channel.language,
    channel.purposes.join(', '),
    state.slice(0, 80),
    channel.lastSentAt === null ? '' : formatSeoulTime(channel.lastSentAt.toISOString()),
    String(channel.waiting),
  ];
}

export function limitColumns(language: Language): Column[] {
  return columnsOf(language === 'ko' ? ['이름', '원천사', '한도', '뜻'] : ['Name', 'Provider', 'Limit', 'What']);
}

export function limitRow({ name, provider, value }: Limit, language: Language): string[] {
  const none = sayIn(language)('감시 안 함', 'not watched');
  return [name, provider, value === null ? none : String(value), limits[name][language]];
}

/** `90` → `90s`, `300` → `5m`. */
function durationText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const [unit, each] = units.find(([, size]) => seconds >= size && seconds % size === 0) ?? ['s', 1];
  return `${seconds / each}${unit}`;
}
