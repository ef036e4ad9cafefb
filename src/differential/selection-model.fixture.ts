// What selection comes to, worked out again row by row in plain TypeScript: nothing of the product is in here.

export type Item = {
  readonly tid: string;
  /** 0: the sale. */
  readonly seq: number;
  readonly type: 'A' | 'C' | 'P';
  readonly wonSigned: bigint;
  readonly chargedWon: bigint;
  /** Days of the run, counted from its first. */
  readonly traded: number;
  readonly captured: number;
  readonly merchant: string;
  readonly bin: string;
};

export type ModelRules = {
  readonly dayOf: (day: number) => string;
  readonly fee: 'floor' | 'half_up' | 'half_even';
  readonly lastCancel: 'remainder' | 'rate';
  readonly lookBack: number;
};

type Claim = Item & {
  state: 'P' | 'H' | 'X';
  readonly tier: number;
  card: string | null;
  rate: bigint | null;
  preferential: bigint | null;
  difference: bigint | null;
  rule: string | null;
  reason: string | null;
};

type Batch = {
  readonly day: number;
  readonly inputs: ReadonlySet<number>;
  readonly traded: ReadonlySet<number>;
  isSelected: boolean;
};

const halfStarts: readonly (readonly [string, string])[] = [
  ['2021H2', '2021-07-31'],
  ['2022H1', '2022-01-31'],
  ['2022H2', '2022-07-31'],
  ['2023H1', '2023-01-31'],
  ['2023H2', '2023-07-31'],
  ['2024H1', '2024-01-31'],
  ['2024H2', '2024-08-14'],
  ['2025H1', '2025-02-14'],
  ['2025H2', '2025-08-14'],
  ['2026H1', '2026-02-14'],
];
/** Hundredths of a percent, credit and check, by tier. */
const rateTables: readonly (readonly [string, string])[] = [
  ['2019-01-31', '80/50 130/100 140/110 160/130'],
  ['2022-01-31', '50/25 110/85 125/100 150/125'],
  ['2025-02-14', '40/15 100/75 115/90 145/115'],
];

/** The half-year that a day is in. */
export function halfOf(day: string): string {
  return (halfStarts.findLast(([, from]) => from <= day) as readonly [string, string])[0];
}

function rateOf(day: string, tier: number, card: string): bigint {
  const [, table] = rateTables.findLast(([from]) => from <= day) as readonly [string, string];
  return BigInt(table.split(' ')[tier]?.split('/')[card === 'C' ? 0 : 1] as string) * 100n;
}

function rounded(x: bigint, d: bigint, how: ModelRules['fee']): bigint {
  const [down, rest] = [x / d, (x % d) * 2n];
  const isUp = how !== 'floor' && (rest > d || (rest === d && (how === 'half_up' || down % 2n === 1n)));
  return isUp ? down + 1n : down;
}

export class SelectionModel {
  readonly claims = new Map<string, Claim>();
  readonly tiers = new Map<string, number>();
  readonly everSmall = new Set<string>();
  readonly cards = new Map<string, string>();
  facts = 0;
  private readonly captures = new Map<string, Item>();
  private readonly captured: { item: Item; day: number }[] = [];
  private readonly paid = new Map<string, Item>();
  private readonly batches = new Map<number, Batch>();
  private readonly noted = new Map<number, { captures: number; facts: number }>();
  private waiting: { item: Item; day: number }[] = [];

  private readonly rules: ModelRules;

  constructor(rules: ModelRules) {
    this.rules = rules;
  }

  learnTier(merchant: string, half: string, tier: number): void {
    this.tiers.set(`${merchant} ${half}`, tier);
    if (tier < 4) this.everSmall.add(merchant);
    this.facts += 1;
  }

  pay(item: Item): void {
    this.paid.set(key(item), item);
  }

  capture(item: Item, day: number): void {
    this.captured.push({ item, day });
    this.captures.set(key(item), item);
  }

