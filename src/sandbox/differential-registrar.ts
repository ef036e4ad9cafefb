import type { Differential, DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeHead } from '../providers/layout/exchange-layout.ts';
import { decodeExchange, encodeExchange } from '../providers/layout/exchange-typed.ts';

export type Registering = {
  readonly provider: DifferentialProvider;
  readonly registration: NonNullable<Differential['registration']>;
  readonly head: ExchangeHead;
  readonly fileName: string;
  readonly bytes: Buffer;
  /** How often each was asked for; counted up. */
  readonly tries: Map<string, number>;
  registers(merchantId: string, tries: number): boolean;
};

/** 등록 결과. What the card companies say to a file of registrations: each line, with 00 or 12. */
export function answerRegistrations({ provider, registration, head, fileName, bytes, ...rest }: Registering): Buffer {
  const { request, answers } = registration;
  const { rows } = decodeExchange(request.layout, { ...head, provider: provider.id, fileName }, bytes);
  return encodeExchange(
    answers.layout,
    head,
    rows.map(({ action, acquirer, merchantId, finalNo, intermediaryNo, shopName }) => {
      const key = `registration ${acquirer} ${merchantId}`;
      const before = rest.tries.get(key) ?? 0;
      rest.tries.set(key, before + 1);
      const code = rest.registers(merchantId, before) ? '00' : '12';
      return {
        action,
        acquirer,
        merchantId,
        finalNo,
        code,
        extras: { intermediaryNo: intermediaryNo ?? '', shopName },
      };
    }),
  );
}
