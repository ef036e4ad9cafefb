import type { ExchangeRow } from '../../../src/providers/layout/exchange-layout.ts';
import type { Golden } from './golden.ts';

type Registration = ExchangeRow<'registration'>;
/** New with two card companies, changed, ended. */
const requests = (tteokName: string, bestName: string, thirdName: string): readonly Registration[] => {
  const first = {
    action: 'N',
    merchantId: 'M-0001',
    finalNo: '1018112341',
    intermediaryNo: null,
    shopName: tteokName,
  } as const;
  return [
    { ...first, acquirer: '신한카드' },
    { ...first, acquirer: 'KB국민카드' },
    {
      action: 'C',
      acquirer: 'NH농협카드',
      merchantId: 'M-0002',
      finalNo: '1208100002',
      intermediaryNo: '2118700009',
      shopName: bestName,
    },
    {
      action: 'T',
      acquirer: '비씨카드',
      merchantId: 'M-0003',
      finalNo: '3148600015',
      intermediaryNo: null,
      shopName: thirdName,
    },
  ];
};
const registeredAs = (asked: readonly Registration[], codes: readonly string[]) =>
  asked.map(({ intermediaryNo, shopName, ...row }, at): ExchangeRow<'registrationAnswer'> => {
    const extras = { shopName, ...(intermediaryNo === null ? {} : { intermediaryNo }) };
    return { ...row, code: codes[at] as string, extras };
  });
const ofWelcome = requests('해운대떡집 뷁스퀘어점', '똠방점 "펲", 1', '');
const ofKsnet = requests('(주)해운대떡집, 7', '뷁스퀘어점 "최고집"', '똠방점|펲');

export const registrations: readonly Golden[] = [
  {
    provider: 'welcome',
    record: 'registration',
    file: 'reg_welcome_1234567891_20261120_req',
    lines: [2, 3, 4, 5],
    rows: ofWelcome,
  },
  {
    provider: 'welcome',
    record: 'registrationAnswer',
    file: 'reg_welcome_1234567891_20261120_res',
    lines: [2, 3, 4, 5],
    rows: registeredAs(ofWelcome, ['00', '09', '00', '99']),
  },
  {
    provider: 'ksnet',
    record: 'registration',
    file: 'reg_ksnet_1234567891_20261120_req.csv',
    lines: [1, 2, 3, 4],
    rows: ofKsnet,
  },
  {
    provider: 'ksnet',
    record: 'registrationAnswer',
    file: 'reg_ksnet_1234567891_20261120_res.csv',
    lines: [1, 2, 3, 4],
    rows: registeredAs(ofKsnet, ['00', 'XX', '00', '21']),
  },
];
