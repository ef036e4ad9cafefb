import type { Language } from '../kernel/problem.ts';

/** What fields of answers are called in Korean, `field=word`; one that is not here keeps its English name. */
const korean = `
id=번호 kind=종류 reason=사유 state=상태 version=버전 name=이름 provider=원천사 who=행위자 merchantId=가맹점 merchant=가맹점
amountWon=금액 on=업무일 differenceWon=차액 code=코드 subject=대상 message=내용 at=시각 changedBy=변경자 changedAt=변경 시각
detail=상세 claims=신청 건수 finishedAt=종료 시각 line=행 bank=은행 openedAt=발생 시각 key=키 enabled=사용 providerTid=원천사 TID
cancelSeq=취소 순번 events=사건 waiting=대기 inHand=진행 중 from=부터 file=파일 startedAt=시작 시각 note=메모 added=추가 same=동일
refused=거절 job=작업 outcome=결과 resolution=종결 방법 fileName=파일 to=까지 until=까지 holder=예금주 closedAt=종결 시각
closedBy=종결자 stage=단계 lines=행 수 run=실행 runId=실행 requestedBy=요청자 requestedAt=요청 시각 createdAt=생성 시각 last4=계좌 끝 4자리
resultCode=결과 코드 resultReason=결과 사유 assignedTo=담당자 action=처리 recordedBy=기록자 mid=MID event=사건 error=오류 since=부터
rule=규칙 escalatedAt=상향 시각 channel=채널 feeWon=수수료 vatWon=부가세 netWon=정산금 grossWon=매입 금액 heldWon=보류 value=값 won=금액
severity=긴급도 paused=중지 ours=우리 쪽 theirs=상대 쪽 oursWon=우리 금액 theirsWon=상대 금액 tradedOn=거래일 tier=등급 walletWon=지갑
joined=합류 roles=역할 secondFactor=2단계 인증 slot=회차 schedule=스케줄 held=보류 kinds=종류 audience=담당 ageBusinessDays=경과 영업일
pass=대사 단계 half=반기 startedBy=실행자 responsible=책임자 disabledAt=중지 시각 cron=시각 timeZone=시간대 businessDays=영업일 규칙
misfire=누락 처리 overlap=중복 처리 host=서버 number=번호 askedBy=요청자 askedAt=요청 시각 identity=식별 resolvedAt=종결 시각
statement=대사 파일 by=행위자 type=종류 source=출처 bytes=바이트 milliseconds=소요(ms) open=미종결 times=횟수 sentAt=발송 시각
position=순서 subjects=대상 severities=긴급도 channels=채널 recipients=받는 사람 language=언어 purposes=용도 transferLimit=동시 이체 한도
approvalOverWon=승인 기준 금액 count=건수 changed=변경 건수 changedIds=변경 번호 capturedOn=매입일 acceptedWon=인정 금액 rate=요율 offsetWon=상계
carriedWon=이월 supposedClaims=가정 건수 supposedWon=가정 금액 changeWon=변동 expiresAt=기한 dueAt=예정 시각 captures=매입 items=정산 건수
items=건수 creditedWon=지급 금액 creditedAt=입금 시각 recordedAt=기록 시각 url=주소 madeBy=등록자 madeAt=등록 시각 pending=대기
givenUp=포기 group=묶음 findings=발견 firstToldAt=최초 알림 toldAt=알림 시각 acknowledgedAt=확인 시각 acknowledgedBy=확인자
endedAt=종료 시각 node=노드 verdict=판정 debitWon=차변 creditWon=대변 auditNumber=감사 번호 auditHash=감사 해시 closedFindings=종결한 발견 decidedBy=결정자 decidedAt=결정 시각 decision=결정 day=날짜 seenAt=확인 시각 owner=주인 scopes=권한
endsWith=함께 끝나는 키 endedKeys=끝낸 키 keys=API 키 createdBy=생성자 lastUsedAt=마지막 사용 revokedAt=폐기 시각 placedBy=보류자 placedAt=보류 시각 releasedBy=해제자 releasedAt=해제 시각
accounts=계정 account=계정 balanceWon=잔액 businessNo=사업자번호 parts=부분 merchants=가맹점 수 failed=실패 attempts=시도 act=행위
entries=항목 수 orderNo=주문번호 clean=이상 없음 sound=이상 없음 head=체인 끝 deviations=이상 reasons=사유 stages=단계 providers=원천사
executorId=프로세스 terms=정산 주기 accountNo=계좌번호 bankCode=은행 코드 keepDays=보존 일수 nextAt=다음 실행 pause=중지 last=마지막 회차
startedBy=실행자 clockAheadMs=시계 차이(ms) diskFreeBytes=디스크 여유 loopDelayMs=이벤트 루프(ms) memoryBytes=메모리 runs=실행 수
happenedAt=발생 시각 endpoint=웹훅 finishedAt=종료 시각 nominalAt=예정 시각 lateMs=지연(ms) owedWon=미수금 inFlightWon=지급 중
nextSlot=다음 회차 data=내용 secret=비밀키 permissions=권한 linesWon=행 금액 matched=일치 timing=시점 차이 awaiting=대기 breaks=불일치
steps=단계 level=수준 saidAt=시각 step=단계 running=진행 중 total=합계 byProvider=원천사별 byTier=등급별 byMerchant=가맹점별 banks=은행
slots=회차 holds=보류 payments=결제 limits=한도 tries=시도 closed=휴일 on=업무일 hold=보류 debtWon=상계 files=파일 counts=처리량
report=보고서 retried=재시도 perSecond=초당 dryRun=건수만 creditedAfterMs=입금까지(ms) setAside=보류 매입 text=설명
contracts=계약 method=결제 수단 validFrom=시작일 ratePpm=요율(ppm) fixedWon=정액 rounding=끝수 처리 vat=부가세 inForce=현행 cycle=정산 주기
subMerchant=하위 가맹점 postedOn=기장일 postedAt=기장 시각 inWon=입금 outWon=출금 what=내용 escalationChannels=상향 채널
contractId=계약 번호 termsId=조건 번호 accountId=계좌 번호 cancelFee=취소 수수료 roll=휴일 규칙 dueTime=정산 시각 payout=지급 방식
payoutTime=지급 시각 minPayoutWon=최소 지급액 sends=송신 횟수 asks=조회 횟수 keepDaysDefault=기본 보존 일수 actId=행위 번호 previousHash=이전 해시
hash=해시 dates=정산 시각 claimed=신청 accepted=인정 paid=지급 clawedBack=환수 rejected=반려 differing=차이 cardNo=카드번호 datedOn=일자
acquirer=매입사 messageNo=전문 번호 messageOn=전문일 payoutId=지급 번호 firstSentAt=최초 송신 version=버전 equations=등식 tells=알림 subjectOf=대상 lastDeliveredAt=마지막 전달 lastSentAt=마지막 발송 lastError=마지막 오류 failures=연속 실패
`;
const koreanValues: Readonly<Record<string, string>> = {
  acknowledged: '확인',
  approved: '승인',
  awaiting_approval: '승인 대기',
  balanced: '일치',
  cancelled: '취소',
  claimed: '시작 전',
  clock: '정시',
  closed: '종결',
  complete: '완료',
  created: '생성',
  delivered: '전달',
  denied: '권한 없음',
  deviates: '이상',
  done: '완료',
  exhausted: '포기',
  failed: '실패',
  held: '보류',
  holder_checked: '예금주 확인',
  incomplete: '미완료',
  investigating: '조사 중',
  missed: '누락',
  notice: '알림',
  open: '미종결',
  pending: '대기',
  queued: '대기',
  refused: '거절',
  rejected: '거절',
  resolved: '종결',
  running: '진행 중',
  sent: '송신',
  settled: '정산 완료',
  skipped: '생략',
  succeeded: '성공',
  unknown: '불명',
  urgent: '긴급',
  waiting: '대기',
  warning: '주의',
};
const valued = /(^|\.)(state|outcome|severity|decision|verdict)$/;

