import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { wordOf } from '../reconciliation/words.ts';
import { breakText, fileStateWords, reasonText, statusWords } from './claim-words.ts';
import type { ShownBatch } from './show-batch-store.ts';
import { withoutBigints } from './show-rows.ts';

/** A batch for a person: what was selected, what was sent, what was answered, and where its claims stand. */
export function batchText(batch: ShownBatch, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const at = (when: Date | null): string => (when === null ? '' : formatSeoulTime(when.toTemporalInstant()));
  const left = (ko: string, en: string) => ({ title: say(ko, en) });
  const right = (ko: string, en: string) => ({ title: say(ko, en), align: 'right' as const });
  const count = (value: bigint | null): string => (value === null ? '' : formatCount(value));
  const won = (value: bigint | null): string => (value === null ? '' : formatWon(value));
  const word = (state: string): string => wordOf(fileStateWords, state, language);
  const facts = [
    [say('상태', 'State'), `${word(batch.state)}${batch.reason === null ? '' : `: ${batch.reason}`}`],
    [say('시작', 'Opened'), `${at(batch.openedAt)} · ${batch.openedBy}`],
    [say('선별', 'Selected'), at(batch.selectedAt)],
    [say('종료', 'Finished'), at(batch.finishedAt)],
    [say('대상 매입', 'Captures looked at'), count(batch.candidates)],
    [say('대상 아님', 'Not eligible'), count(batch.ineligible)],
    [say('초과 부과 없음', 'Not overcharged'), count(batch.notOvercharged)],
    [
      say('신청', 'Claims'),
      `${count(batch.claims)} · ${won(batch.differenceWon)}${say('원', ' won')}${batch.held === 0n ? '' : ` · ${say('보류', 'held')} ${count(batch.held)}`}`,
    ],
  ];
  const unjudged = batch.unjudged.map(({ reason, count: many }) => [
    say('아직 판단 못 함', 'Not judged yet'),
    `${formatCount(many)} · ${reasonText(reason, language)}`,
  ]);
  const tables = [
    formatTable([{ title: batch.runId }, { title: `#${batch.batchId}` }], [...facts, ...unjudged]),
    formatTable(
      [
        left('파일', 'File'),
        left('상태', 'State'),
        right('건수', 'Lines'),
        right('금액', 'Amount'),
        right('차액', 'Difference'),
        left('전송', 'Sent'),
        left('기한', 'Deadline'),
        left('', ''),
      ],
      batch.files.map((file) => [
        file.fileName,
        `${word(file.state)}${file.reason === null ? '' : `: ${file.reason}`}`,
        count(file.lines),
        won(file.amountWon),
        won(file.differenceWon),
        at(file.sentAt),
        at(file.deadlineAt),
        `sha256 ${file.sha256.slice(0, 12)}…`,
      ]),
    ),
    formatTable(
      [
        left('결과 파일', 'Answer'),
        right('판', 'Version'),
        left('상태', 'State'),
        left('수신', 'Received'),
        right('건수', 'Lines'),
        right('승인', 'Accepted'),
        right('반려', 'Rejected'),
        right('반복', 'Repeated'),
        right('제외', 'Set aside'),
        right('차액', 'Difference'),
      ],
      batch.answers.map((answer) => [
        answer.fileName,
        String(answer.version),
        word(answer.state),
        at(answer.receivedAt),
        count(answer.lines),
        count(answer.accepted),
        count(answer.rejected),
        count(answer.repeated),
        count(answer.setAside),
        won(answer.differenceWon),
      ]),
    ),
    formatTable(
      [
        left('현황', 'Status'),
        left('사유', 'Reason'),
        right('건수', 'Claims'),
        right('신청 차액', 'Claimed'),
        right('승인 차액', 'Accepted'),
      ],
      batch.standing.map(({ status, reason, claims, differenceWon, acceptedWon }) => [
        statusWords[status][language],
        reason === null ? '' : reasonText(reason, language),
        count(claims),
        won(differenceWon),
        won(acceptedWon),
      ]),
    ),
  ];
  const breaks = batch.breaks.map(({ kind, count: many }) => `${breakText(kind, language)} ${formatCount(many)}`);
  return `${tables.join('\n')}${breaks.length === 0 ? '' : `\n${say('미종결 불일치', 'Open breaks')}: ${breaks.join(', ')}\n`}`;
}

/** A batch as `--json` gives it. */
export function batchToJson({
  files,
  answers,
  standing,
  unjudged,
  breaks,
  ...batch
}: ShownBatch): Record<string, unknown> {
  return {
    ...withoutBigints(batch),
    files: files.map(withoutBigints),
    answers: answers.map(withoutBigints),
    standing: standing.map(withoutBigints),
    unjudged: unjudged.map(withoutBigints),
    breaks: breaks.map(withoutBigints),
  };
}
