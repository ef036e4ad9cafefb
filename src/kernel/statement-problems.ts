import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: statements of providers, their files, records and fields. */
export const statementProblems = {
  statement_file_name: {
    status: 422,
    ko: '파일 이름 {file}은(는) {expected} 형식이 아닙니다',
    en: 'The file name {file} is not of the form {expected}',
  },
  statement_load_overtaken: {
    status: 409,
    ko: '대사 파일 {statementId}의 적재 {loadId}은(는) 다른 적재로 대체되었습니다',
    en: 'Load {loadId} of statement {statementId} was overtaken by another one',
  },
  layout_invalid: {
    status: 500,
    ko: '{stage} 레코드 배치가 올바르지 않습니다:\n{faults}',
    en: 'The layout of the {stage} statement is invalid:\n{faults}',
  },
  statement_empty: { status: 422, ko: '{file}: 빈 파일입니다', en: '{file}: the file is empty' },
  statement_width: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 레코드 길이가 다릅니다: {found} (기대: {expected})',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): the record has the wrong width: {found}, expected {expected}',
  },
  statement_malformed: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 형식이 올바르지 않습니다: {reason}',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): the record is malformed: {reason}',
  },
  statement_record_type: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): {field} "{found}" 레코드가 올 자리가 아닙니다 (기대: {expected})',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): {field} "{found}" cannot stand here, expected {expected}',
  },
  statement_header_missing: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 헤더가 없습니다: {field} "{found}"',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): the header is missing: {field} is "{found}"',
  },
  statement_trailer_missing: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom} 바이트) 뒤에 트레일러가 없습니다: 파일이 잘렸습니다',
    en: '{file} ends after line {line} (byte {byteFrom}) without a trailer: it was cut',
  },
  statement_truncated: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트)에서 줄바꿈 없이 끝납니다: 파일이 잘렸습니다',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}) ends without a line break: the file was cut',
  },
  statement_field: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): {field}을(를) 읽을 수 없습니다: {problem}',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): {field} cannot be read: {problem}',
  },
  statement_totals_differ: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): {field} 합계가 다릅니다: 파일에 적힌 값 {declared}, 계산한 값 {found}',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): total {field} differs: declared {declared}, found {found}',
  },
  statement_other_day: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 다른 날의 파일입니다: {field} {found} (기대: {expected})',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): a file of another day: {field} is {found}, expected {expected}',
  },
  statement_other_file: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 다른 파일입니다: {field} "{found}" (기대: "{expected}")',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): another file: {field} is "{found}", expected "{expected}"',
  },
  statement_too_many_unreadable: {
    status: 422,
    ko: '{file} {line}행 ({byteFrom}–{byteTo} 바이트): 읽을 수 없는 행이 {limit}개를 넘습니다: {field} {problem}',
    en: '{file} line {line} (bytes {byteFrom}–{byteTo}): more than {limit} unreadable lines: {field}: {problem}',
  },
  statement_value_refused: {
    status: 422,
    ko: '대사 파일 {row}번째 행의 {field} 값 "{value}"을(를) 쓸 수 없습니다: {problem}',
    en: 'Row {row} of the statement: {field} "{value}" cannot be written: {problem}',
  },
  exchange_too_many_refused: {
    status: 422,
    ko: '전문에 쓸 수 없는 행이 {limit}개를 넘습니다: {field} 값 "{value}": {problem}',
    en: 'More than {limit} rows cannot be written to the file: {field} "{value}": {problem}',
  },
} as const satisfies Record<string, ProblemText>;
