import type { ProblemText } from './problem.ts';

/** Part of the one catalogue of refusals: claims of overcharged fees, their files and answers. */
export const differentialProblems = {
  differential_not_configured: {
    status: 400,
    ko: '{provider} 차액정산 주소가 설정되지 않았습니다: {variable}',
    en: 'No address is set for the differential settlement of {provider}: {variable}',
  },
} as const satisfies Record<string, ProblemText>;
