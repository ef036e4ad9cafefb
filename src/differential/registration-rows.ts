import { faultText } from '../kernel/field-fault.ts';
import type { Language } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type Column, formatCount } from '../platform/terminal.ts';
import { type Words, wordOf } from '../reconciliation/words.ts';
import { reasonText } from './claim-words.ts';
import type { Registration, RegistrationState } from './registration-list-store.ts';
import type { RegistrationResult } from './registration-workflow.ts';

const outcomeWords: Readonly<Record<RegistrationResult['outcome'], Words>> = {
  answered: { ko: '회신 완료', en: 'answered' },
  expired: { ko: '기한 경과', en: 'expired' },
  empty: { ko: '신청 없음', en: 'nothing to say' },
  not_needed: { ko: '등록 불필요', en: 'registers nobody' },
};

const actionWords: Readonly<Record<Registration['action'], Words>> = {
  N: { ko: '신규', en: 'new' },
  C: { ko: '변경', en: 'change' },
  T: { ko: '해지', en: 'terminate' },
};

const stateWords: Readonly<Record<RegistrationState, Words>> = {
  requested: { ko: '회신 대기', en: 'requested' },
  accepted: { ko: '등록', en: 'accepted' },
  rejected: { ko: '반려', en: 'rejected' },
  refused: { ko: '작성 불가', en: 'refused' },
};

const columnWords: Readonly<Record<string, Words>> = {
  acquirer: { ko: '카드사', en: 'card company' },
  merchantId: { ko: '가맹점 ID', en: 'merchant ID' },
  finalNo: { ko: '사업자번호', en: 'business number' },
  intermediaryNo: { ko: '중간하위사업자번호', en: 'intermediary number' },
  shopName: { ko: '상호', en: 'shop name' },
};

type Titled = readonly [title: Words, align?: 'right'];

function columnsOf(titles: readonly Titled[], language: Language): Column[] {
  return titles.map(([title, align]) => ({ title: title[language], ...(align === undefined ? {} : { align }) }));
}

const resultTitles: readonly Titled[] = [
  [{ ko: '원천사', en: 'provider' }],
  [{ ko: '신청일', en: 'day' }],
  [{ ko: '결과', en: 'outcome' }],
  [{ ko: '신규', en: 'new' }, 'right'],
  [{ ko: '변경', en: 'changed' }, 'right'],
  [{ ko: '해지', en: 'terminated' }, 'right'],
  [{ ko: '작성 불가', en: 'refused' }, 'right'],
  [{ ko: '등록', en: 'accepted' }, 'right'],
  [{ ko: '반려', en: 'rejected' }, 'right'],
  [{ ko: '불일치', en: 'set aside' }, 'right'],
  [{ ko: '늦은 결과', en: 'late' }, 'right'],
];

/** Columns of what providers' days of registrations came to. */
export function resultColumns(language: Language): Column[] {
  return columnsOf(resultTitles, language);
}

export function resultRow(result: RegistrationResult, language: Language): string[] {
  const { added, changed, terminated, refused, accepted, rejected, setAside, late } = result;
  const counts = [added, changed, terminated, refused, accepted, rejected, setAside, late].map(formatCount);
  return [result.provider, result.on, outcomeWords[result.outcome][language], ...counts];
}

export function resultToJson(result: RegistrationResult): Record<string, unknown> {
  const { runId, accepted, rejected, setAside, ...rest } = result;
  return { run: runId, ...rest, accepted: Number(accepted), rejected: Number(rejected), setAside: Number(setAside) };
}

const listTitles: readonly Titled[] = [
  [{ ko: '신청', en: 'requested' }],
  [{ ko: '원천사', en: 'provider' }],
  [{ ko: '구분', en: 'action' }],
  [{ ko: '가맹점', en: 'merchant' }],
  [{ ko: '카드사', en: 'card company' }],
  [{ ko: '사업자번호', en: 'business no' }],
  [{ ko: '중간하위', en: 'intermediary' }],
  [{ ko: '상호', en: 'shop name' }],
  [{ ko: '상태', en: 'state' }],
  [{ ko: '사유', en: 'reason' }],
];

/** Columns of a list of requests. */
export function registrationColumns(language: Language): Column[] {
  return columnsOf(listTitles, language);
}

export function registrationRow(registration: Registration, language: Language): string[] {
  const { requestedAt, provider, action, merchantId, acquirer, finalNo, intermediaryNo, shopName } = registration;
  return [
    formatSeoulTime(requestedAt.toISOString()).slice(0, 16),
    provider,
    actionWords[action][language],
    merchantId,
    acquirer,
    finalNo,
    intermediaryNo ?? '',
    shopName,
    stateWords[registration.state][language],
    whyText(registration, language),
  ];
}

const actions: Readonly<Record<Registration['action'], string>> = { N: 'new', C: 'change', T: 'terminate' };

export function registrationToJson(registration: Registration): Record<string, unknown> {
  const { registrationId, action, ...rest } = registration;
  return { registrationId: Number(registrationId), action: actions[action], ...rest };
}

/** Why a request came to nothing: the provider's code with its meaning, or what the file cannot hold. */
function whyText({ state, reason }: Registration, language: Language): string {
  if (reason === null) return '';
  if (state !== 'refused') return reasonText(reason, language);
  const [column = '', fault = '', character] = reason.split(' ');
  const what = `${wordOf(columnWords, column, language)}: ${faultText(fault, language)}`;
  return character === undefined ? what : `${what} (${character})`;
}
