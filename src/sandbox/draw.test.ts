import { describe, expect, test } from 'vitest';
import { draw, drawBase, drawBelow, drawShare } from './draw.ts';
import { businessNoOf } from './merchant.ts';

describe('a draw', () => {
  test('is the same on every machine', () => {
    expect([drawBase('1', 'ksnet'), draw(1, 0, 0), draw(1, 1, 0), draw(1, 0, 1)]).toMatchInlineSnapshot(`
      [
        394360043,
        1330211782,
        1862594437,
        1579896239,
      ]
    `);
  });

  test('is spread evenly and does not follow its neighbours', () => {
    const counts = new Array<number>(64).fill(0);
    let sum = 0;
    let product = 0;
    for (let i = 0; i < 64_000; i += 1) {
      const at = drawBelow(7, i, 3, 64);
      counts[at] = (counts[at] ?? 0) + 1;
      sum += drawShare(7, i, 3);
      product += (drawShare(7, i, 3) - 0.5) * (drawShare(7, i + 1, 3) - 0.5);
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(160); // five standard deviations
    expect(sum / 64_000).toBeCloseTo(0.5, 2);
    expect(product / 64_000).toBeCloseTo(0, 2);
  });
});

// Published numbers: Samsung Electronics, Kakao, Naver.
test.each(['1248100998', '1208147521', '2208162517'])('%s has its own check digit', (businessNo) => {
  expect(businessNoOf(businessNo.slice(0, 9))).toBe(businessNo);
});
