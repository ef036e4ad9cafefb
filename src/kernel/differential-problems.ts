import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: claims of overcharged fees, their files and answers. */
export const differentialProblems = {
  differential_not_configured: {
    status: 400,
    ko: '{provider} 차액정산 주소가 설정되지 않았습니다: {variable}',
    en: 'No address is set for the differential settlement of {provider}: {variable}',
  },
  business_no_not_configured: {
    status: 400,
    ko: '우리 사업자등록번호가 설정되지 않았습니다: {variable}',
    en: 'Our own business registration number is not set: {variable}',
  },
  remote_file_exists: {
    status: 409,
    ko: '{remote}에 {file} 파일이 이미 있습니다: 덮어쓰지 않았습니다',
    en: '{remote} holds {file} already: it was not replaced',
  },
  remote_rename_unknown: {
    status: 502,
    ko: '{remote}에서 {from}을(를) {to}(으)로 바꾸던 중 응답이 끊겼고, 이제 둘 다 없습니다',
    en: '{remote} did not answer while {from} was renamed to {to}, and now neither is there',
  },
  certificate_mismatch: {
    status: 502,
    ko: '{source}의 인증서가 고정된 것과 다릅니다: 고정 {pinned}, 실제 {seen}. 아무것도 보내지 않았습니다',
    en: 'The certificate of {source} is not the pinned one: pinned {pinned}, seen {seen}. Nothing was sent',
  },
  token_unreadable: {
    status: 500,
    ko: '토큰 파일을 읽을 수 없습니다: {file} ({reason})',
    en: 'The token file cannot be read: {file} ({reason})',
  },
  token_refused: {
    status: 502,
    ko: '{source}에서 토큰을 거부했습니다 ({status})',
    en: '{source} refused the token ({status})',
  },
  claim_file_differs: {
    status: 409,
    ko: '{remote}에 {file} 파일이 이미 있고 내용이 다릅니다: 우리 {bytes}바이트, 그쪽 {theirBytes}바이트. 보내지 않았습니다',
    en: '{remote} holds {file} already, with other content: ours {bytes} bytes, theirs {theirBytes}. Nothing was sent',
  },
  send_in_doubt: {
    status: 409,
    ko: '{file}을(를) {remote}에 보냈는지 알 수 없습니다. 확인한 뒤 jeongsan differential send로 정하십시오',
    en: 'Nobody knows whether {file} was sent to {remote}. Ask there, then decide with jeongsan differential send',
  },
  send_deadline_passed: {
    status: 502,
    ko: '{file}을(를) 기한 {deadline}까지 {remote}에 보내지 못했습니다: {reason}',
    en: '{file} could not be sent to {remote} before {deadline}: {reason}',
  },
  claim_file_not_failed: {
    status: 409,
    ko: '{file}은(는) 사람이 정할 것이 없습니다 (상태: {state})',
    en: 'There is nothing to decide about {file} (state: {state})',
  },
  what_if_file_refused: {
    status: 400,
    ko: '{file} {line}행: {reason}. 가정할 내용이 확실하지 않아 계산하지 않았습니다',
    en: '{file} line {line}: {reason}. What is to be supposed is not certain, so nothing was computed',
  },
  retroactive_half_unknown: {
    status: 400,
    ko: '{half} 반기를 모르거나 그 종료일이 아직 정해지지 않았습니다: 다음 반기의 시작일을 먼저 적재하십시오',
    en: 'The half-year {half} is not known, or not yet when it ends: import the start of the next one first',
  },
  retroactive_posted: {
    status: 409,
    ko: '{half} 소급환급은 이미 기장되었습니다 (소급환급 {refund}, {by})',
    en: 'The retroactive refund of {half} was posted already (refund {refund}, by {by})',
  },
  retroactive_changed: {
    status: 409,
    ko: '소급환급 {refund}의 계산 결과가 승인 요청 때와 다릅니다: 요청 {proposedWon}원, 지금 {nowWon}원. 기장하지 않았으니 다시 제안하십시오',
    en: 'Retroactive refund {refund} no longer comes to what was proposed: {proposedWon} won then, {nowWon} won now. Nothing was posted; propose it anew',
  },
  retroactive_refused: {
    status: 409,
    ko: '소급환급 {refund}: 가맹점 {merchant}의 기장이 거절되어 아무것도 기장하지 않았습니다 ({reason})',
    en: 'Retroactive refund {refund}: the ledger refused merchant {merchant}, so nothing was posted ({reason})',
  },
  resend_accepted: {
    status: 409,
    ko: '{claim}: 원천사가 이미 승인한 건이라 다시 신청하지 않습니다',
    en: '{claim} was accepted by the provider already: it is not sent again',
  },
  resend_state: {
    status: 409,
    ko: '{claim}: 지금은 다시 신청할 수 없습니다 (현황: {state})',
    en: '{claim} cannot be sent again as it stands ({state})',
  },
  resend_attempts_used: {
    status: 409,
    ko: '{claim}: 정해진 횟수만큼 신청했습니다 ({attempt}회)',
    en: '{claim} was sent as often as it may be ({attempt} times)',
  },
  resend_too_old: {
    status: 409,
    ko: '{claim}: 신청 기한이 지난 거래입니다. 담당자에게 알렸습니다',
    en: '{claim} is too old to be taken: the person in charge is told',
  },
  resend_not_eligible: {
    status: 409,
    ko: '{claim}: 지금 아는 등급과 요율로는 신청할 차액이 없습니다',
    en: '{claim}: by the tier and rate that are known now there is nothing to claim',
  },
  resend_same_reason: {
    status: 409,
    ko: '{claim}: 같은 사유로 이미 다시 신청했고 그 뒤 바뀐 것이 없습니다 ({state})',
    en: '{claim} was sent again for the same reason before, and nothing has changed since ({state})',
  },
  break_closed: {
    status: 409,
    ko: '불일치 {id}은(는) 이미 종결되었습니다 ({by})',
    en: 'Break {id} is closed already (by {by})',
  },
} as const satisfies Record<string, ProblemText>;
