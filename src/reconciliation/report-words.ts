import type { Language } from '../kernel/problem.ts';
import type { Words } from './words.ts';

/** 보고서의 문구 */
export const reportWords = {
  title: { ko: '대사 보고서', en: 'Reconciliation report' },
  completeSentence: {
    ko: '모든 파일을 받아 읽었고, 모든 기록이 설명되며, 모든 잔차가 0입니다.',
    en: 'Every file is in and read, every record is accounted for, every residual is 0.',
  },
  incompleteSentence: { ko: '이 날은 아직 마감할 수 없습니다.', en: 'This day cannot be closed yet.' },
  run: { ko: '실행', en: 'Run' },
  by: { ko: '실행자', en: 'By' },
  started: { ko: '시작', en: 'Started' },
  took: { ko: '소요', en: 'Took' },
  files: { ko: '불일치 파일', en: 'Breaks as' },
  lines: { ko: '원천사 기록', en: 'Their lines' },
  matched: { ko: '일치', en: 'Matched' },
  timing: { ko: '시차', en: 'Timing' },
  awaiting: { ko: '대기', en: 'Awaiting' },
  held: { ko: '보류', en: 'Held' },
  breaks: { ko: '불일치', en: 'Breaks' },
  unresolved: { ko: '미종결', en: 'Unresolved' },
  resolved: { ko: '종결', en: 'Resolved' },
  allResolved: { ko: '모두 종결', en: 'all resolved' },
  rows: { ko: '건', en: ' rows' },
  difference: { ko: '차액', en: 'Difference' },
  netDifference: { ko: '차액 합계', en: 'Total difference' },
  stages: { ko: '원천사와 단계', en: 'Providers and stages' },
  state: { ko: '상태', en: 'State' },
  provider: { ko: '원천사', en: 'Provider' },
  stage: { ko: '단계', en: 'Stage' },
  ours: { ko: '당사', en: 'Ours' },
  oursWon: { ko: '당사 금액', en: 'Ours, won' },
  theirs: { ko: '원천사', en: 'Theirs' },
  theirsWon: { ko: '원천사 금액', en: 'Theirs, won' },
  equation: { ko: '하루의 등식', en: "The day's equation" },
  equationNote: {
    ko: '각 항은 양쪽의 관리 합계에서 따로 읽습니다. 잔차가 0이 아니면 그날은 미완료입니다.',
    en: 'Each term is read from the control totals of its own side. A residual other than 0 leaves the day incomplete.',
  },
  transactions: { ko: '거래', en: 'Transactions' },
  settlement: { ko: '정산', en: 'Settlement' },
  approved: { ko: '승인', en: 'Approved' },
  cancelled: { ko: '취소', en: 'Cancelled' },
  stated: { ko: '원천사 파일 합계', en: 'Stated by their files' },
  captured: { ko: '매입', en: 'Captured' },
  notCaptured: { ko: '미매입', en: 'Not captured yet' },
  net: { ko: '정산금액', en: 'Net' },
  fee: { ko: '수수료', en: 'Fee' },
  vat: { ko: '부가세', en: 'VAT' },
  heldWon: { ko: '매입 반송·보류', en: 'Rejected and held' },
  residual: { ko: '잔차', en: 'Residual' },
  ofNet: { ko: '정산금액 중', en: 'Of the net' },
  deposited: { ko: '입금 확인', en: 'Deposited' },
  depositBreaks: { ko: '입금 불일치', en: 'Deposit differs' },
  notDue: { ko: '입금일 전·미확인', en: 'Not due or not judged yet' },
  noFiles: { ko: '파일이 없어 계산할 수 없습니다.', en: 'Cannot be computed without their files.' },
  ourBooks: { ko: '당사 장부', en: 'our books' },
  byKind: { ko: '종류별 불일치', en: 'Breaks by kind' },
  none: { ko: '불일치가 없습니다.', en: 'No breaks.' },
  ageing: { ko: '미종결 불일치의 경과', en: 'Age of all unresolved breaks' },
  ageingNote: {
    ko: '이 날만이 아니라 미종결 불일치 전체입니다. 업무일부터 지난 영업일 기준입니다.',
    en: 'All that are unresolved, not only of this day. Business days since the break’s own day.',
  },
  age: { ko: '경과 영업일', en: 'Business days' },
  count: { ko: '건수', en: 'Count' },
  absolute: { ko: '절대값', en: 'Absolute' },
  slowest: { ko: '가장 느린 단계', en: 'Slowest steps' },
  step: { ko: '작업', en: 'Step' },
  part: { ko: '대상', en: 'Part' },
  time: { ko: '시간', en: 'Time' },
  noSteps: { ko: '기록된 작업이 없습니다.', en: 'No steps were recorded.' },
  largest: { ko: '차액이 큰 불일치', en: 'Largest differences' },
  total: { ko: '합계', en: 'Total' },
  won: { ko: '금액 단위: 원. 차액 = 원천사 − 당사.', en: 'Amounts in won. Difference = theirs − ours.' },
} as const satisfies Record<string, Words>;

/** 단계의 상태 */
export const stageStateWords: Readonly<Record<string, Words>> = {
  reconciled: { ko: '대사 완료', en: 'reconciled' },
  missing: { ko: '파일 없음', en: 'file missing' },
  waiting: { ko: '대기', en: 'waiting' },
  refused: { ko: '파일 거부', en: 'file refused' },
  failed: { ko: '실패', en: 'failed' },
  not_run: { ko: '미실행', en: 'not run' },
};

/** 작업 이름. Steps of the workflow as people call them; a step may carry a day or a provider behind its name. */
const stepWords: Readonly<Record<string, Words>> = {
  begin: { ko: '시작', en: 'Begin' },
  collect: { ko: '수집', en: 'Collect' },
  load: { ko: '적재', en: 'Load' },
  import: { ko: '반영', en: 'Import' },
  prepare: { ko: '준비', en: 'Prepare' },
  match: { ko: '대조', en: 'Match' },
  find: { ko: '재대조할 날 찾기', en: 'Find stale days' },
  note: { ko: '결과 기록', en: 'Note' },
  deposits: { ko: '입금 대사', en: 'Check deposits' },
  finish: { ko: '마감', en: 'Finish' },
  report: { ko: '보고서', en: 'Report' },
};

/** A step's name for people: the known word, then its own name. */
export function stepName(name: string, language: Language): string {
  const known = stepWords[name.split(' ')[0] ?? ''];
  return known === undefined ? name : known[language];
}
