/** What is booked: transfers between one hot account and the wallets of many merchants. */
export type Transfer = {
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly amountWon: bigint;
};

export const hotAccount = 'receivable:ksnet';
export const postedOn = '2026-11-20';

export function walletNames(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `wallet:M${String(n).padStart(6, '0')}`);
}

/** `count` transfers whose events begin with `name`; the wallets take turns in a scattered order. */
export function transfers(name: string, count: number, wallets: readonly string[]): Transfer[] {
  return Array.from({ length: count }, (_, n) => ({
    event: `${name}:${n}`,
    from: hotAccount,
    to: wallets[(n * 7919) % wallets.length] as string,
    amountWon: BigInt(1000 + (n % 977)),
  }));
}
