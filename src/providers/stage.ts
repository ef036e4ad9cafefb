/** 대사 단계. The three kinds of statement a provider may send, in the order in which they are reconciled. */
export const stages = ['transaction', 'capture', 'settlement'] as const;
export type Stage = (typeof stages)[number];

/** How a record is marked in every hot table: an approval, a full cancel, a partial cancel. */
export const kinds = { approval: 'A', cancel: 'C', partialCancel: 'P' } as const;

/** What a column of a statement holds, and so how it travels to PostgreSQL. */
export type ColumnType = 'text' | 'char' | 'smallint' | 'won' | 'day' | 'time';

/**
 * The columns every statement of a stage must yield, in the order of its hot table, without those that the load adds
 * (`load_id`, `line_no`) and those that the leaf knows (`provider`, `statement_on`).
 */
export const stageColumns = {
  transaction: {
    kind: 'char',
    cancelSeq: 'smallint',
    instalments: 'smallint',
    tradedOn: 'day',
    amountWon: 'won',
    tradedTime: 'time',
    providerTid: 'text',
    mid: 'text',
    approvalNo: 'text',
    orderNo: 'text',
    acquirer: 'text',
    cardMerchantNo: 'text',
    cardNo: 'text',
  },
  capture: {
    kind: 'char',
    result: 'char',
    cancelSeq: 'smallint',
    tradedOn: 'day',
    capturedOn: 'day',
    amountWon: 'won',
    providerTid: 'text',
    mid: 'text',
    resultCode: 'text',
    approvalNo: 'text',
    orderNo: 'text',
    acquirer: 'text',
    cardMerchantNo: 'text',
  },
  settlement: {
    kind: 'char',
    cancelSeq: 'smallint',
    tradedOn: 'day',
    capturedOn: 'day',
    payInOn: 'day',
    amountWon: 'won',
    feeWon: 'won',
    vatWon: 'won',
    netWon: 'won',
    providerTid: 'text',
    mid: 'text',
    approvalNo: 'text',
    orderNo: 'text',
    acquirer: 'text',
    cardMerchantNo: 'text',
  },
} as const satisfies Record<Stage, Record<string, ColumnType>>;
