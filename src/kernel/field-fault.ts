import type { Language } from './problem.ts';

/** Why a field of a statement cannot be read or written. Kept with its line, so the words are part of the data. */
const fieldFaults = {
  not_a_number: { ko: '숫자가 아닙니다', en: 'not a number' },
  out_of_range: { ko: '값이 너무 큽니다', en: 'does not fit' },
  fraction_of_won: { ko: '원 미만의 금액이 있습니다', en: 'a fraction of a won' },
  no_such_day: { ko: '없는 날짜입니다', en: 'no such day' },
  no_such_time: { ko: '없는 시각입니다', en: 'no such time' },
  not_in_encoding: { ko: '문자 집합에 없는 바이트입니다', en: 'bytes that are not in the encoding' },
  cut_character: { ko: '글자가 필드 경계에서 잘렸습니다', en: 'a character cut by the field boundary' },
  control_character: { ko: '제어 문자가 있습니다', en: 'a control character' },
  unknown_code: { ko: '알 수 없는 코드입니다', en: 'an unknown code' },
  not_constant: { ko: '정해진 값이 아닙니다', en: 'not the constant it must be' },
  not_blank: { ko: '비어 있어야 합니다', en: 'not blank' },
  missing: { ko: '값이 없습니다', en: 'missing' },
  too_long: { ko: '필드보다 깁니다', en: 'longer than its field' },
  like_padding: { ko: '채움 문자로 시작하거나 끝납니다', en: 'begins or ends with the filling' },
  holds_separator: { ko: '구분자가 들어 있습니다', en: 'holds the separator' },
  wrong_sign: { ko: '부호를 쓸 수 없습니다', en: 'a sign that the field cannot hold' },
} as const satisfies Record<string, { ko: string; en: string }>;
export type FieldFault = keyof typeof fieldFaults;

/** The words for a fault that was kept, or the code itself where nobody named it. */
export function faultText(code: string, language: Language): string {
  return code in fieldFaults ? fieldFaults[code as FieldFault][language] : code;
}
