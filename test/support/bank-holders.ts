import { readFileSync } from 'node:fs';

/** Whose an account is, from a file of `bankCode,accountNo,holder`. */
export function holdersIn(file: string): (bankCode: string, accountNo: string) => string | undefined {
  const holders = new Map(
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, bankCode, accountNo, holder = ''] = /^(\d+),(\d+),(.*)$/.exec(line) ?? [];
        return [`${bankCode} ${accountNo}`, holder.replace(/^"(.*)"$/, '$1').replaceAll('""', '"')];
      }),
  );
  return (bankCode, accountNo) => holders.get(`${bankCode} ${accountNo}`);
}
