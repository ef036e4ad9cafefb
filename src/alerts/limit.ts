/** What is watched, and in which unit; those by provider may have a limit of their own for one. */
export const limits = {
  breaks_count: { byProvider: true, ko: '하루 미종결 불일치 건수', en: 'unresolved breaks of a day' },
  breaks_won: { byProvider: true, ko: '하루 미종결 불일치 금액(원)', en: 'won of the unresolved breaks of a day' },
  breaks_age_days: { byProvider: true, ko: '미종결 불일치 경과일', en: 'days that a break is unresolved' },
  statement_late_minutes: {
    byProvider: true,
    ko: '대사 파일 도착 기한: 다음 날 08:00부터 분',
    en: 'minutes after 08:00 of the next day at which a file is missing',
  },
  payout_unknown_minutes: { byProvider: false, ko: '결과를 모르는 지급 (분)', en: 'minutes that a payout is unknown' },
  approval_waits_minutes: { byProvider: false, ko: '승인 대기 (분)', en: 'minutes that an approval waits' },
  delivery_waits_minutes: { byProvider: false, ko: '알림 발송 대기 (분)', en: 'minutes that an alert is not sent' },
} as const;
export type LimitName = keyof typeof limits;
export const limitNames = Object.keys(limits) as [LimitName, ...LimitName[]];

/** 감시 한도. `provider` empty: all that have none of their own. `value` null: not watched. */
export type Limit = {
  readonly name: LimitName;
  readonly provider: string;
  readonly value: bigint | null;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: Date;
};

/** What holds for a provider, or for all. */
export function limitOf(all: readonly Limit[], name: LimitName, provider = ''): bigint | null {
  const own = all.find((each) => each.name === name && each.provider === provider);
  return (own ?? all.find((each) => each.name === name && each.provider === ''))?.value ?? null;
}
