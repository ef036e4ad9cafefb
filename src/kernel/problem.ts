import { alertProblems } from './alert-problems.ts';
import { differentialProblems } from './differential-problems.ts';
import { faultText } from './field-fault.ts';
import { httpProblems } from './http-problems.ts';
import { identityProblems } from './identity-problems.ts';
import { importProblems } from './import-problems.ts';
import { operationsProblems } from './operations-problems.ts';
import { payoutProblems } from './payout-problems.ts';
import { remoteProblems } from './remote-problems.ts';
import { settlementProblems } from './settlement-problems.ts';
import { statementProblems } from './statement-problems.ts';
import { termsProblems } from './terms-problems.ts';
import { webhookProblems } from './webhook-problems.ts';

/**
 * The one catalogue of refusals: code → HTTP status → Korean and English text (RFC 9457).
 * A refusal is something a user, a file or a provider may cause; bugs use `check`.
 * Texts hold `{name}` placeholders that are filled from the problem's details.
 */
export const problems = {
  usage: { status: 400, ko: '사용법이 올바르지 않습니다: {reason}', en: 'Wrong usage: {reason}' },
  config_invalid: {
    status: 500,
    ko: '설정이 올바르지 않습니다:\n{faults}',
    en: 'The configuration is invalid:\n{faults}',
  },
  not_found: { status: 404, ko: '{what}을(를) 찾을 수 없습니다: {id}', en: '{what} not found: {id}' },
  database_unreachable: {
    status: 503,
    ko: '데이터베이스에 연결할 수 없습니다: {reason}',
    en: 'The database cannot be reached: {reason}',
  },
  port_taken: {
    status: 503,
    ko: '포트 {port}을(를) 다른 프로그램이 쓰고 있습니다. PORT 환경 변수로 다른 포트를 지정하세요',
    en: 'Port {port} is taken by another program; choose another with the environment variable PORT',
  },
  checkpoint_too_large: {
    status: 500,
    ko: '단계 {step}의 결과가 너무 큽니다: {bytes}바이트 (한도 {limitBytes}바이트)',
    en: 'The result of step {step} is too large: {bytes} bytes (limit {limitBytes})',
  },
  run_not_restartable: {
    status: 409,
    ko: '실행 {id}은(는) 다시 시작할 수 없습니다 (상태: {state}): 실패한 단계가 없거나 아직 실행 중입니다',
    en: 'Run {id} cannot be restarted (state: {state}): nothing in it failed, or it is still running',
  },
  host_key_mismatch: {
    status: 502,
    ko: '{source}의 호스트 키가 고정된 키와 다릅니다: 고정 {pinned}, 실제 {seen}. 접속하지 않았습니다',
    en: 'The host key of {source} is not the pinned one: pinned {pinned}, seen {seen}. Nothing was sent',
  },
  sftp_login_refused: {
    status: 502,
    ko: '{source}에서 로그인을 거부했습니다',
    en: '{source} refused the login',
  },
  private_key_unreadable: {
    status: 500,
    ko: '개인 키를 읽을 수 없습니다: {file} ({reason})',
    en: 'The private key cannot be read: {file} ({reason})',
  },
  source_unreachable: {
    status: 502,
    ko: '{source}에 연결할 수 없습니다: {reason}',
    en: '{source} cannot be reached: {reason}',
  },
  source_refused: {
    status: 502,
    ko: '{source}에서 요청을 거부했습니다: {reason}',
    en: '{source} refused a request: {reason}',
  },
  file_changed_while_read: {
    status: 409,
    ko: '읽는 동안 파일이 바뀌었습니다: {file}',
    en: 'The file changed while it was read: {file}',
  },
  disk_full: {
    status: 507,
    ko: '{folder}에 저장할 공간이 없습니다: {reason}',
    en: 'There is no room left in {folder}: {reason}',
  },
  archive_damaged: {
    status: 500,
    ko: '보관된 원본 {sha256}이(가) 없거나 바뀌었습니다: {reason}',
    en: 'The archived original {sha256} is missing or was changed: {reason}',
  },
  run_parked: {
    status: 503,
    ko: '중단되었습니다. {run} 실행은 멈춘 단계부터 다음 jeongsan 프로세스가 이어 갑니다',
    en: 'Interrupted. {run} is parked: the next process of Jeongsan goes on with it from the step where it is',
  },
  interrupted: {
    status: 503,
    ko: '중단되었습니다: {what}. 아무것도 반영되지 않았습니다',
    en: 'Interrupted: {what}. Nothing of it was kept',
  },
  ...identityProblems,
  ...importProblems,
  ...operationsProblems,
  ...alertProblems,
  ...httpProblems,
  ...payoutProblems,
  ...settlementProblems,
  ...statementProblems,
  ...termsProblems,
  ...differentialProblems,
  ...webhookProblems,
  ...remoteProblems,
  already_running: {
    status: 409,
    ko: '이 홈({home})에서 이미 실행 중입니다: 프로세스 {pid}, 시작 {since}, 포트 {port}',
    en: 'Already running for {home}: process {pid}, since {since}, port {port}',
  },
  home_unusable: {
    status: 500,
    ko: '{folder} 폴더를 사용할 수 없습니다: {reason}',
    en: 'The folder {folder} cannot be used: {reason}',
  },
  embedded_unavailable: {
    status: 500,
    ko: '내장 PostgreSQL을 사용할 수 없습니다: {reason}. DATABASE_URL을 지정하면 다른 서버를 사용합니다',
    en: 'The embedded PostgreSQL cannot be used: {reason}. Set DATABASE_URL to use another server',
  },
  embedded_start_failed: {
    status: 503,
    ko: '내장 PostgreSQL이 시작되지 않았습니다: {reason} (로그: {log})',
    en: 'The embedded PostgreSQL did not start: {reason} (log: {log})',
  },
  embedded_data_missing: {
    status: 500,
    ko: '이 홈의 데이터 폴더 {folder}이(가) 없습니다. 되돌려 놓거나, 새로 시작하려면 {record}을(를) 지우십시오',
    en: 'The data folder of this home, {folder}, is missing. Bring it back, or delete {record} to begin anew',
  },
  lock_timeout: {
    status: 503,
    ko: '{lock} 잠금을 {seconds}초 동안 얻지 못했습니다. 다른 프로세스가 잡고 있습니다',
    en: 'The lock {lock} was not free within {seconds} seconds: another process holds it',
  },
  migration_invalid: {
    status: 500,
    ko: '마이그레이션 파일이 올바르지 않습니다:\n{faults}',
    en: 'The migration files are invalid:\n{faults}',
  },
  migration_failed: {
    status: 500,
    ko: '마이그레이션 {file}을(를) 적용하지 못했습니다: {reason}',
    en: 'The migration {file} could not be applied: {reason}',
  },
  holidays_unknown: {
    status: 500,
    ko: '{year}년의 공휴일 자료가 없습니다',
    en: 'The public holidays of {year} are not known',
  },
  world_missing: {
    status: 404,
    ko: '{folder}에 샌드박스 세계가 없습니다 (world.json 없음)',
    en: 'There is no sandbox world in {folder} (no world.json)',
  },
  sandbox_port_taken: {
    status: 503,
    ko: '포트 {port}을(를) 다른 프로그램이 쓰고 있습니다. --port로 다른 포트를 지정하십시오',
    en: 'Port {port} is taken by another program: choose another with --port',
  },
  world_folder_in_use: {
    status: 409,
    ko: '{folder}에 다른 파일이 있어 세계를 만들지 않습니다: 빈 폴더를 지정하십시오',
    en: 'No world is made in {folder}, which holds other files: name an empty folder',
  },
  breaks_too_wide: {
    status: 400,
    ko: '어떤 불일치인지 정해지지 않았습니다: 번호나 조건을 주거나, 미종결 전체라면 --all을 쓰십시오',
    en: 'Nothing says which breaks are meant: name them, filter them, or use --all for every unresolved one',
  },
  ledger_event_differs: {
    status: 409,
    ko: '{event}은(는) 다른 내용으로 이미 기장되었습니다',
    en: '{event} was booked before with other lines',
  },
  ledger_event_unknown: { status: 404, ko: '{event}은(는) 기장된 적이 없습니다', en: '{event} was never booked' },
  ledger_insufficient: {
    status: 409,
    ko: '{account} 계정의 잔액이 모자랍니다: 기장하면 {wouldBeWon}원이 됩니다',
    en: 'Account {account} does not hold enough: it would come to {wouldBeWon} won',
  },
  ledger_account_unknown: {
    status: 422,
    ko: '계정과목에 없는 계정입니다: {account}',
    en: 'The chart of accounts knows no account {account}',
  },
  ledger_unapproved: {
    status: 403,
    ko: '승인되지 않은 조정은 기장하지 않습니다: {event}',
    en: 'An adjustment that nobody approved is not booked: {event}',
  },
  adjustment_unbalanced: {
    status: 422,
    ko: '조정의 합계가 0이 아닙니다: {differenceWon}원',
    en: 'The lines of the adjustment do not sum to 0 but to {differenceWon} won',
  },
  adjustment_in_flight: {
    status: 422,
    ko: '지급 진행금({account})은 지급이 끝날 때만 움직입니다: 조정할 수 없습니다',
    en: '{account} moves with its payouts alone: it cannot be adjusted',
  },
  approval_four_eyes: {
    status: 403,
    ko: '요청한 사람({by})은 {subject}을(를) 승인하거나 거절할 수 없습니다',
    en: 'Who asked for {subject} ({by}) cannot decide on it',
  },
  approval_decided: {
    status: 409,
    ko: '{subject}은(는) {by}이(가) 이미 결정했습니다: {decision}',
    en: '{subject} has been decided on by {by}: {decision}',
  },
  approval_waits: {
    status: 409,
    ko: '{by}이(가) 요청한 {subject}이(가) 승인을 기다리고 있습니다: 먼저 결정해야 합니다',
    en: '{subject}, asked for by {by}, waits for a decision: that comes first',
  },
  certificate_unreadable: {
    status: 500,
    ko: '인증서를 읽을 수 없습니다: {file} ({reason})',
    en: 'The certificate cannot be read: {file} ({reason})',
  },
  sandbox_bank_in_use: {
    status: 409,
    ko: '{folder}의 모의 은행이 이미 실행 중입니다',
    en: 'The simulated bank of {folder} is running already',
  },
  sandbox_accounts_unreadable: {
    status: 422,
    ko: '모의 은행의 계좌 파일을 읽을 수 없습니다: {file} ({reason}). --accounts로 지정하십시오',
    en: 'The accounts of the simulated bank cannot be read: {file} ({reason}); name them with --accounts',
  },
  bank_list_unavailable: {
    status: 502,
    ko: '{bank}의 {on} 이체 내역을 받지 못했습니다: {reason}',
    en: 'The transfer list of {bank} for {on} could not be had: {reason}',
  },
  callback_signature: {
    status: 401,
    ko: '{bank} 통지의 서명이 올바르지 않습니다: {reason}',
    en: 'The callback of {bank} is not signed as it must be: {reason}',
  },
  callback_unreadable: {
    status: 400,
    ko: '{bank} 통지를 읽을 수 없습니다',
    en: 'The callback of {bank} cannot be read',
  },
} as const satisfies Record<string, ProblemText>;

