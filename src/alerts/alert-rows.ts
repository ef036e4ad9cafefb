import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Column } from '../platform/terminal.ts';
import { sayIn } from './alert-message.ts';
import type { Alert, AlertDetail, AlertFault, AlertState, AlertStatus } from './alert-store.ts';
import type { Content } from './content.ts';
import { boundedDetail } from './content.ts';
import type { Delivery, DeliveryState, Try } from './delivery-store.ts';
import { detailText } from './detail-words.ts';
import { kindCommand, kindTitle, severityWords } from './finding-words.ts';
import { messageOf } from './message.ts';

type Words = Readonly<Record<Language, string>>;

const stateWords: Readonly<Record<AlertState, Words>> = {
  open: { ko: '미확인', en: 'open' },
  acknowledged: { ko: '확인', en: 'acknowledged' },
  closed: { ko: '종결', en: 'over' },
};

const deliveryWords: Readonly<Record<DeliveryState, Words>> = {
  waiting: { ko: '대기', en: 'waiting' },
  sent: { ko: '발송', en: 'sent' },
  failed: { ko: '실패', en: 'failed' },
  dropped: { ko: '생략', en: 'dropped' },
};

const faultWords: Readonly<Record<AlertFault, Words>> = {
  nobody_is_told: {
    ko: '아무에게도 알리지 않습니다. 담당자를 지정하십시오: jeongsan alerts channels set in-charge --to <메일 주소>',
    en: 'Nobody is told. Say who is in charge: jeongsan alerts channels set in-charge --to <address>',
  },
  mail_not_configured: {
    ko: '메일 서버가 설정되지 않았습니다: JEONGSAN_SMTP_URL, JEONGSAN_MAIL_FROM',
    en: 'No mail server is configured: JEONGSAN_SMTP_URL, JEONGSAN_MAIL_FROM',
  },
  channel_failing: { ko: '발송되지 않는 채널이 있습니다', en: 'A channel reaches nobody' },
  deliveries_failed: {
    ko: '발송하지 못한 알림이 있습니다: jeongsan alerts deliveries --state failed',
    en: 'Some messages reached nobody: jeongsan alerts deliveries --state failed',
  },
  alerts_untold: {
    ko: '5분이 지나도 알리지 못한 알림이 있습니다',
    en: 'Some alerts are not told of after five minutes',
  },
};

const columnsOf = (titles: readonly string[]): Column[] => titles.map((title) => ({ title }));

export function alertColumns(language: Language): Column[] {
  return columnsOf(
    language === 'ko'
      ? ['번호', '긴급도', '상태', '내용', '건수', '미종결', '시작', '알린 시각', '확인자']
      : ['ID', 'Severity', 'State', 'What', 'Findings', 'Open', 'Since', 'Told', 'By'],
  );
}

export function alertRow(alert: Alert, language: Language): string[] {
  return [
    String(alert.id),
    severityWords[alert.severity][language],
    stateWords[alert.state][language],
    titleOf(alert, language),
    String(alert.findings),
    String(alert.open),
    at(alert.openedAt),
    at(alert.toldAt),
    alert.acknowledgedBy ?? '',
  ];
}

