import { draw, drawBase, drawBelow } from './draw.ts';
import type { Merchant } from './merchant.ts';
import type { World, WorldProvider } from './world.ts';
import { csvValue } from './world-file.ts';

/** The columns of the files below, as docs/terms.md describes them. */
export const contractColumns =
  'merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee';
export const termsColumns = 'merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon';
export const accountColumns = 'merchantId,validFrom,bankCode,accountNo,holder';
/** What the bank itself knows of the accounts, where a few belong to somebody else or do not exist. */
export const bankAccountColumns = 'bankCode,accountNo,holder';

const validFrom = '2026-01-01';

/** 수수료 계약. All kinds of contract side by side; the last merchant of a provider has none, the one before a closed one. */
export function* contractLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    const method = provider.online ? 'card_online' : 'card_offline';
    const count = provider.merchants.length;
    for (const [n, merchant] of provider.merchants.entries()) {
      if (n === count - 1 && count > 2) continue;
      const line = (from: string, to: string, rest: string): string =>
        `${merchant.merchantId},${method},${from},${to},${rest}\n`;
      const rate = rateText(merchant.creditFeePpm + 4_000);
      if (n === count - 2 && count > 2) {
        yield line(validFrom, '2026-06-30', `${rate},,,,floor,added,,,returned`);
        continue;
      }
      yield line(validFrom, '', contractOf(n % 10, rate, merchant));
      // Dearer from the world's second day on: cancels of the first day's sales still get the old fee back.
      if (n % 10 === 6) {
        const later = world.spec.from.add({ days: 1 }).toString();
        yield line(later, '', `${rateText(merchant.creditFeePpm + 6_000)},,,,floor,added,,,returned`);
      }
    }
  }
}

function contractOf(kind: number, rate: string, { creditFeePpm }: Merchant): string {
  const tiers = `3000000:${rateText(creditFeePpm + 3_500)};10000000:${rateText(creditFeePpm + 2_500)}`;
  switch (kind) {
    case 1:
      return `${rate},,,,floor,added,previous_month,${tiers},returned`;
    case 2:
      return `${rate},,,,half_up,added,month_to_date,${tiers},returned`;
    case 3:
      return `${rate},100,200,50000,floor,added,,,returned`;
    case 4:
      return `${rate},,,,half_up,included,,,returned`;
    case 5:
      return `${rate},,,,half_even,added,,,returned`;
    case 7:
      return `${rate},,,,floor,added,,,kept`;
    case 8:
      return `${rate},,,,half_up,none,,,returned`;
    default:
      return `${rate},,,,floor,added,,,returned`;
  }
}

const cycles = ['M5', 'M5', 'M5', 'M5', 'M5', 'M10', 'M30', 'D+1', 'D+2', 'W:MON', 'MD:15', 'D+0'];
const rolls = ['forward', 'forward', 'backward', 'none'];

/** 정산 조건. Half of the merchants are settled every five minutes; the second of a provider has no terms at all. */
export function* termsLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    const base = drawBase(world.spec.seed, 'terms', provider.id);
    for (const [n, { merchantId }] of provider.merchants.entries()) {
      if (n === 1 && provider.merchants.length > 4) continue;
      const cycle = cycles[drawBelow(base, n, 0, cycles.length)] ?? 'M5';
      const roll = rolls[drawBelow(base, n, 1, rolls.length)] ?? 'forward';
      const payout =
        ['direct', 'direct', 'on_request', 'on_request', 'scheduled'][drawBelow(base, n, 2, 5)] ?? 'direct';
      const payoutTime = payout === 'scheduled' ? ['10:00', '14:00', '17:30'][drawBelow(base, n, 3, 3)] : '';
      const dueTime = cycle.startsWith('M') && !cycle.startsWith('MD') ? '' : '09:00';
      yield `${merchantId},${validFrom},${cycle},${roll},${dueTime},${payout},${payoutTime},${n % 7 === 0 ? 10_000 : 1}\n`;
    }
  }
}

const banks = ['004', '088', '020', '081', '003', '011', '090', '092', '071', '045'];

/** 지급 계좌. One for each merchant; the third of a provider has none. */
export function* accountLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    for (const [n, merchant] of provider.merchants.entries()) {
      if (n === 2 && provider.merchants.length > 4) continue;
      const { bankCode, accountNo } = accountOf(world.spec.seed, provider, n);
      yield `${merchant.merchantId},${validFrom},${bankCode},${accountNo},${csvValue(merchant.name)}\n`;
    }
  }
}

/** What the bank knows: of every 300 accounts one is somebody else's, and one is closed. */
export function* bankAccountLines(world: World): Generator<string> {
  for (const provider of world.providers) {
    for (const [n, merchant] of provider.merchants.entries()) {
      if (n % 300 === 150) continue;
      const { bankCode, accountNo } = accountOf(world.spec.seed, provider, n);
      yield `${bankCode},${accountNo},${n % 300 === 151 ? '홍길동' : csvValue(merchant.name)}\n`;
    }
  }
}

function accountOf(seed: string, provider: WorldProvider, n: number): { bankCode: string; accountNo: string } {
  const base = drawBase(seed, 'accounts', provider.id);
  const serial = String(draw(base, n, 1) % 900_000).padStart(6, '0');
  return {
    bankCode: banks[drawBelow(base, n, 0, banks.length)] ?? '004',
    accountNo: `${1 + provider.no}${String(n).padStart(6, '0')}${serial}`,
  };
}

/** Millionths as `1.15%`. */
function rateText(ppm: number): string {
  return `${String(Math.floor(ppm / 10_000))}.${
    String(ppm % 10_000)
      .padStart(4, '0')
      .replace(/0+$/, '') || '0'
  }%`;
}