  /** A day before that was planned for is looked at again where more came in, or more became known. */
  plan(day: number): void {
    const inputs = new Set([day]);
    for (const [earlier, noted] of this.noted) {
      if (earlier >= day || earlier < day - this.rules.lookBack) continue;
      if (this.countOf(earlier) > noted.captures || this.facts > noted.facts) inputs.add(earlier);
    }
    const traded = new Set(
      [...this.captured.filter((c) => inputs.has(c.day)), ...this.waiting].map((c) => c.item.traded),
    );
    for (const input of inputs) {
      const before = this.noted.get(input) ?? { captures: 0, facts: 0 };
      this.noted.set(input, {
        captures: Math.max(before.captures, this.countOf(input)),
        facts: Math.max(before.facts, this.facts),
      });
    }
    this.batches.set(day, { day, inputs, traded, isSelected: false });
  }

  /** Selects of a batch the transactions that `isOfPart` says are of the part. */
  select(day: number, isOfPart: (tid: string) => boolean): void {
    const batch = this.batchOf(day);
    const isOurs = ({ item }: { item: Item }) => isOfPart(item.tid) && batch.traded.has(item.traded);
    const again = this.waiting.filter(isOurs);
    this.waiting = this.waiting.filter((c) => !isOurs(c));
    const looked = new Map<string, { item: Item; day: number }>();
    for (const c of [...this.captured.filter((c) => batch.inputs.has(c.day) && isOurs(c)), ...again]) {
      const known = looked.get(key(c.item));
      if (known === undefined) looked.set(key(c.item), c);
    }
    const open = [...looked.values()].filter(({ item }) => !this.claims.has(key(item)));
    for (const c of open) if (!this.paid.has(key(c.item))) this.waiting.push(c);
    const judged = open.filter(({ item }) => this.paid.has(key(item)));
    for (const { item } of judged) if (item.seq === 0) this.claimSale(item);
    const cancels = judged.filter(({ item }) => item.seq > 0);
    for (const tid of new Set(cancels.map(({ item }) => item.tid))) {
      const ofSale = cancels.filter(({ item }) => item.tid === tid);
      const sale = this.claims.get(`${tid}/0`);
      if (sale === undefined) {
        if (this.mayComeYet(batch, tid, ofSale[0]?.item as Item)) this.waiting.push(...ofSale);
      } else if (sale.reason !== 'not_overcharged') {
        for (const claim of this.takenBack(
          batch,
          sale,
          ofSale.map(({ item }) => item),
        )) {
          if (claim.difference !== 0n) this.claims.set(key(claim), claim);
        }
      }
    }
  }

  /** Held claims whose card became known go with the batch, and their cancels. */
  close(day: number): void {
    const batch = this.batchOf(day);
    const held = [...this.claims.values()].filter(({ state }) => state === 'H');
    for (const claim of held.filter(({ seq }) => seq === 0)) {
      const card = this.cards.get(claim.bin);
      if (card === undefined) continue;
      Object.assign(claim, this.priced(claim, claim.tier, card));
      const isNone = (claim.difference as bigint) <= 0n;
      Object.assign(claim, isNone ? { state: 'X', reason: 'not_overcharged' } : { state: 'P', reason: null });
    }
    for (const tid of new Set(held.filter(({ seq }) => seq > 0).map((claim) => claim.tid))) {
      const sale = this.claims.get(`${tid}/0`) as Claim;
      if (sale.difference === null) continue;
      for (const claim of this.takenBack(
        batch,
        sale,
        held.filter((c) => c.seq > 0 && c.tid === tid),
      )) {
        const isNone = claim.difference === 0n;
        this.claims.set(key(claim), isNone ? { ...claim, state: 'X', reason: 'not_overcharged' } : claim);
      }
    }
    batch.isSelected = true;
  }

