import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: the calendar, and what merchants' terms are kept with. */
export const termsProblems = {
  data_key_changed: {
    status: 500,
    ko: '데이터 키가 바뀌었습니다: {sealedBy} 키로 암호화된 계좌번호를 지금의 {keyId} 키로는 읽을 수 없습니다. JEONGSAN_DATA_KEY 또는 홈의 keys/data.key를 되돌려 놓으십시오',
    en: 'The data key was changed: account numbers sealed by {sealedBy} cannot be read by {keyId}. Bring JEONGSAN_DATA_KEY, or keys/data.key of the home, back',
  },
  data_key_unreadable: {
    status: 500,
    ko: '데이터 키를 읽을 수 없습니다: {file} ({reason})',
    en: 'The data key cannot be read: {file} ({reason})',
  },
  sealed_damaged: {
    status: 500,
    ko: '암호화되어 저장된 값이 손상되었거나 바뀌었습니다',
    en: 'A sealed value is damaged or was changed',
  },
  calendar_unchanged: {
    status: 409,
    ko: '{day}은(는) 이미 그렇게 되어 있습니다. 바뀌는 것이 없어 기록하지 않았습니다',
    en: '{day} is so already: nothing would change, and nothing was recorded',
  },
} as const satisfies Record<string, ProblemText>;
