/** 결제 수단. What a merchant's fee contracts are made for. */
export const methods = ['card_online', 'card_offline'] as const;
export type Method = (typeof methods)[number];
