/**
 * 실행 이름. What the id of a run says: `reconcile:2026-11-20:1`, `settle:2026-11-20T12:05+09:00`,
 * `differential:welcome:2026-11-20`. What stands before the day is the series that a run belongs to.
 */
export type RunName = {
  /** `differential:welcome`: runs of one series are compared with one another. */
  readonly series: string;
  /** The business day; undefined where the id names none. */
  readonly on: string | undefined;
  /** The series and its day: what a finding is about, whichever attempt failed. */
  readonly subject: string;
  /** The run that it is a part of; undefined where it is none. */
  readonly whole: string | undefined;
};

export function readRunName(id: string): RunName {
  const slash = id.indexOf('/');
  const whole = slash === -1 ? id : id.slice(0, slash);
  const found = /^(.*?):?(\d{4}-\d{2}-\d{2})/.exec(whole);
  const [, before = '', on] = found ?? [];
  const series = before === '' ? (whole.split(':')[0] as string) : before;
  return {
    series,
    on,
    subject: on === undefined ? series : `${series}:${on}`,
    whole: slash === -1 ? undefined : whole,
  };
}
