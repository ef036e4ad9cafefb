/** Refusals of who somebody is and what they may do. */
export const identityProblems = {
  request_forged: {
    status: 403,
    ko: '이 서버의 화면에서 보낸 요청이 아닙니다: {reason}',
    en: 'The request was not sent by a page of this server: {reason}',
  },
  key_needed: {
    status: 401,
    ko: '이 설치에는 사용자가 있습니다: 유효한 API 키를 {variable}(이)나 --key-file로 주십시오',
    en: 'This installation has people: give a valid API key in {variable} or with --key-file',
  },
  key_file_open: {
    status: 422,
    ko: '{file}을(를) 다른 사람도 읽을 수 있습니다: 주인만 읽게 하십시오 (chmod 600)',
    en: '{file} can be read by others: let its owner alone read it (chmod 600)',
  },
  by_another: {
    status: 403,
    ko: '--by {by}: 키의 주인 {who}의 이름으로만 처리할 수 있습니다',
    en: '--by {by}: with this key one acts as {who} alone',
  },
  sign_in_refused: {
    status: 401,
    ko: '이메일이나 비밀번호가 맞지 않습니다',
    en: 'The e-mail address or the password is wrong',
  },
  second_factor_needed: {
    status: 401,
    ko: '2단계 인증 코드가 필요합니다',
    en: 'A code of the second factor is needed',
  },
  second_factor_refused: {
    status: 401,
    ko: '2단계 인증 코드가 맞지 않습니다',
    en: 'The code of the second factor is wrong',
  },
  sign_in_locked: {
    status: 429,
    ko: '로그인 시도가 너무 많습니다: {seconds}초 뒤에 다시 하십시오',
    en: 'Too many attempts to sign in: try again in {seconds} seconds',
  },
  sign_in_failed: {
    status: 400,
    ko: '로그인 요청을 처리할 수 없습니다: {reason}',
    en: 'The request to sign in cannot be served: {reason}',
  },
  password_short: {
    status: 422,
    ko: '비밀번호는 {min}자 이상 {max}자 이하여야 합니다',
    en: 'A password has {min} to {max} characters',
  },
  password_common: {
    status: 422,
    ko: '비밀번호가 흔한 말이나 이름, 연속된 글자로 되어 있어 쉽게 짐작됩니다: 다른 것을 쓰십시오',
    en: 'The password is made of common words, names or rows of keys and is guessed at once: choose another',
  },
  link_invalid: {
    status: 404,
    ko: '링크가 올바르지 않거나, 이미 쓰였거나, 기한이 지났습니다',
    en: 'The link is not valid, was used, or is too old',
  },
  setup_done: {
    status: 409,
    ko: '관리자가 이미 있습니다: 새 사용자는 관리자가 초대합니다',
    en: 'There is an administrator already: new people are invited by an administrator',
  },
  person_exists: {
    status: 409,
    ko: '{who}은(는) 이미 있습니다',
    en: '{who} is there already',
  },
  person_disabled: {
    status: 409,
    ko: '{who}은(는) 사용 중지되었습니다',
    en: '{who} is disabled',
  },
  address_unusable: {
    status: 422,
    ko: '쓸 수 없는 이메일 주소입니다: {email}',
    en: 'An e-mail address that cannot be used: {email}',
  },
  not_yourself: {
    status: 403,
    ko: '자기 자신({who})의 역할이나 상태는 바꿀 수 없습니다',
    en: 'Nobody changes the roles or the state of themselves ({who})',
  },
  role_of_a_person: {
    status: 422,
    ko: '서비스 계정은 승인자나 관리자가 될 수 없습니다: {who}',
    en: 'A service can be no approver and no administrator: {who}',
  },
  last_administrator: {
    status: 409,
    ko: '{who}은(는) 마지막 관리자입니다: 먼저 다른 관리자를 두십시오',
    en: '{who} is the last administrator: appoint another one first',
  },
  key_of_another: {
    status: 403,
    ko: '{who}의 키는 {owner}만 만들거나 폐기할 수 있습니다',
    en: 'A key of {who} is made and revoked by {owner} alone',
  },
  key_scope_exceeds: {
    status: 403,
    ko: '키에 줄 수 없는 권한입니다: {scopes} (줄 수 있는 권한: {allowed})',
    en: 'The key cannot have {scopes} (it may have {allowed})',
  },
  key_expiry_exceeds: {
    status: 422,
    ko: '키의 기한은 {latest}까지입니다',
    en: 'The key may be valid until {latest} at most',
  },
  key_limit: {
    status: 409,
    ko: '{who}의 유효한 키가 이미 {limit}개입니다: 쓰지 않는 키를 폐기하십시오',
    en: '{who} has {limit} valid keys already: revoke what is not used',
  },
  approver_needed: {
    status: 403,
    ko: '{by}은(는) 승인자가 아니므로 {subject}을(를) 결정할 수 없습니다',
    en: '{by} is no approver and cannot decide on {subject}',
  },
  identity_provider_unavailable: {
    status: 503,
    ko: '외부 로그인 서버({issuer})에 연결할 수 없습니다',
    en: 'The identity provider {issuer} cannot be reached',
  },
} as const satisfies Record<string, { readonly status: number; readonly ko: string; readonly en: string }>;
