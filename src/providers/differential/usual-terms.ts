import type { Calendar, ResendRule } from '../differential.ts';

/**
 * Sent at 00:30 of the next day and asked about from 09:00, as public integrations do it. OURS, and safe to begin with:
 * asked every ten minutes, until 18:00 of the third business day; a trade is too old after 90 days, since the card
 * companies cancel what is not captured within three months; what comes late or corrected is looked for during two weeks.
 */
export const usualCalendar = {
  send: { days: 1, at: '00:30' },
  poll: { days: 0, at: '09:00', everySeconds: 600 },
  deadline: { businessDays: 3, at: '18:00' },
  tooOldDays: 90,
  lookBackDays: 14,
} as const satisfies Calendar;

/** Once for each reason, as public integrations do it. OURS: three tries in all. */
export const usualResend = { attempts: 3, sameReasonAgain: false } as const satisfies ResendRule;
