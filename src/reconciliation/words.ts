import type { Language } from '../kernel/problem.ts';
import type { BreakKind, DaySummary, ReconciledStage, StageState } from './outcome.ts';

/** A term as people read it. */
export type Words = { readonly ko: string; readonly en: string };

/** 불일치 종류 */
export const kindWords: Readonly<Record<BreakKind, Words>> = {
  missing_at_provider: { ko: '원천사 누락', en: 'Missing at provider' },
  missing_here: { ko: '당사 누락', en: 'Missing here' },
  amount_differs: { ko: '금액 불일치', en: 'Amount differs' },
  status_differs: { ko: '승인·취소 불일치', en: 'Status differs' },
  date_differs: { ko: '일자 불일치', en: 'Date differs' },
  fee_differs: { ko: '수수료 불일치', en: 'Fee differs' },
  vat_differs: { ko: '부가세 불일치', en: 'VAT differs' },
  net_differs: { ko: '정산금액 불일치', en: 'Net differs' },
  duplicate: { ko: '중복', en: 'Duplicate' },
  capture_rejected: { ko: '매입반송', en: 'Capture rejected' },
  capture_held: { ko: '매입보류', en: 'Capture held' },
  unreadable: { ko: '해독 불가', en: 'Unreadable' },
  deposit_differs: { ko: '입금 불일치', en: 'Deposit differs' },
};

/** 대사 단계 */
export const stageWords: Readonly<Record<ReconciledStage, Words>> = {
  transaction: { ko: '거래', en: 'Transaction' },
  capture: { ko: '매입', en: 'Capture' },
  settlement: { ko: '정산', en: 'Settlement' },
  deposit: { ko: '입금', en: 'Deposit' },
};

/** 하루의 결과 */
export const outcomeWords: Readonly<Record<DaySummary['outcome'], Words>> = {
  complete: { ko: '완료', en: 'COMPLETE' },
  incomplete: { ko: '미완료', en: 'INCOMPLETE' },
};

/** 단계의 상태 */
export const stageStateWords: Readonly<Record<StageState, Words>> = {
  reconciled: { ko: '대사 완료', en: 'reconciled' },
  missing: { ko: '파일 없음', en: 'file missing' },
  waiting: { ko: '대기', en: 'waiting' },
  refused: { ko: '파일 거부', en: 'file refused' },
  failed: { ko: '오류', en: 'failed' },
  not_run: { ko: '미실행', en: 'not run' },
};

/** 작업 이름. Steps of the workflow as people call them. */
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
  done: { ko: '완료', en: 'Done' },
  failed: { ko: '오류', en: 'Failed' },
};

/** A step's name for people; a day or a provider may stand behind it. A step that nobody named yet keeps its own. */
export function stepName(name: string, language: Language): string {
  return stepWords[name.split(' ')[0] ?? '']?.[language] ?? name;
}

export const breakStates = ['open', 'investigating', 'resolved'] as const;
export type BreakState = (typeof breakStates)[number];

/** 불일치 상태 */
export const stateWords: Readonly<Record<BreakState, Words>> = {
  open: { ko: '미처리', en: 'open' },
  investigating: { ko: '조사 중', en: 'investigating' },
  resolved: { ko: '종결', en: 'resolved' },
};

export const resolutions = [
  'matched_later',
  'superseded',
  'corrected_by_us',
  'accepted_by_provider',
  'written_off',
] as const;
export type Resolution = (typeof resolutions)[number];

/** What a person may bring a break to its end as; the others a break comes to by itself. */
export type ResolutionByHand = Exclude<Resolution, 'matched_later' | 'superseded'>;
export const resolutionsByHand = [
  'corrected_by_us',
  'accepted_by_provider',
  'written_off',
] as const satisfies readonly ResolutionByHand[];

