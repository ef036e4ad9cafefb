import type { Codes } from '../differential.ts';

/**
 * 카드사 표준 결과 코드. What the card companies answer, whoever passes it on; read off public integrations. What they
 * mean to us is ours: `correct` where data of ours, or a state of the original, may become another; `final` where the
 * answer is about the transaction itself.
 */
export const cardStandardCodes = {
  '00': { ko: '정상', en: 'accepted', means: 'accepted' },
  '01': { ko: '카드사 지정값 오류', en: 'card company value', means: 'correct' },
  '02': {
    ko: '금액 오류 (원매입금액과 하위 합계 불일치)',
    en: 'amount: original is not the sum of its parts',
    means: 'correct',
  },
  '03': { ko: '중복 접수', en: 'duplicate', means: 'final' },
  '04': { ko: '원매입 반송 건', en: 'capture of the original was rejected', means: 'correct' },
  '05': { ko: '취소구분 오류', en: 'cancel type', means: 'correct' },
  '06': { ko: '매입일자 오류', en: 'capture date', means: 'correct' },
  '07': { ko: '승인일자 오류', en: 'approval date', means: 'correct' },
  '08': { ko: '승인번호 오류', en: 'approval number', means: 'correct' },
  '09': { ko: '가맹점번호 미기재 또는 미등록', en: 'merchant number blank or not registered', means: 'correct' },
  '10': {
    ko: '차액정산 대상 가맹점번호 아님',
    en: 'not a merchant number for differential settlement',
    means: 'final',
  },
  '11': { ko: '카드번호 오류', en: 'card number', means: 'correct' },
  '12': { ko: '중간하위사업자번호 오류', en: 'intermediary business number', means: 'correct' },
  '13': { ko: '접수기한 경과', en: 'too late', means: 'final' },
  '14': { ko: '장바구니 내 다른 건의 오류로 함께 거절', en: 'rejected together with its basket', means: 'correct' },
} as const satisfies Codes;
