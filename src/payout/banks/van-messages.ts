import { z } from 'zod';

/** Where the calls of the sample format go. */
export const vanPaths = { holder: '/v1/holder', transfers: '/v1/transfers', inquiries: '/v1/inquiries' } as const;

/** A page of a day's list holds at most so many. */
export const listPageRows = 1_000;

/** A bank's words end up on terminals and in tables. */
const words = (most: number) =>
  z
    .string()
    .max(most)
    .transform((text) => text.toWellFormed().replace(/\p{Cc}+/gu, ' '));
const messageNo = z.string().regex(/^[0-9A-Za-z-]{1,40}$/);
const day = z.iso.date();
const amountWon = z.int().positive().max(10_000_000_000_000).transform(BigInt);
const code = z.string().regex(/^[0-9A-Za-z_]{1,20}$/);
/** Nine digits or more, with hyphens or without: a bank may repeat the account number in its words. */
const masked = (text: string) => text.replace(/\d(?:-?\d){8,}/g, (all) => `****${all.replaceAll('-', '').slice(-4)}`);
const result = { code, text: words(200).transform(masked) };
const bankRef = z
  .string()
  .regex(/^[0-9A-Za-z-]{1,40}$/)
  .optional();

/** `holder` is there where an account was found. */
export const holderAnswer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('found'), ...result, holder: words(100) }),
  z.object({ state: z.literal('no_account'), ...result }),
]);

export const transferAnswer = z.object({
  messageNo,
  state: z.enum(['succeeded', 'rejected', 'processing', 'duplicate']),
  ...result,
  bankRef,
});

export const inquiryAnswer = z.object({
  messageNo,
  messageOn: day,
  state: z.enum(['succeeded', 'rejected', 'processing', 'not_found']),
  ...result,
  bankRef,
});

/** With status 503. */
export const closedAnswer = z.object({ state: z.literal('closed'), ...result });

/** `next`: the message number to ask the following page after; null at the end. */
export const listPage = z.object({
  on: day,
  transfers: z.array(z.object({ messageNo, amountWon, state: z.enum(['succeeded', 'rejected']) })).max(listPageRows),
  next: messageNo.nullable(),
});

export const callbackBody = z.object({
  messageNo,
  messageOn: day,
  amountWon,
  state: z.enum(['succeeded', 'rejected', 'processing']),
  ...result,
  bankRef,
});

export const holderRequest = z.object({ bankCode: z.string(), accountNo: z.string() });
export const transferRequest = z.object({
  messageNo,
  messageOn: day,
  bankCode: z.string().regex(/^\d{3}$/),
  accountNo: z.string().regex(/^[0-9-]{1,20}$/),
  holder: z.string().max(100),
  amountWon,
});
export const inquiryRequest = z.object({ messageNo, messageOn: day });