export type ProblemText = { readonly status: number; readonly ko: string; readonly en: string };
export type ProblemCode = keyof typeof problems;
export type ProblemDetails = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;
export type Language = 'ko' | 'en';

/** An expected refusal. `details` fill the text and travel as data; they never hold secrets. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}, options?: ErrorOptions) {
    super(problemText(code, details, 'en'), options);
    this.name = 'Problem';
    this.code = code;
    this.details = details;
  }
}

/** The text of a problem for people, with its details filled in. */
export function problemText(code: ProblemCode, details: ProblemDetails, language: Language): string {
  return problems[code][language].replace(/\{(\w+)\}/g, (_, name: string) => {
    const detail = String(details[name] ?? '?');
    return name === 'problem' ? faultText(detail, language) : detail;
  });
}

/** What went wrong, for people: a refusal by its text, anything else, a bug, by its stack. */
export function failureText(error: unknown, language: Language): string {
  if (isProblem(error)) return problemText(error.code, error.details, language);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** True for a `Problem` of one of these codes, also after the durable engine replayed it without its class. */
export function isProblem(error: unknown, ...codes: readonly ProblemCode[]): error is Problem {
  if (!(error instanceof Error) || error.name !== 'Problem') return false;
  return codes.length === 0 || codes.includes((error as Problem).code);
}
