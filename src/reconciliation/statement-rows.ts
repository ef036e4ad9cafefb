import { type Language, problemText } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatBytes, formatCount } from '../platform/terminal.ts';
import type { Statement, StatementState } from './statement.ts';
import { stageWords, type Words } from './words.ts';

/** 대사 파일 상태 */
const stateWords: Readonly<Record<StatementState, Words>> = {
  archived: { ko: '보관', en: 'archived' },
  imported: { ko: '적재', en: 'imported' },
  refused: { ko: '거절', en: 'refused' },
  superseded: { ko: '대체됨', en: 'superseded' },
};

/** 수집 경로 */
const sourceWords: Readonly<Record<Statement['source'], Words>> = {
  sftp: { ko: 'SFTP', en: 'SFTP' },
  folder: { ko: '폴더', en: 'folder' },
  hand: { ko: '수기', en: 'by hand' },
};

const titles = {
  id: { ko: '번호', en: 'ID' },
  on: { ko: '업무일', en: 'Day' },
  provider: { ko: '원천사', en: 'Provider' },
  stage: { ko: '단계', en: 'Stage' },
  file: { ko: '파일', en: 'File' },
  version: { ko: '판', en: 'Version' },
  state: { ko: '상태', en: 'State' },
  lines: { ko: '행', en: 'Lines' },
  unreadable: { ko: '해독 불가', en: 'Unreadable' },
  bytes: { ko: '크기', en: 'Size' },
  received: { ko: '받은 시각', en: 'Received' },
  source: { ko: '경로', en: 'From' },
  who: { ko: '받은 사람', en: 'By' },
  reason: { ko: '사유', en: 'Reason' },
  problem: { ko: '거절 사유', en: 'Refused because' },
  sha256: { ko: 'SHA-256', en: 'SHA-256' },
  archive: { ko: '원본', en: 'Original' },
} as const satisfies Record<string, Words>;

/** A statement as one JSON object; `problem.message` is in the asked language. */
export function statementToJson(statement: Statement, language: Language): unknown {
  const { on, receivedAt, lines, problem, ...rest } = statement;
  return {
    ...rest,
    on: on.toString(),
    receivedAt: receivedAt.toISOString(),
    lines: lines === null ? null : Number(lines),
    problem: problem && { ...problem, message: problemText(problem.code, problem.details, language) },
  };
}

export function listColumns(language: Language): Column[] {
  const left = (title: Words): Column => ({ title: title[language] });
  const right = (title: Words): Column => ({ title: title[language], align: 'right' });
  return [
    right(titles.id),
    left(titles.on),
    left(titles.provider),
    left(titles.stage),
    left(titles.file),
    right(titles.version),
    left(titles.state),
    right(titles.lines),
    right(titles.bytes),
    left(titles.received),
    left(titles.source),
  ];
}

export function listRow(statement: Statement, language: Language): string[] {
  return [
    String(statement.statementId),
    statement.on.toString(),
    statement.provider,
    stageWords[statement.stage][language],
    statement.fileName,
    String(statement.version),
    stateWords[statement.state][language],
    statement.lines === null ? '' : formatCount(statement.lines),
    formatBytes(statement.bytes),
    formatSeoulTime(statement.receivedAt.toISOString()),
    sourceWords[statement.source][language],
  ];
}

/** Everything that is known of one statement, a row for each fact. */
export function showRows(statement: Statement, language: Language): [string, string][] {
  const { problem } = statement;
  const facts: [Words, string | null][] = [
    [titles.id, String(statement.statementId)],
    [titles.on, statement.on.toString()],
    [titles.provider, statement.provider],
    [titles.stage, stageWords[statement.stage][language]],
    [titles.file, statement.fileName],
    [titles.version, String(statement.version)],
    [titles.state, stateWords[statement.state][language]],
    [titles.problem, problem && problemText(problem.code, problem.details, language)],
    [titles.lines, statement.lines === null ? null : formatCount(statement.lines)],
    [titles.unreadable, statement.unreadable === null ? null : formatCount(statement.unreadable)],
    [titles.bytes, formatBytes(statement.bytes)],
    [titles.sha256, statement.sha256],
    [titles.archive, statement.archivePath],
    [titles.received, formatSeoulTime(statement.receivedAt.toISOString())],
    [titles.who, statement.receivedBy],
    [titles.source, sourceWords[statement.source][language]],
    [titles.reason, statement.reason],
  ];
  return facts.flatMap(([title, fact]) => (fact === null ? [] : [[title[language], fact]]));
}