export function alertText(alert: AlertDetail, language: Language): string {
  const say = sayIn(language);
  const lines: readonly (readonly [string, string])[] = [
    [say('상태', 'State'), stateWords[alert.state][language]],
    [say('규칙', 'Rule'), alert.rule],
    [say('시작', 'Since'), at(alert.openedAt)],
    [
      say('알림', 'Told'),
      alert.toldAt === null ? say('아직', 'not yet') : `${at(alert.toldAt)} (${alert.toldChannels.join(', ')})`,
    ],
    ...(alert.escalatedAt === null ? [] : [[say('상향', 'Escalated'), at(alert.escalatedAt)] as const]),
    ...(alert.acknowledgedBy === null
      ? []
      : [
          [
            say('확인', 'Acknowledged'),
            [at(alert.acknowledgedAt), alert.acknowledgedBy, alert.note].filter(Boolean).join(' '),
          ] as const,
        ]),
    ...(alert.closedAt === null
      ? []
      : [[say('종결', 'Over'), `${at(alert.closedAt)} ${alert.closedBy ?? ''}`] as const]),
    [
      say('발견 사항', 'Findings'),
      say(`${alert.findings}건, 미종결 ${alert.open}건`, `${alert.findings}, ${alert.open} open`),
    ],
  ];
  const held = alert.held.flatMap((found) => [
    `  #${found.id} ${kindTitle(found.kind, language)}: ${found.subject}  ${at(found.openedAt)}${found.closedAt === null ? '' : ` → ${at(found.closedAt)}`}`,
    ...boundedDetail(found.detail).map((part) => `      ${detailText(part, language).join(': ')}`),
  ]);
  const rest = alert.findings - alert.held.length;
  const see = alert.held[0] === undefined ? [] : [`  ${kindCommand(alert.held[0].kind)}`];
  return [
    `#${alert.id} [${severityWords[alert.severity][language]}] ${titleOf(alert, language)}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    ...held,
    ...(rest > 0 ? [say(`  그 밖에 ${rest}건`, `  and ${rest} more`)] : []),
    ...see,
    '',
  ].join('\n');
}

export function statusText(status: AlertStatus, language: Language): string {
  const say = sayIn(language);
  const { alerts, deliveries, channels, faults } = status;
  const none = say('없음', 'none');
  return [
    ...faults.map((fault) => `! ${faultWords[fault][language]}`),
    ...(faults.length === 0 ? [say('정상: 알림이 전달됩니다', 'All is well: people are told')] : []),
    say(
      `알림: 미종결 ${alerts.open}건 (긴급 ${alerts.urgent}, 미확인 ${alerts.unacknowledged})`,
      `Alerts: ${alerts.open} open (${alerts.urgent} urgent, ${alerts.unacknowledged} unacknowledged)`,
    ),
    say(
      `발송: 대기 ${deliveries.waiting}건, 7일간 실패 ${deliveries.failed}건`,
      `Messages: ${deliveries.waiting} waiting, ${deliveries.failed} failed in the last 7 days`,
    ),
    say(`채널: ${channels.working.join(', ') || none}`, `Channels: ${channels.working.join(', ') || none}`),
    ...(channels.failing.length === 0
      ? []
      : [say(`  장애: ${channels.failing.join(', ')}`, `  failing: ${channels.failing.join(', ')}`)]),
    ...(channels.empty.length === 0
      ? []
      : [say(`  받을 사람 없음: ${channels.empty.join(', ')}`, `  reach nobody: ${channels.empty.join(', ')}`)]),
    '',
  ].join('\n');
}

export function deliveryColumns(language: Language): Column[] {
  return columnsOf(
    language === 'ko'
      ? ['번호', '채널', '용도', '알림', '상태', '만든 시각', '시도', '보낸 시각', '다음 시도', '답변']
      : ['ID', 'Channel', 'Purpose', 'Alert', 'State', 'Made', 'Tries', 'Sent', 'Next try', 'Answer'],
  );
}

export function deliveryRow(delivery: Delivery, language: Language): string[] {
  return [
    String(delivery.id),
    delivery.channel,
    delivery.purpose,
    delivery.alert === null ? '' : `#${delivery.alert}`,
    deliveryWords[delivery.state][language],
    at(delivery.madeAt),
    String(delivery.attempts),
    at(delivery.sentAt),
    delivery.state === 'waiting' ? at(delivery.nextAt) : '',
    (delivery.answer ?? '').slice(0, 60),
  ];
}

/** The message as its readers have it, and how each try went. */
export function deliveryText(
  delivery: Delivery & { readonly content: Content; readonly tries: readonly Try[] },
  language: Language,
): string {
  const say = sayIn(language);
  const tries = delivery.tries.map(({ attempt, beganAt, node, outcome, answer }) =>
    [`  ${attempt}.`, at(beganAt), node, outcome ?? say('끝을 모름', 'not known how it ended'), answer ?? '']
      .join('  ')
      .trimEnd(),
  );
  const { subject, text } = messageOf(delivery.content, language, { attached: [], folder: null });
  return [
    `#${delivery.id} ${delivery.channel} ${deliveryWords[delivery.state][language]}  ${delivery.key}`,
    ...tries,
    '',
    subject,
    '',
    text,
  ].join('\n');
}

function titleOf({ group, rule }: Pick<Alert, 'group' | 'rule'>, language: Language): string {
  return group === '*' ? rule : kindTitle(group, language);
}

function at(when: Date | null): string {
  return when === null ? '' : formatSeoulTime(when.toISOString());
}
