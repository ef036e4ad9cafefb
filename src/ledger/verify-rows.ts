import { formatWon } from '../kernel/money.ts';
import type { Language } from '../kernel/problem.ts';
import { formatCount, printable } from '../platform/terminal.ts';
import type { Deviation, DeviationKind, VerifiedCounts } from './verify-store.ts';

/** 원장 이탈의 종류 */
const deviationWords: Readonly<Record<DeviationKind, Readonly<Record<Language, string>>>> = {
  entry_unbalanced: { ko: '대차 불일치 전표', en: 'entry does not balance' },
  entry_without_lines: { ko: '분개 없는 전표', en: 'entry without lines' },
  lines_without_entry: { ko: '전표 없는 분개', en: 'lines without an entry on their day' },
  balance_differs: { ko: '잔액과 분개 합계 불일치', en: 'balance differs from its lines' },
  balance_without_lines: { ko: '분개 없는 잔액', en: 'balance without lines' },
  lines_without_balance: { ko: '잔액 없는 분개', en: 'lines without a balance' },
  account_unknown: { ko: '계정과목에 없는 계정', en: 'account outside the chart' },
  side_violated: { ko: '허용되지 않는 부호의 잔액', en: 'balance on the wrong side' },
  shard_misplaced: { ko: '잘못 나뉜 잔액', en: 'balance row out of place' },
  reversal_differs: { ko: '원전표와 다른 역분개', en: 'reversal differs from what it takes back' },
};

/** A deviation as a line of text. */
export function deviationText({ kind, subject, expectedWon, foundWon }: Deviation, language: Language): string {
  const won = (amount: bigint | null): string => (amount === null ? '—' : formatWon(amount));
  const amounts =
    language === 'ko'
      ? `계산 ${won(expectedWon)}, 기록 ${won(foundWon)}`
      : `computed ${won(expectedWon)}, kept ${won(foundWon)}`;
  return `${deviationWords[kind][language]}: ${printable(subject)} (${amounts})\n`;
}

/** What was verified, and how it came out. */
export function verifiedText({ entries, lines, accounts, deviations }: VerifiedCounts, language: Language): string {
  const [e, l, a, d] = [entries, lines, accounts, deviations].map(formatCount);
  if (language === 'ko') {
    return `전표 ${e}건, 분개 ${l}건, 계정 ${a}개 검증: ${deviations === 0 ? '이상 없음' : `이탈 ${d}건`}\n`;
  }
  return `${e} entries, ${l} lines, ${a} accounts verified: ${deviations === 0 ? 'clean' : `${d} deviations`}\n`;
}