/** `state` `done` → `완료`; what is no state, or has no Korean word, stands as it is. */
export function valueWord(field: string, value: string, language: Language): string {
  return (language === 'ko' && valued.test(field) ? koreanValues[value] : undefined) ?? value;
}

const koreanWords = new Map(
  [...korean.matchAll(/(\w+)=(.+?)(?=\s+\w+=|\s*$)/g)].map(([, field, word]) => [field, word]),
);

/** `slot.nominalAt` → `Slot: nominal at`, `회차: 예정 시각`. Amounts are in won, which their name need not say. */
export function fieldWord(field: string, language: Language): string {
  const words = field
    .split('.')
    .map((part) => (language === 'ko' ? koreanWords.get(part) : undefined) ?? english(part));
  return words.map((word, n) => (n === 0 ? word : word.toLowerCase())).join(': ');
}

const initials: Readonly<Record<string, string>> = { id: 'ID', url: 'URL', mid: 'MID', cron: 'When' };

function english(field: string): string {
  const known = initials[field];
  if (known !== undefined) return known;
  const words = field
    .replace(/Won$/, '')
    .replace(/Ms$/, ' (ms)')
    .replace(/([a-z\d])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/\b(id|tid|vat)\b/g, (word) => word.toUpperCase());
  return words === '' ? 'Won' : words.charAt(0).toUpperCase() + words.slice(1);
}
