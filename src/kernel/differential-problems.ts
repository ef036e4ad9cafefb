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
} as const satisfies Record<string, ProblemText>;
