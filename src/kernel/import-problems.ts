import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: a file of ours that is imported, its lines and its fields. */
export const importProblems = {
  import_file_unreadable: {
    status: 400,
    ko: '파일을 읽을 수 없습니다: {file} ({reason})',
    en: 'The file cannot be read: {file} ({reason})',
  },
  import_empty: { status: 400, ko: '빈 파일입니다: {file}', en: 'The file is empty: {file}' },
  import_encoding: {
    status: 400,
    ko: '{file}: UTF-16 파일입니다. UTF-8로 저장해야 합니다',
    en: '{file} is UTF-16; it has to be UTF-8',
  },
  import_header: {
    status: 400,
    ko: '{file} {line}행: 머리글이 다릅니다. 빠진 열: {missing}; 모르는 열: {unknown}; 중복된 열: {repeated}',
    en: '{file}, line {line}: wrong header. Missing columns: {missing}; unknown: {unknown}; repeated: {repeated}',
  },
  import_too_many_days: {
    status: 400,
    ko: '{file}: 영업일이 {days}개로 한 번에 들일 수 있는 {limit}개를 넘습니다. 나누어 들이십시오',
    en: '{file} holds {days} business days, more than the {limit} that one import takes. Split it',
  },
  import_line_long: {
    status: 400,
    ko: '한 행이 {max}바이트를 넘습니다',
    en: 'The line is longer than {max} bytes',
  },
  import_not_utf8: { status: 400, ko: 'UTF-8이 아닌 바이트가 있습니다', en: 'The line is not UTF-8' },
  import_quote: {
    status: 400,
    ko: '{byte}바이트의 필드: 따옴표가 닫히지 않았거나 필드 안에 홀로 있습니다 (필드 안의 줄바꿈은 허용되지 않습니다)',
    en: 'The field at byte {byte}: a quote is not closed, or stands alone (no field may hold a line break)',
  },
  import_field_count: {
    status: 400,
    ko: '필드가 {expected}개여야 하는데 {found}개입니다',
    en: '{found} fields instead of {expected}',
  },
  import_json: {
    status: 400,
    ko: '{byte}바이트: 값이 문자열·숫자·null뿐인 JSON 객체 하나가 아닙니다',
    en: 'At byte {byte}: not one JSON object whose values are strings, numbers or null',
  },
  import_key_unknown: { status: 400, ko: '모르는 항목입니다: {field}', en: 'Unknown key: {field}' },
  import_key_repeated: { status: 400, ko: '항목이 두 번 있습니다: {field}', en: 'The key stands twice: {field}' },
  import_number_for_text: {
    status: 400,
    ko: '{field}: 숫자가 아니라 문자열이어야 합니다',
    en: '{field}: has to be a string, not a number',
  },
  import_text: {
    status: 400,
    ko: '{field}({bytes}): {min}–{max}바이트의 글자여야 하고 제어 문자나 앞뒤 공백이 없어야 합니다: {value}',
    en: '{field} ({bytes}): has to be {min}–{max} bytes of text, no control characters, no blanks around: {value}',
  },
  import_number: {
    status: 400,
    ko: '{field}({bytes}): {min}에서 {max}까지의 정수여야 합니다: {value}',
    en: '{field} ({bytes}): has to be a whole number from {min} to {max}: {value}',
  },
  import_amount: {
    status: 400,
    ko: '{field}({bytes}): 원 단위 정수여야 합니다 (쉼표·소수점 없이, 64비트 안): {value}',
    en: '{field} ({bytes}): has to be whole won (no separators, no decimals, within 64 bits): {value}',
  },
  import_sign: {
    status: 400,
    ko: '{field}({bytes}): 부호가 맞지 않습니다. 승인은 0보다 크고 취소는 0보다 작습니다: {value}',
    en: '{field} ({bytes}): wrong sign. Approvals are above 0, cancels below, nothing is 0: {value}',
  },
  import_day: {
    status: 400,
    ko: '{field}({bytes}): 있는 날짜(YYYY-MM-DD, 2000–2099년)여야 합니다: {value}',
    en: '{field} ({bytes}): has to be a day that exists (YYYY-MM-DD, years 2000–2099): {value}',
  },
  import_instant: {
    status: 400,
    ko: '{field}({bytes}): 있는 날짜의, 시차가 붙은 ISO 8601 시각이어야 합니다 (예: 2026-11-20T23:59:58+09:00): {value}',
    en: '{field} ({bytes}): has to be an ISO 8601 time on a day that exists, with its offset (2026-11-20T23:59:58+09:00): {value}',
  },
  import_card_number: {
    status: 400,
    ko: '{field}({bytes}): 카드번호 전체가 있습니다. 앞 6자리와 뒤 4자리만 남기고 *로 가려야 합니다',
    en: '{field} ({bytes}): a full card number. Mask it with *, all but the first six and the last four digits',
  },
  import_card_mask: {
    status: 400,
    ko: '{field}({bytes}): 앞 6자리, *, 뒤 4자리로 가린 카드번호여야 합니다',
    en: '{field} ({bytes}): has to be a card number masked as six digits, asterisks, four digits',
  },
  import_business_no: {
    status: 400,
    ko: '{field}({bytes}): 사업자등록번호 10자리의 검증번호가 맞지 않습니다: {value}',
    en: '{field} ({bytes}): not a business number of ten digits with its check digit: {value}',
  },
  import_field_unused: {
    status: 400,
    ko: '{field}({bytes}): 이 종류의 기록에는 없는 항목이므로 비어 있어야 합니다: {value}',
    en: '{field} ({bytes}): this kind of record has no such field; it has to be empty: {value}',
  },
  import_choice: {
    status: 400,
    ko: '{field}({bytes}): {allowed} 중 하나여야 합니다: {value}',
    en: '{field} ({bytes}): has to be one of {allowed}: {value}',
  },
  import_rate: {
    status: 400,
    ko: '{field}({bytes}): 0%에서 100%까지, 소수 넷째 자리까지의 요율(예: 1.15%)이어야 합니다: {value}',
    en: '{field} ({bytes}): has to be a rate from 0% to 100% with at most four decimals (1.15%): {value}',
  },
  import_tiers: {
    status: 400,
    ko: '{field}({bytes}): 금액이 커지는 순서의 구간 요율(예: 10000000:1.05%;50000000:0.95%)이어야 합니다: {value}',
    en: '{field} ({bytes}): has to be rates by rising volume (10000000:1.05%;50000000:0.95%): {value}',
  },
  import_cycle: {
    status: 400,
    ko: '{field}({bytes}): 정산주기(M1–M60, D+0–D+60, W:MON–W:SUN, MD:1–MD:31)여야 합니다: {value}',
    en: '{field} ({bytes}): has to be a cycle (M1–M60, D+0–D+60, W:MON–W:SUN, MD:1–MD:31): {value}',
  },
  import_time: {
    status: 400,
    ko: '{field}({bytes}): 00:00에서 23:59까지의 시각(HH:MM)이어야 합니다: {value}',
    en: '{field} ({bytes}): has to be a time from 00:00 to 23:59 (HH:MM): {value}',
  },
  import_below: {
    status: 400,
    ko: '{field}({bytes}): {other}보다 앞서거나 작을 수 없습니다: {value}',
    en: '{field} ({bytes}): must not lie before or below {other}: {value}',
  },
  import_field_missing: {
    status: 400,
    ko: '{field}({bytes}): {other} 값에 따라 있어야 하는데 비어 있습니다',
    en: '{field} ({bytes}): is empty, but has to be there because of {other}',
  },
  import_bank_code: {
    status: 400,
    ko: '{field}({bytes}): 은행 코드 세 자리 숫자여야 합니다',
    en: '{field} ({bytes}): has to be a bank code of three digits',
  },
  import_account_no: {
    status: 400,
    ko: '{field}({bytes}): 하이픈 없이 6–20자리 숫자인 계좌번호여야 합니다',
    en: '{field} ({bytes}): has to be an account number of 6–20 digits without hyphens',
  },
  import_holder: {
    status: 400,
    ko: '{field}({bytes}): 예금주가 아니라 번호입니다',
    en: '{field} ({bytes}): is a number, not the name of a holder',
  },
  import_merchant_unknown: {
    status: 404,
    ko: '적재되지 않은 가맹점입니다: {merchantId}',
    en: 'The merchant is not known: {merchantId}',
  },
  import_business_unknown: {
    status: 404,
    ko: '이 사업자등록번호의 가맹점이 없습니다: {businessNo}',
    en: 'No merchant has this business number: {businessNo}',
  },
  import_half: {
    status: 400,
    ko: '{field}({bytes}): 반기(예: 2026H2)여야 합니다: {value}',
    en: '{field} ({bytes}): has to be a half-year (2026H2): {value}',
  },
  import_half_unknown: {
    status: 404,
    ko: '시작일을 모르는 반기입니다: {half}. half-years import로 먼저 적재하십시오',
    en: 'Nobody has said when the half-year {half} starts: import it first (half-years import)',
  },
  import_half_open: {
    status: 400,
    ko: 'validTo: {half}은(는) 다음 반기의 시작일을 몰라 끝나는 날을 확인할 수 없습니다. 다음 반기를 먼저 적재하거나 비워 두십시오: {validTo}',
    en: 'validTo: the last day of {half} is not known before the start of the next half-year is. Import that first, or leave it empty: {validTo}',
  },
  import_half_overlaps: {
    status: 400,
    ko: '{field}: {half}({from}–{to})의 등급이 {other} 반기에 걸칩니다: {value}',
    en: '{field}: a tier of {half} ({from} – {to}) reaches into {other}: {value}',
  },
  import_half_days: {
    status: 400,
    ko: '{field}: {half}의 기간은 {from}–{to}이며 등급은 그 전체에 적용됩니다: {value}',
    en: '{field}: {half} is {from} – {to}, and a tier holds for all of it: {value}',
  },
  import_half_order: {
    status: 409,
    ko: '{half}의 시작일 {startsOn}은(는) 이웃 반기 {other}의 시작일 {otherStartsOn}과(와) 순서가 맞지 않습니다',
    en: '{half} cannot start on {startsOn}: {other} starts on {otherStartsOn}',
  },
  import_half_gap: {
    status: 409,
    ko: '{missing} 없이 {half}을(를) 적재할 수 없습니다: 그 사이의 날들이 다른 반기에 속하게 됩니다',
    en: '{half} cannot be known without {missing}: the days between would belong to another half-year',
  },
  import_rate_unlikely: {
    status: 400,
    ko: '{field}({bytes}): 우대수수료율은 {most}를 넘은 적이 없습니다. 단위를 확인하십시오: {value}',
    en: '{field} ({bytes}): no preferential rate is above {most}. A slip of its unit: {value}',
  },
  import_bin: {
    status: 400,
    ko: '{field}({bytes}): 카드번호 앞 6자리 숫자여야 합니다: {value}',
    en: '{field} ({bytes}): has to be the first six digits of a card number: {value}',
  },
  import_record_unknown: {
    status: 400,
    ko: '{field}({bytes}): 모르는 기록 종류입니다: {value}',
    en: '{field} ({bytes}): unknown kind of record: {value}',
  },
  import_provider_unknown: {
    status: 400,
    ko: '{field}({bytes}): 모르는 원천사입니다: {value}',
    en: '{field} ({bytes}): unknown provider: {value}',
  },
  import_differs: {
    status: 409,
    ko: '{identity}: 적재 {importId}에서 이미 다른 내용으로 들어왔습니다. 다른 항목: {fields}',
    en: '{identity}: already there from import {importId} with other content. Differing: {fields}',
  },
  import_differs_in_file: {
    status: 409,
    ko: '{identity}: 같은 파일 {firstLine}행과 내용이 다릅니다. 다른 항목: {fields}',
    en: '{identity}: line {firstLine} of the same file says otherwise. Differing: {fields}',
  },
} as const satisfies Record<string, ProblemText>;
