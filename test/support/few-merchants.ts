/** The last two cannot be settled: one has no contract, the other is not known. */
export const merchants = ['M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M7'] as const;
export const soundMerchants: ReadonlySet<string> = new Set(['M1', 'M2', 'M3', 'M4', 'M5']);
/** What is agreed with them, as files. */
export const merchantFiles = {
  merchants: `merchantId,name,businessNo\n${merchants
    .slice(0, 6)
    .map((id) => `${id},${id},3011010002\n`)
    .join('')}`,
  contracts: `merchantId,method,validFrom,validTo,rate,fixedWon,minFeeWon,maxFeeWon,rounding,vat,tierVolume,tiers,cancelFee
M1,card_online,2026-01-01,,2.47%,,,,floor,added,,,returned
M2,card_online,2026-01-01,,1.4%,100,200,20000,half_up,added,,,returned
M3,card_online,2026-01-01,,1.85%,,,,half_even,added,month_to_date,100000:1.5%;2000000:0.9%,returned
M4,card_online,2026-01-01,,1.55%,,,,half_up,included,,,returned
M5,card_online,2026-01-01,,0.8%,,,,floor,none,,,kept
`,
  terms: `merchantId,validFrom,cycle,roll,dueTime,payout,payoutTime,minPayoutWon
M1,2026-01-01,M5,forward,,on_request,,1
M2,2026-01-01,M5,forward,,direct,,1
M3,2026-01-01,M10,forward,,direct,,10000
M4,2026-01-01,D+1,forward,09:00,on_request,,1
M5,2026-01-01,M5,forward,,scheduled,12:20,1
M6,2026-01-01,M5,forward,,direct,,1
`,
  accounts: `merchantId,validFrom,bankCode,accountNo,holder\n${merchants
    .slice(0, 6)
    .map((id) => `${id},2026-01-01,004,100000${id.slice(1)},홀더${id}\n`)
    .join('')}`,
};
