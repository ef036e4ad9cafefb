import { Problem } from '../kernel/problem.ts';
import { drawBase, drawBelow, drawShare } from './draw.ts';

/**
 * What may go wrong with a transfer on its way, each once the money has moved unless it says otherwise.
 * drop_before: the connection is cut and nothing happens; late_arrival: it is cut, and the order arrives all the same,
 * seconds later; drop_after, no_answer, garbage, wrong_signature, other_message: the answer is lost in these ways;
 * duplicate: the network delivers the order twice, and the second one's answer is what is seen; processing: the bank
 * takes its time and says so.
 */
export const wireMoods = [
  'drop_before',
  'late_arrival',
  'drop_after',
  'no_answer',
  'garbage',
  'wrong_signature',
  'other_message',
  'duplicate',
  'processing',
] as const;
export type WireMood = (typeof wireMoods)[number];

/** When the bank calls back: before it answers, some time after, or twice. */
const callbackMoods = ['callback_early', 'callback_late', 'callback_twice'] as const;
export type CallbackMood = (typeof callbackMoods)[number];

/** reject: the bank refuses the transfer; inquiry_trouble: an inquiry's answer is lost. */
const moodNames = ['reject', 'inquiry_trouble', ...wireMoods, ...callbackMoods] as const;
export type MoodName = (typeof moodNames)[number];

export type Range = readonly [number, number];

/** How a bank behaves: the share of messages that each mood befalls, and how long things take. */
export type BankMoods = {
  readonly shares: Readonly<Partial<Record<MoodName, number>>>;
  readonly latencyMs: Range;
  readonly processingMs: Range;
  /** After which a late order arrives or a late callback is made. */
  readonly lateMs: Range;
};

export const calm: BankMoods = { shares: {}, latencyMs: [0, 5], processingMs: [50, 100], lateMs: [20, 60] };

/** A day at a real bank: up to four seconds an answer, and now and then every trouble there is. */
export const everyday: BankMoods = {
  shares: {
    reject: 0.02,
    inquiry_trouble: 0.05,
    drop_before: 0.01,
    late_arrival: 0.01,
    drop_after: 0.01,
    no_answer: 0.01,
    garbage: 0.01,
    wrong_signature: 0.005,
    other_message: 0.005,
    duplicate: 0.01,
    processing: 0.03,
    callback_early: 0.1,
    callback_late: 0.3,
    callback_twice: 0.1,
  },
  latencyMs: [200, 4_000],
  processingMs: [60_000, 240_000],
  lateMs: [5_000, 30_000],
};

/** Every other transfer meets trouble. */
export const stormy: BankMoods = {
  ...everyday,
  shares: {
    ...everyday.shares,
    reject: 0.1,
    inquiry_trouble: 0.3,
    ...Object.fromEntries(wireMoods.map((mood) => [mood, 0.06])),
  },
};

const presets = { calm, everyday, stormy };

/** Reads `everyday`, `calm,drop_after=0.2`, …: a preset first if any, then shares of single moods. Throws `usage`. */
export function parseMoods(text: string): BankMoods {
  const parts = text.split(',').map((part) => part.trim());
  const named = presets[parts[0] as keyof typeof presets];
  const shares: Partial<Record<MoodName, number>> = { ...(named ?? calm).shares };
  for (const part of named === undefined ? parts : parts.slice(1)) {
    const [name, share] = part.split('=');
    const value = /^(0(\.\d{1,9})?|1(\.0{1,9})?)$/.test(share ?? '') ? Number(share) : undefined;
    if (!moodNames.includes(name as MoodName) || value === undefined) {
      throw new Problem('usage', {
        reason: `--mood ${part}: ${Object.keys(presets).join(' | ')}, ${moodNames.join('=0.1, ')}=0.1`,
      });
    }
    shares[name as MoodName] = value;
  }
  return { ...(named ?? calm), shares };
}

/** The moods of one seed: the same message fares the same way with the same seed. */
export type MoodDice = {
  /** Whether the bank refuses this transfer. */
  rejects(key: string): boolean;
  /** At most one befalls a delivery; a later delivery of the same message fares by itself. */
  wire(key: string, delivery: number): WireMood | undefined;
  inquiryTrouble(key: string, ask: number): WireMood | undefined;
  callback(key: string): CallbackMood | undefined;
  /** Whole milliseconds within the range. */
  within(range: Range, key: string, salt: number): number;
};

const salts = { reject: 1, wire: 2, inquiry: 3, inquiryKind: 4, callback: 5 };
const inquiryTroubles = ['drop_after', 'garbage', 'wrong_signature', 'other_message'] as const;

export function moodDice(seed: string, { shares }: BankMoods): MoodDice {
  const share = (key: string, n: number, salt: number) => drawShare(drawBase(seed, 'bank', key), n, salt);
  const pick = <Name extends MoodName>(names: readonly Name[], at: number): Name | undefined => {
    let sum = 0;
    return names.find((name) => {
      sum += shares[name] ?? 0;
      return at < sum;
    });
  };
  return {
    rejects: (key) => share(key, 0, salts.reject) < (shares.reject ?? 0),
    wire: (key, delivery) => pick(wireMoods, share(key, delivery, salts.wire)),
    inquiryTrouble: (key, ask) =>
      share(key, ask, salts.inquiry) < (shares.inquiry_trouble ?? 0)
        ? inquiryTroubles[drawBelow(drawBase(seed, 'bank', key), ask, salts.inquiryKind, inquiryTroubles.length)]
        : undefined,
    callback: (key) => pick(callbackMoods, share(key, 0, salts.callback)),
    within: ([from, to], key, salt) => Math.round(from + (to - from) * share(key, salt, 9)),
  };
}
