import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { wonText } from '../platform/report-parts.ts';

/** What the parts of a finding's detail are called; others are shown by their own names. */
const names: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  amountWon: { ko: '금액', en: 'Won' },
  answer: { ko: '답변', en: 'Answer' },
  asks: { ko: '조회 횟수', en: 'Asked' },
  askedBy: { ko: '요청자', en: 'Asked by' },
  askedAt: { ko: '요청 시각', en: 'Asked at' },
  bank: { ko: '은행', en: 'Bank' },
  captures: { ko: '매입', en: 'Captures' },
  channel: { ko: '채널', en: 'Channel' },
  command: { ko: '명령', en: 'Command' },
  count: { ko: '건수', en: 'Count' },
  deadline: { ko: '기한', en: 'Deadline' },
  expectedBy: { ko: '도착 기한', en: 'Expected by' },
  failures: { ko: '연속 실패', en: 'Failures in a row' },
  file: { ko: '파일', en: 'File' },
  job: { ko: '작업', en: 'Job' },
  merchant: { ko: '가맹점', en: 'Merchant' },
  merchantId: { ko: '가맹점', en: 'Merchant' },
  messageNo: { ko: '전문번호', en: 'Message' },
  mostCount: { ko: '건수 한도', en: 'Limit, count' },
  mostWon: { ko: '금액 한도', en: 'Limit, won' },
  oldest: { ko: '가장 오래된 날', en: 'Oldest' },
  on: { ko: '영업일', en: 'Day' },
  openUntil: { ko: '다음 시도', en: 'Next try' },
  ours: { ko: '당사', en: 'Ours' },
  provider: { ko: '원천사', en: 'Provider' },
  reason: { ko: '사유', en: 'Reason' },
  recipients: { ko: '수신자', en: 'Recipients' },
  run: { ko: '실행', en: 'Run' },
  since: { ko: '부터', en: 'Since' },
  slot: { ko: '회차', en: 'Slot' },
  stage: { ko: '단계', en: 'Stage' },
  stages: { ko: '단계', en: 'Stages' },
  theirs: { ko: '상대', en: 'Theirs' },
  won: { ko: '금액', en: 'Won' },
};

/** A part of a detail as people read it: its name, amounts with commas, moments in Seoul. */
export function detailText([name, value]: readonly [string, string], language: Language): readonly [string, string] {
  const title = names[name]?.[language] ?? name;
  if (/won$/i.test(name) && /^-?\d{1,18}$/.test(value)) return [title, wonText(BigInt(value))];
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)) return [title, formatSeoulTime(value)];
  return [title, value];
}
