import type { Pool } from 'pg';
import { z } from 'zod';
import { parseDay, seoul } from '../kernel/business-day.ts';
import type { Cipher } from '../platform/cipher.ts';
import { day, reason, rowId, term } from '../platform/http/fields.ts';
import { type Route, route } from '../platform/http/route.ts';
import { revealAccount } from './account-reveal-store.ts';

/** 개인정보 열람. `/merchants/{id}/account/reveal`: one account in full, for a reason. */
export function accountRoutes({
  pool,
  cipher,
  now,
}: {
  readonly pool: Pool;
  readonly cipher: Cipher;
  now(): Temporal.Instant;
}): Route[] {
  return [
    route({
      id: 'revealMerchantAccount',
      path: '/merchants/{id}/account/reveal',
      tag: 'merchants',
      summary: {
        ko: '계좌번호와 예금주 전체 열람 (감사 추적에 남음)',
        en: 'Number and holder of an account in full; it stands in the audit trail',
      },
      permission: 'reveal',
      problems: ['not_found', 'data_key_changed', 'sealed_damaged'],
      method: 'post',
      // Answers are kept for whoever asks again; this one is not.
      secret: true,
      params: z.object({ id: term() }),
      body: z.object({ reason: reason(), on: day().optional() }),
      answer: z.object({
        accountId: rowId(),
        merchantId: z.string(),
        validFrom: day(),
        bankCode: z.string(),
        accountNo: z.string(),
        holder: z.string(),
      }),
      subject: ({ params }) => `merchant:${params.id}`,
      handle({ actor, params, body }) {
        const on =
          (body.on === undefined ? undefined : parseDay(body.on)) ?? now().toZonedDateTimeISO(seoul).toPlainDate();
        return revealAccount({ pool, cipher }, { actor, merchantId: params.id, on, reason: body.reason });
      },
    }),
  ];
}
