/** 지급 계좌. What the number of an account is bound to when it is sealed: moved to another merchant, it does not open. */
export function accountOf(merchantId: string, bankCode: string): string {
  return `bank_account:${merchantId}:${bankCode}`;
}

/** What the name of its holder is bound to. */
export function holderOf(merchantId: string, bankCode: string): string {
  return `${accountOf(merchantId, bankCode)}:holder`;
}

/** 이름 가림. A name as it may be shown: `홍*동`, `김*`, `K*******u`. Masked once more it stays as it is. */
export function maskName(name: string): string {
  const letters = [...name.trim()];
  if (letters.length < 3) return `${letters[0] ?? ''}${letters.length === 2 ? '*' : ''}`;
  return `${letters[0]}${'*'.repeat(letters.length - 2)}${letters.at(-1)}`;
}
