import type { Language } from '../kernel/problem.ts';

const tierNames = [
  { ko: '영세', en: 'smallest' },
  { ko: '중소1', en: 'small 1' },
  { ko: '중소2', en: 'small 2' },
  { ko: '중소3', en: 'small 3' },
  { ko: '일반', en: 'not small' },
] as const;

/** 영중소 등급. `0 영세`, `4 not small`; a tier that nobody knows is its number alone. */
export function tierText(tier: number, language: Language): string {
  const name = tierNames[tier]?.[language];
  return name === undefined ? String(tier) : `${tier} ${name}`;
}

const cardTypeNames: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  C: { ko: '신용', en: 'credit' },
  K: { ko: '체크', en: 'check' },
};

/** 카드 구분, by the letter that tables hold: `C` credit, `K` check (체크). */
export function cardTypeText(code: string, language: Language): string {
  return cardTypeNames[code]?.[language] ?? code;
}
