import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { formatTable } from '../platform/terminal.ts';
import type { Attempt, Delivery, DeliveryState } from './delivery-store.ts';
import type { Endpoint } from './endpoint-store.ts';
import { eventTypes } from './event-types.ts';

const say = (language: Language, ko: string, en: string): string => (language === 'ko' ? ko : en);
const when = (at: Date | null): string => (at === null ? '' : formatSeoulTime(at.toISOString()));

const stateWords: Readonly<Record<DeliveryState, { readonly ko: string; readonly en: string }>> = {
  pending: { ko: '대기', en: 'waits' },
  delivered: { ko: '전달됨', en: 'delivered' },
  given_up: { ko: '포기', en: 'given up' },
  dropped: { ko: '취소됨', en: 'dropped' },
};

export function endpointsTable(endpoints: readonly Endpoint[], language: Language): string {
  return formatTable(
    [
      { title: say(language, '번호', 'ID'), align: 'right' },
      { title: say(language, '이름', 'Name') },
      { title: 'URL' },
      { title: say(language, '사건', 'Events') },
      { title: say(language, '상태', 'State') },
      { title: say(language, '대기', 'Waiting'), align: 'right' },
      { title: say(language, '포기(7일)', 'Given up (7 d)'), align: 'right' },
      { title: say(language, '최근 전달', 'Last delivered') },
      { title: say(language, '버전', 'Version'), align: 'right' },
    ],
    endpoints.map((each) => [
      String(each.id),
      each.name,
      each.url,
      each.events.join(', '),
      each.enabled ? say(language, '사용', 'on') : say(language, '중지', 'off'),
      String(each.pending),
      String(each.givenUp),
      when(each.lastDeliveredAt),
      String(each.version),
    ]),
  );
}

export function deliveriesTable(deliveries: readonly Delivery[], language: Language): string {
  return formatTable(
    [
      { title: say(language, '번호', 'ID'), align: 'right' },
      { title: say(language, '수신처', 'Webhook') },
      { title: say(language, '사건', 'Event') },
      { title: say(language, '대상', 'About') },
      { title: say(language, '발생', 'Happened') },
      { title: say(language, '상태', 'State') },
      { title: say(language, '시도', 'Tries'), align: 'right' },
      { title: say(language, '다음/종료', 'Next, ended') },
    ],
    deliveries.map((each) => [
      String(each.id),
      each.endpoint,
      each.type,
      each.subject,
      when(each.happenedAt),
      stateWords[each.state][language],
      String(each.attempts),
      when(each.finishedAt ?? each.nextAt),
    ]),
  );
}

export function triesTable(tries: readonly Attempt[], language: Language): string {
  return formatTable(
    [
      { title: '#', align: 'right' },
      { title: say(language, '시각', 'At') },
      { title: say(language, '소요(ms)', 'Took (ms)'), align: 'right' },
      { title: 'HTTP', align: 'right' },
      { title: say(language, '오류', 'Fault') },
    ],
    tries.map((each) => [
      String(each.attempt),
      when(each.at),
      String(each.tookMs),
      each.status === null ? '' : String(each.status),
      each.fault ?? '',
    ]),
  );
}

export function eventTypesTable(language: Language): string {
  return formatTable(
    [{ title: say(language, '사건', 'Event') }, { title: say(language, '뜻', 'Meaning') }],
    eventTypes.map((each) => [each.type, each[language]]),
  );
}

/** As JSON shows it: numbers of rows are text. */
export function endpointJson({ id, pending, givenUp, ...rest }: Endpoint) {
  return { id: String(id), ...rest, pending: Number(pending), givenUp: Number(givenUp) };
}

export function deliveryJson<D extends Delivery>({ id, eventId, endpointId, ...rest }: D) {
  return { id: String(id), event: `evt_${eventId}`, endpointId: String(endpointId), ...rest };
}
