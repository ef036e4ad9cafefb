import { addBusinessDays, isBusinessDay } from '../kernel/business-day.ts';

/** 경과 영업일. How many business days have begun since the break's own day, `today` included; 0 on the day itself. */
export function ageBusinessDays(
  on: Temporal.PlainDate,
  today: Temporal.PlainDate,
  holidays: ReadonlySet<string>,
): number {
  let age = 0;
  for (let day = on.add({ days: 1 }); Temporal.PlainDate.compare(day, today) <= 0; day = day.add({ days: 1 })) {
    if (isBusinessDay(day, holidays)) age += 1;
  }
  return age;
}

/** The day before which a break must stand to be older than `businessDays` business days today. */
export function olderThanCutOff(
  today: Temporal.PlainDate,
  businessDays: number,
  holidays: ReadonlySet<string>,
): Temporal.PlainDate {
  // Counted back from tomorrow, so that a Saturday counts like the Friday before it.
  return addBusinessDays(today.add({ days: 1 }), -(businessDays + 1), holidays);
}

/** `ageBusinessDays` for many breaks: each day is counted once. */
export function ageCounter(today: Temporal.PlainDate, holidays: ReadonlySet<string>): (on: string) => number {
  const ages = new Map<string, number>();
  return (on) => {
    const known = ages.get(on);
    if (known !== undefined) return known;
    const age = ageBusinessDays(Temporal.PlainDate.from(on), today, holidays);
    ages.set(on, age);
    return age;
  };
}
