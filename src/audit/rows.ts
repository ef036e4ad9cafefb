import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { Outcome } from './act.ts';
import type { Verification } from './chain-store.ts';
import { type AuditEntry, auditFormat, type ChainFault } from './entry.ts';

type Words = Readonly<Record<Language, string>>;

const outcomeWords: Readonly<Record<Outcome, Words>> = {
  asked: { ko: '요청', en: 'asked' },
  done: { ko: '완료', en: 'done' },
  refused: { ko: '거절', en: 'refused' },
  failed: { ko: '실패', en: 'failed' },
  denied: { ko: '권한 없음', en: 'denied' },
  changed: { ko: '변경', en: 'changed' },
};

const faultWords: Readonly<Record<ChainFault, (number: number) => Words>> = {
  altered: (number) => ({
    ko: `${number}번 항목의 내용이 기록된 것과 다릅니다`,
    en: `entry ${number} is not what was written`,
  }),
  unlinked: (number) => ({
    ko: `${number}번 항목이 앞 항목과 이어지지 않습니다`,
    en: `entry ${number} does not follow the one before it`,
  }),
  missing_before: (number) => ({
    ko: `${number}번 항목 앞의 항목이 없습니다`,
    en: `entries before ${number} are missing`,
  }),
};

export const listColumns: Readonly<Record<Language, readonly { readonly title: string }[]>> = {
  ko: ['번호', '시각', '행위자', '위치', '행위', '대상', '결과', '사유'].map((title) => ({ title })),
  en: ['No', 'At', 'Who', 'From', 'Act', 'Subject', 'Outcome', 'Reason'].map((title) => ({ title })),
};

export function listRow(entry: AuditEntry, language: Language): string[] {
  const { number, at, who, from, act, subject, outcome, reason } = entry;
  return [
    String(number),
    formatSeoulTime(at),
    who,
    from,
    act,
    subject,
    outcomeWords[outcome][language],
    reason?.replaceAll(/\s+/g, ' ') ?? '',
  ];
}

/** An entry for people: a line a field, and what was before and after. */
export function entryRows(entry: AuditEntry, language: Language): string[][] {
  const titles = listColumns[language].map(({ title }) => title);
  const facts = listRow(entry, language).map((value, n) => [titles[n] ?? '', value]);
  const key = entry.key === null ? [] : [[language === 'ko' ? '키' : 'Key', entry.key]];
  return [...facts, ...key, ...detailRows(entry, language), ['SHA-256', entry.hash]];
}

function detailRows({ detail }: AuditEntry, language: Language): string[][] {
  const known = JSON.parse(detail) as Readonly<Record<string, unknown>>;
  const { before, after } = known;
  if (!isRow(before) && !isRow(after)) {
    return Object.entries(known).map(([name, value]) => [name, shown(value)]);
  }
  const names = [...new Set([...Object.keys(isRow(before) ? before : {}), ...Object.keys(isRow(after) ? after : {})])];
  const none = language === 'ko' ? '없음' : 'none';
  const of = (row: unknown, name: string): string => (isRow(row) ? shown(row[name]) : none);
  return names.map((name) => [name, `${of(before, name)} → ${of(after, name)}`]);
}

function isRow(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
}

/** An entry as one line of an export: all that its hash is computed of, and nothing else. */
export function exportLine(entry: AuditEntry): string {
  const { number, at, who, from, key, act, subject, outcome, reason, detail, actId, previousHash, hash } = entry;
  const fields = { format: auditFormat, number, at, who, from, key, act, subject, outcome, reason, detail, actId };
  return `${JSON.stringify({ ...fields, previousHash, hash })}\n`;
}

/** An entry in an answer: its detail as data. */
export function entryToJson(
  entry: AuditEntry,
): Omit<AuditEntry, 'detail'> & { readonly detail: Record<string, unknown> } {
  return { ...entry, detail: JSON.parse(entry.detail) as Record<string, unknown> };
}

/** What a verification found, for people, and what to note elsewhere. */
export function verificationText(found: Verification, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { entries, head, fault, noted, drafts, unguarded } = found;
  const lines = [
    found.sound
      ? say(`감사 추적이 온전합니다: ${entries}건`, `The audit trail is sound: ${entries} entries`)
      : say('감사 추적이 온전하지 않습니다', 'The audit trail is NOT sound'),
  ];
  if (fault !== undefined) {
    lines.push(`  ${faultWords[fault.kind](fault.number)[language]}`);
    lines.push(say(`  그 앞의 ${entries}건은 온전합니다`, `  the ${entries} entries before that are`));
  }
  if (noted === 'gone') {
    lines.push(
      say(
        '  기록해 둔 끝이 체인에 없습니다: 끝이 잘렸거나 새로 쓰였습니다',
        '  the head that was noted is not in it: the end was cut off, or the chain was written anew',
      ),
    );
  }
  if (noted === 'there') lines.push(say('  기록해 둔 끝이 체인에 있습니다', '  it holds the head that was noted'));
  if (drafts > 0)
    lines.push(say(`  항목이 되지 못한 행위: ${drafts}건`, `  acts that never became entries: ${drafts}`));
  if (unguarded.length > 0) {
    lines.push(say(`  꺼져 있는 트리거: ${unguarded.join(', ')}`, `  triggers that are off: ${unguarded.join(', ')}`));
  }
  if (entries > 0 && fault === undefined) {
    lines.push(say(`  체인의 끝 (다른 곳에 적어 두십시오): `, `  head (note it elsewhere): `) + headText(head));
  }
  return `${lines.join('\n')}\n`;
}

export function headText({ number, hash }: Verification['head']): string {
  return `${number}:${hash}`;
}
