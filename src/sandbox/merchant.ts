import { acquirers } from './card.ts';
import { draw, drawBase, drawBelow } from './draw.ts';

/** A merchant of the sandbox with one provider. Fees are in millionths of the amount. */
export type Merchant = {
  readonly merchantId: string;
  readonly name: string;
  readonly businessNo: string;
  readonly mid: string;
  readonly creditFeePpm: number;
  readonly checkFeePpm: number;
  /** 가맹점번호, one with each acquirer. */
  readonly cardMerchantNos: readonly string[];
};

const regions = [
  '서울',
  '한빛',
  '남대문',
  '해운대',
  '전주',
  '제주',
  '강릉',
  '광안리',
  '성수',
  '을지로',
  '판교',
  '동성로',
];
const offlineTrades = [
  '분식',
  '약국',
  '정육점',
  '카페',
  '안경원',
  '세탁소',
  '서점',
  '떡집',
  '철물점',
  '미용실',
  '치킨',
];
const onlineTrades = ['마켓', '패션몰', '가전몰', '여행사', '티켓', '펫샵', '캠핑', '문구몰', '식자재', '뷰티'];
/** 뷁, 똠 and 펲 exist in CP949 but not in EUC-KR: the syllables that careless decoders lose. */
const owners = ['', ' 본점', ' 2호점', ' 똠방점', '(주)', ' 펲시티점', ' 뷁스퀘어점', ' "최고집"'];

/** The first nine digits of a business registration number with its check digit (사업자등록번호 검증번호). */
export function businessNoOf(nineDigits: string): string {
  const weights = [1, 3, 7, 1, 3, 7, 1, 3, 5];
  const digits = Array.from(nineDigits, Number);
  const sum = digits.reduce((total, digit, at) => total + digit * (weights[at] ?? 0), 0);
  const carried = Math.floor(((digits[8] ?? 0) * 5) / 10);
  return nineDigits + String((10 - ((sum + carried) % 10)) % 10);
}

/** The merchants of a provider: as many with each MID, distinct business numbers, the same for the same seed. */
export function makeMerchants(
  seed: string,
  provider: { readonly id: string; readonly no: number; readonly online: boolean; readonly differential: boolean },
  mids: readonly string[],
  count: number,
): readonly Merchant[] {
  const base = drawBase(seed, 'merchants', provider.id);
  const trades = provider.online ? onlineTrades : offlineTrades;
  // Nobody is in a world for differential settlement and in another one: both may be in one database.
  const kind = (n: number): number => (provider.differential ? 90 + (n % 9) : 10 + ((n * 7) % 80));
  return Array.from({ length: count }, (_, n) => {
    const region = regions[drawBelow(base, n, 0, regions.length)] ?? '';
    const trade = trades[drawBelow(base, n, 1, trades.length)] ?? '';
    const owner = owners[drawBelow(base, n, 2, owners.length)] ?? '';
    const creditFeePpm = [4_000, 10_000, 11_500, 14_500, 20_700, 23_000][drawBelow(base, n, 3, 6)] ?? 0;
    return {
      merchantId: `${provider.differential ? 'D' : 'M'}${provider.no}${String(n + 1).padStart(6, '0')}`,
      name: owner === '(주)' ? `(주)${region}${trade}, ${n + 1}` : `${region}${trade}${owner}`,
      businessNo: businessNoOf(`${101 + provider.no * 200 + (n % 97)}${kind(n)}${1000 + Math.floor(n / 97)}`),
      mid: mids[n % mids.length] as string,
      creditFeePpm,
      checkFeePpm: creditFeePpm - 2_500,
      cardMerchantNos: acquirers.map((_, acquirer) =>
        String(700_000_000 + (draw(base, n, 10 + acquirer) % 99_999_999)),
      ),
    };
  });
}
