import { channelChanges, ruleChanges } from '../alerts/setting-options.ts';
import { seoul } from '../kernel/business-day.ts';
import { readDuration } from '../kernel/duration.ts';
import { Problem } from '../kernel/problem.ts';
import { momentOf, readTerms } from '../operations/schedule-options.ts';
import type { Together } from './request.ts';

const text = (value: unknown): string => String(value);

/** `--longer-than 90s` → `atLeastMs`. */
export const lengths: Together = {
  words: ['longerThan', 'shorterThan'],
  read: ({ longerThan, shorterThan }) => ({
    ...(longerThan === undefined ? {} : { atLeastMs: readDuration('--longer-than', text(longerThan)) }),
    ...(shorterThan === undefined ? {} : { atMostMs: readDuration('--shorter-than', text(shorterThan)) }),
  }),
};

/** `--state all`: resolved breaks too. */
export const breakState: Together = {
  words: ['state'],
  read: ({ state }) => (state === undefined ? {} : { state: state === 'all' ? 'open,investigating,resolved' : state }),
};

/** Whoever asks by amount wants the largest first. */
export const listedBreaks: Together = {
  words: ['state', 'minWon'],
  read: (given) => ({
    ...breakState.read(given),
    ...(given['minWon'] === undefined ? {} : { minWon: text(given['minWon']).replaceAll(',', ''), sort: '-amount' }),
  }),
};

/** Alerts that are not over, unless a state or all are asked for. */
export const alertState: Together = {
  words: ['state', 'all'],
  read: ({ state, all }) => (all === true ? {} : { state: state ?? 'open,acknowledged' }),
};

/** `--slack 5m` → `slackMs`. */
export const usualLengths: Together = {
  words: ['slack', 'stuckAfter'],
  read: ({ slack, stuckAfter }) => ({
    ...(slack === undefined ? {} : { slackMs: readDuration('--slack', text(slack)) }),
    ...(stuckAfter === undefined ? {} : { stuckMs: readDuration('--stuck-after', text(stuckAfter)) }),
  }),
};

/** `--until 2026-11-21T18:00` is meant in Seoul. */
export const until: Together = {
  words: ['until'],
  read: (given) =>
    given['until'] === undefined ? {} : { until: momentOf('--until', text(given['until'])).toString() },
};

/** A schedule's terms as the command line spells them. */
export const scheduleTerms: Together = {
  words: ['cron', 'zone', 'days', 'misfire', 'overlap', 'lateAfter', 'longAfter', 'parameters', 'enable', 'disable'],
  read: readTerms,
};

export const backfillParameters: Together = {
  words: ['parameters'],
  read: ({ parameters }) => (parameters === undefined ? {} : readTerms({ parameters: text(parameters) })),
};

const ruleWords =
  'position kinds subjects severities audience as channels groupBy gather update repeat escalate escalateTo';
export const alertRule: Together = {
  words: [...ruleWords.split(' '), 'calm', 'quiet', 'continues', 'on', 'off'],
  read: (given) => ruleChanges(given as Parameters<typeof ruleChanges>[0]),
};

export const alertChannel: Together = {
  words: ['kind', 'to', 'url', 'secret', 'language', 'also', 'on', 'off'],
  read: (given) => said(channelChanges(given as Parameters<typeof channelChanges>[0])),
};

/** What a channel is of never changes. */
export const changedChannel: Together = {
  words: alertChannel.words,
  read(given) {
    const { kind: _, ...rest } = channelChanges(given as Parameters<typeof channelChanges>[0]);
    return said(rest);
  },
};

/** `none`: not watched. */
export const limitValue: Together = {
  words: ['value'],
  read: ({ value }) => ({ value: value === 'none' ? null : text(value) }),
};

/** `ksnet T17/0` as `settlement unsettled` shows it. */
const captureWords = ['provider', 'capture', 'capturedOn'];
export const capture: Together = {
  words: captureWords,
  read(given) {
    const { provider, providerTid, cancelSeq } = captureOf(given);
    const { capturedOn } = given;
    return { provider, providerTid, cancelSeq, ...(capturedOn === undefined ? {} : { capturedOn }) };
  },
};
export const captureKey: Together = {
  words: captureWords,
  read(given) {
    const { provider, providerTid, cancelSeq } = captureOf(given);
    if (given['capturedOn'] === undefined) throw new Problem('usage', { reason: '--captured-on DAY' });
    return { capture: `${provider}:${text(given['capturedOn'])}:${providerTid}:${cancelSeq}` };
  },
};

function captureOf({ provider, capture: named }: Readonly<Record<string, unknown>>) {
  const [, providerTid, cancelSeq] = /^(.+)\/(\d{1,4})$/.exec(text(named)) ?? [];
  if (providerTid === undefined) throw new Problem('usage', { reason: `${text(named)} (TID/SEQ)` });
  return { provider: text(provider), providerTid, cancelSeq: text(cancelSeq) };
}

/** `--line wallet:M1=-1000`, several. */
export const ledgerLines: Together = {
  words: ['line'],
  read: ({ line }) => ({
    lines: [line].flat().map((each) => {
      const [, account, won] = /^(.+)=(-?[\d,]+)$/.exec(text(each)) ?? [];
      const digits = won?.replaceAll(',', '') ?? '';
      if (account === undefined || !/^-?\d{1,15}$/.test(digits)) {
        throw new Problem('usage', { reason: `--line ${text(each)} (ACCOUNT=WON)` });
      }
      return { account, amountWon: Number(digits) };
    }),
  }),
};

/** `operator,approver` */
export const roleNames: Together = {
  words: ['roles'],
  read: ({ roles }) => (roles === undefined ? {} : { roles: [roles].flat().flatMap((each) => text(each).split(',')) }),
};

const hoursOfDay = 24;
const mostDays = 3650;

/** `--days 90` from `now` on. */
export function keyEnd(now: () => Temporal.Instant): Together {
  return {
    words: ['days'],
    read({ days }) {
      if (days === undefined) return {};
      const count = /^[1-9]\d{0,3}$/.test(text(days)) ? Number(days) : mostDays + 1;
      if (count > mostDays) throw new Problem('usage', { reason: `--days ${text(days)} (1–${mostDays})` });
      return {
        expiresAt: now()
          .add({ hours: count * hoursOfDay })
          .toString(),
      };
    },
  };
}

const todayOf = (now: () => Temporal.Instant) => now().toZonedDateTimeISO(seoul).toPlainDate().toString();

/** `--slot 12:05` is meant today, in Seoul. */
export function slot(now: () => Temporal.Instant): Together {
  return { words: ['slot'], read: (given) => slotOf(given['slot'], now) };
}

/** Slots of today where neither days nor a slot are given; from the last day on where only that is. */
export function slotDays(now: () => Temporal.Instant): Together {
  return {
    words: ['from', 'to', 'slot'],
    read({ from, to = todayOf(now), slot: named }) {
      return named === undefined ? { from: from ?? to, to } : slotOf(named, now);
    },
  };
}

function slotOf(named: unknown, now: () => Temporal.Instant): Readonly<Record<string, unknown>> {
  if (named === undefined) return {};
  return {
    slot: /^\d{1,2}:\d{2}$/.test(text(named)) ? `${todayOf(now)}T${text(named).padStart(5, '0')}+09:00` : named,
  };
}

function said(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
