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
    ko: '{remote}에 {file} 파일이 이미 있고 크기가 다릅니다: 우리 {bytes}바이트, 그쪽 {theirBytes}바이트. 보내지 않았습니다',
    en: '{remote} holds {file} already, with another size: ours {bytes} bytes, theirs {theirBytes}. Nothing was sent',
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
  differential_failed: {
    status: 502,
    ko: '{failed} 차액정산이 실패했습니다: {reason}',
    en: 'The differential settlement of {failed} failed: {reason}',
  },
} as const satisfies Record<string, ProblemText>;
