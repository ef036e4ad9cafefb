/** Weights of the check digit (국세청): the ninth digit also counts by the tens of its fivefold. */
const weights = [1, 3, 7, 1, 3, 7, 1, 3, 5] as const;

/** 사업자등록번호. Ten digits, the last of which is the check digit. */
export function isBusinessNo(text: string): boolean {
  if (!/^[0-9]{10}$/.test(text)) return false;
  const sum = weights.reduce((total, weight, i) => total + weight * Number(text[i]), 0);
  return (10 - ((sum + Math.floor((5 * Number(text[8])) / 10)) % 10)) % 10 === Number(text[9]);
}