  /** As `claims` of the books writes them. */
  lines(): string[] {
    const shown = [...this.claims.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    return shown.map((c) =>
      [
        ...[key(c), c.state, `${c.tier}${c.card ?? '?'}`, c.rate, c.preferential ?? '-', c.difference ?? '-'],
        ...[c.rule, c.reason],
      ]
        .filter((part) => part !== null)
        .join(' '),
    );
  }

  private batchOf(day: number): Batch {
    return this.batches.get(day) as Batch;
  }

  private countOf(day: number): number {
    return this.captured.filter((c) => c.day === day).length;
  }

  private tierOf(item: Item): number | undefined {
    const tier = this.tiers.get(`${item.merchant} ${halfOf(this.rules.dayOf(item.traded))}`);
    return tier === 4 ? undefined : tier;
  }

  private priced(item: Item, tier: number, card: string) {
    const rate = rateOf(this.rules.dayOf(item.traded), tier, card);
    const preferential = this.preferentialOf(item.wonSigned, rate);
    return { card, rate, preferential, difference: item.chargedWon - preferential, rule: 'R' };
  }

  private preferentialOf(won: bigint, rate: bigint): bigint {
    const fee = rounded((won < 0n ? -won : won) * rate, 1_000_000n, this.rules.fee);
    const all = fee + rounded(fee, 10n, this.rules.fee);
    return won < 0n ? -all : all;
  }

  private claimSale(item: Item): void {
    const tier = this.tierOf(item);
    if (tier === undefined) return;
    const card = this.cards.get(item.bin);
    if (card === undefined) {
      const none = { card: null, rate: null, preferential: null, difference: null, rule: null };
      this.claims.set(key(item), { ...item, ...none, tier, state: 'H', reason: 'card_type_unknown' });
      return;
    }
    const price = this.priced(item, tier, card);
    if (price.difference > 0n) this.claims.set(key(item), { ...item, ...price, tier, state: 'P', reason: null });
  }

  /** Whether a sale that has no claim may be claimed by a batch that comes. */
  private mayComeYet(batch: Batch, tid: string, cancel: Item): boolean {
    const sale = this.paid.get(`${tid}/0`);
    if (sale === undefined) return this.everSmall.has(cancel.merchant);
    const tier = this.tierOf(sale);
    if (tier === undefined) return false;
    const days = this.captured.filter((c) => key(c.item) === `${tid}/0` && c.day <= batch.day).map((c) => c.day);
    if (days.length === 0) return true;
    const first = Math.min(...days);
    if (![...this.batches.values()].some((b) => (b.isSelected || b === batch) && b.inputs.has(first))) return true;
    const card = this.cards.get(sale.bin);
    if (card !== undefined && this.priced(sale, tier, card).difference <= 0n) return false;
    return first >= batch.day - this.rules.lookBack;
  }

  private takenBack(batch: Batch, sale: Claim, cancels: readonly Item[]): Claim[] {
    const among = new Set(cancels.map(key));
    const others = [...this.captures.values()].filter((c) => c.tid === sale.tid && c.seq > 0 && !among.has(key(c)));
    const known = others.filter((c) => this.captured.some((d) => d.item === c && d.day <= batch.day));
    let left = sale.wonSigned + known.reduce((sum, c) => sum + c.wonSigned, 0n);
    let owed =
      (sale.difference ?? 0n) + others.reduce((sum, c) => sum + (this.claims.get(key(c))?.difference ?? 0n), 0n);
    if (owed < 0n) owed = 0n;
    return [...cancels]
      .sort((a, b) => a.traded - b.traded || a.seq - b.seq)
      .map((cancel) => {
        const { tier, card, rate, state, difference } = sale;
        const asSale = state === 'H' ? { state, reason: 'original_held' } : { state: 'P' as const, reason: null };
        const base = { ...cancel, ...asSale, tier, card, rate };
        if (difference === null || rate === null) return { ...base, preferential: null, difference: null, rule: null };
        const preferential = this.preferentialOf(cancel.wonSigned, rate);
        const byRate = cancel.chargedWon - preferential;
        const wasNothingLeft = left <= 0n;
        left += cancel.wonSigned;
        let taken = byRate < 0n ? -byRate : 0n;
        if (taken > owed || (left <= 0n && this.rules.lastCancel === 'remainder')) taken = owed;
        if (wasNothingLeft) taken = 0n;
        owed -= taken;
        return { ...base, preferential, difference: -taken, rule: -taken === byRate ? 'R' : 'M' };
      });
  }
}

function key({ tid, seq }: Item): string {
  return `${tid}/${seq}`;
}
