import { expect, it } from 'vitest';
import { isBusinessNo } from './business-no.ts';

// Numbers of real companies, which are public (Samsung Electronics, Kakao, Naver), worked out by hand.
it.each([
  ['1248100998', true, '1+6+28+8+3+0+0+27+45 and the 4 tens of 45 are 122: 8 more make 130'],
  ['1208147521', true, '1+6+0+8+3+28+7+15+10 and the 1 ten of 10 are 79: 1 more makes 80'],
  ['2208162517', true, '2+6+0+8+3+42+2+15+5 and no ten of 5 are 83: 7 more make 90'],
  ['1248100997', false, 'another check digit'],
  ['1248100988', false, 'two digits in each other’s place'],
  ['124-81-00998', false, 'hyphens'],
  ['124810099', false, 'nine digits'],
  ['１２４８１００９９８', false, 'full-width digits'],
  ['', false, 'nothing'],
])('%s: %s (%s)', (text, is) => {
  expect(isBusinessNo(text)).toBe(is);
});
