// What was agreed with merchants: which contract, what fee, when a capture is due. Written from docs/terms.md.
import {
  businessDaysAfter,
  dayOfMonth,
  isOpen,
  nextMonth,
  openDay,
  percent,
  plusDays,
  ratio,
  rounded,
  times,
  weekday,
} from './arithmetic.mjs';

const won = (text, none) => (text === '' ? none : BigInt(text));

export const methodOf = { ksnet: 'card_online', 'welcome-online': 'card_online', 'welcome-offline': 'card_offline' };

export function toContract(row) {
  return {
    ...row,
    rate: percent(row.rate),
    fixedWon: won(row.fixedWon, 0n),
    minFeeWon: won(row.minFeeWon),
    maxFeeWon: won(row.maxFeeWon),
    tiers: row.tiers.split(';').flatMap((tier) => {
      if (tier === '') return [];
      const [fromWon, rate] = tier.split(':');
      return [{ fromWon: BigInt(fromWon), rate: percent(rate) }];
    }),
  };
}

/** Of dated facts the one in force on a day: the latest that is valid from that day or before; of those the last written. */
export function inForce(facts, day) {
  let found;
  for (const fact of facts) {
    if (fact.validFrom <= day && (found === undefined || fact.validFrom >= found.validFrom)) found = fact;
  }
  return found;
}

/** A contract that says no more than a rate, and was never changed: a cancel is priced by itself. */
export function isPlain(contracts) {
  const [one, ...more] = contracts;
  if (more.length > 0) return false;
  if (one.cancelFee === 'kept') return true;
  return one.tiers.length === 0 && one.fixedWon === 0n && one.minFeeWon === undefined && one.maxFeeWon === undefined;
}

/** The rate of the highest tier that a volume reaches; below the lowest the contract's own. */
export function rateAt(contract, volumeWon) {
  let { rate } = contract;
  for (const tier of contract.tiers) if (volumeWon >= tier.fromWon) rate = tier.rate;
  return rate;
}

/** Fee, VAT and what decided them, of an amount's size. */
export function chargeOn(sizeWon, rate, contract) {
  let chargedWon = rounded(times(ratio(sizeWon), rate), contract.rounding) + contract.fixedWon;
  let rule = 'rate';
  if (contract.minFeeWon !== undefined && chargedWon < contract.minFeeWon) {
    [chargedWon, rule] = [contract.minFeeWon, 'minimum'];
  }
  if (contract.maxFeeWon !== undefined && chargedWon > contract.maxFeeWon) {
    [chargedWon, rule] = [contract.maxFeeWon, 'maximum'];
  }
  switch (contract.vat) {
    case 'none':
      return { feeWon: chargedWon, vatWon: 0n, rule };
    case 'added':
      return { feeWon: chargedWon, vatWon: rounded(ratio(chargedWon, 10n), contract.rounding), rule };
    default: {
      const feeWon = rounded(ratio(chargedWon * 10n, 11n), contract.rounding);
      return { feeWon, vatWon: chargedWon - feeWon, rule };
    }
  }
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** From when on a capture may be settled, as `YYYY-MM-DDTHH:MM`. `arrived`: the first slot that could have seen it. */
export function dueAt({ cycle, roll, dueTime }, capturedOn, arrived) {
  const minutes = /^M(\d+)$/.exec(cycle)?.[1];
  if (minutes !== undefined) return nextMultiple(arrived, Number(minutes));
  return `${dueOn(cycle, roll, capturedOn)}T${dueTime || '00:00'}`;
}

function nextMultiple(at, minutes) {
  const [day, time] = at.split('T');
  const [hour, minute] = time.split(':').map(Number);
  const due = Math.ceil((hour * 60 + minute) / minutes) * minutes;
  if (due >= 24 * 60) return `${plusDays(day, 1)}T00:00`;
  return `${day}T${String(Math.floor(due / 60)).padStart(2, '0')}:${String(due % 60).padStart(2, '0')}`;
}

function dueOn(cycle, roll, capturedOn) {
  const [kind, value] = cycle.split(/[:+]/);
  if (kind === 'D') return businessDaysAfter(capturedOn, Number(value));
  let nominal = capturedOn;
  for (;;) {
    nominal = kind === 'W' ? weekdayAfter(nominal, weekdays.indexOf(value)) : monthDayAfter(nominal, Number(value));
    const day = roll === 'none' || isOpen(nominal) ? nominal : openDay(nominal, roll === 'forward' ? 1 : -1);
    // Rolled back to the capture's day or before, it is gone for that capture.
    if (day > capturedOn) return day;
  }
}

function weekdayAfter(day, wanted) {
  let at = plusDays(day, 1);
  while (weekday(at) !== wanted) at = plusDays(at, 1);
  return at;
}

function monthDayAfter(day, number) {
  const here = dayOfMonth(day, number);
  return here > day ? here : dayOfMonth(nextMonth(day), number);
}