/** 종결 사유 */
export const resolutionWords: Readonly<Record<Resolution, Words>> = {
  matched_later: { ko: '이후 일치', en: 'matched later' },
  superseded: { ko: '정정 파일로 대체', en: 'superseded' },
  corrected_by_us: { ko: '당사 정정', en: 'corrected by us' },
  accepted_by_provider: { ko: '원천사 인정', en: 'accepted by the provider' },
  written_off: { ko: '손실 처리', en: 'written off' },
};

/** The term for a code that came from the database, or the code itself where nobody named it yet. */
export function wordOf(words: Readonly<Record<string, Words>>, code: string, language: Language): string {
  return words[code]?.[language] ?? code;
}

/** 기록 항목. The fields of a record as they are shown side by side. */
export const fieldWords: Readonly<Record<string, Words>> = {
  providerTid: { ko: '거래고유번호', en: 'Provider TID' },
  cancelSeq: { ko: '취소 순번', en: 'Cancel sequence' },
  kind: { ko: '구분', en: 'Kind' },
  amountWon: { ko: '금액', en: 'Amount' },
  feeWon: { ko: '수수료', en: 'Fee' },
  vatWon: { ko: '부가세', en: 'VAT' },
  netWon: { ko: '정산금액', en: 'Net' },
  datedOn: { ko: '기준일', en: 'Dated' },
  tradedOn: { ko: '거래일', en: 'Traded' },
  mid: { ko: '상점 ID', en: 'MID' },
  approvalNo: { ko: '승인번호', en: 'Approval number' },
  orderNo: { ko: '주문번호', en: 'Order number' },
  acquirer: { ko: '매입사', en: 'Acquirer' },
  cardMerchantNo: { ko: '가맹점번호', en: 'Card merchant number' },
  cardNo: { ko: '카드번호', en: 'Card number' },
  depositedWon: { ko: '입금액', en: 'Deposited' },
  expectedWon: { ko: '예정 입금액', en: 'Expected' },
  field: { ko: '항목', en: 'Field' },
  problem: { ko: '문제', en: 'Problem' },
  byteFrom: { ko: '시작 바이트', en: 'First byte' },
  byteTo: { ko: '끝 바이트', en: 'Last byte' },
  raw: { ko: '원본 바이트', en: 'Raw bytes' },
};

/** 이력의 행위 */
export const actionWords = {
  opened: { ko: '발견', en: 'opened' },
  changed: { ko: '변경', en: 'changed' },
  assigned: { ko: '담당 지정', en: 'assigned' },
  commented: { ko: '의견', en: 'commented' },
  investigating: { ko: '조사 시작', en: 'investigating' },
  escalated: { ko: '상향 보고', en: 'escalated' },
  resolved: { ko: '종결', en: 'resolved' },
  gone: { ko: '해소', en: 'gone' },
} as const satisfies Record<string, Words>;

/** 목록과 보고서의 머리글 */
export const columnWords = {
  id: { ko: '번호', en: 'ID' },
  on: { ko: '업무일', en: 'Day' },
  provider: { ko: '원천사', en: 'Provider' },
  stage: { ko: '단계', en: 'Stage' },
  kind: { ko: '종류', en: 'Kind' },
  providerTid: { ko: '거래고유번호', en: 'Provider TID' },
  cancelSeq: { ko: '취소 순번', en: 'Cancel' },
  file: { ko: '파일', en: 'File' },
  line: { ko: '행', en: 'Line' },
  differenceWon: { ko: '차액(원)', en: 'Difference (won)' },
  state: { ko: '상태', en: 'State' },
  resolution: { ko: '종결 사유', en: 'Resolution' },
  assignedTo: { ko: '담당자', en: 'Assigned' },
  age: { ko: '경과', en: 'Age' },
  openedAt: { ko: '발견 시각', en: 'Opened at' },
  escalatedAt: { ko: '상향 보고 시각', en: 'Escalated at' },
  pass: { ko: '대사 패스', en: 'Pass' },
  ours: { ko: '당사', en: 'Ours' },
  theirs: { ko: '원천사', en: 'Theirs' },
} as const satisfies Record<string, Words>;
