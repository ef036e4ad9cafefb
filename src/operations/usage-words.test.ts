import { Command, type CommanderError, Option } from 'commander';
import { expect, test } from 'vitest';
import { type Language, Problem } from '../kernel/problem.ts';
import { failureJson, shown, speakIn } from './usage-words.ts';

/** A program with what the real one has, and what it says of `words`. */
function say(words: readonly string[], language: Language): { readonly said: string; readonly error: CommanderError } {
  let said = '';
  const output = (text: string) => {
    said += text;
  };
  const program = speakIn(new Command('jeongsan'), language).exitOverride();
  program.configureOutput({ ...program.configureOutput(), writeOut: output, writeErr: output });
  program
    .command('add')
    .description('add / 등록')
    .argument('<day>', 'the day / 일자')
    .option('--name <name>', 'a name / 이름')
    .addOption(new Option('--format <format>', 'how / 형식').choices(['csv', 'ndjson']).default('csv'))
    .requiredOption('--reason <text>', 'why / 사유')
    .addOption(new Option('--on', 'on / 사용').conflicts('off'))
    .option('--off', 'off / 중지');
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    return { said: said.trimEnd(), error: error as CommanderError };
  }
  throw new Error('nothing was refused');
}

test.each([
  [
    ['add', 'x', '--reason', 'r', '--nane', 'y'],
    "error: unknown option '--nane'\n(Did you mean --name?)",
    "오류: 알 수 없는 옵션입니다: '--nane'\n(혹시 --name?)",
  ],
  [['adt'], "error: unknown command 'adt'\n(Did you mean add?)", "오류: 알 수 없는 명령입니다: 'adt'\n(혹시 add?)"],
  [['add', '--reason', 'r'], "error: missing required argument 'day'", "오류: 인자가 빠졌습니다: 'day'"],
  [
    ['add', 'x'],
    "error: required option '--reason <text>' not specified",
    "오류: 옵션이 필요합니다: '--reason <text>'",
  ],
  [
    ['add', 'x', '--reason'],
    "error: option '--reason <text>' argument missing",
    "오류: 옵션에 값이 빠졌습니다: '--reason <text>'",
  ],
  [
    ['add', 'x', '--reason', 'r', '--format', 'zip'],
    "error: option '--format <format>' argument 'zip' is invalid. Allowed choices are csv, ndjson.",
    "오류: 옵션 '--format <format>'의 값이 올바르지 않습니다: 'zip' (csv, ndjson)",
  ],
  [
    ['add', 'x', 'y', '--reason', 'r'],
    "error: too many arguments for 'add'. Expected 1 argument but got 2.",
    '오류: 인자가 너무 많습니다: 1개여야 하는데 2개입니다',
  ],
  [
    ['add', 'x', '--reason', 'r', '--on', '--off'],
    "error: option '--on' cannot be used with option '--off'",
    "오류: '--on'과(와) '--off'을(를) 함께 쓸 수 없습니다",
  ],
])('%s is refused in the language of who typed it', (words, en, ko) => {
  expect(say(words, 'en').said).toBe(en);
  expect(say(words, 'ko').said).toBe(ko);
});

test('help is in the language of who asks, down to its titles', () => {
  const { said } = say(['add', '--help'], 'ko');
  expect(said).toMatch(/^사용법: jeongsan add \[options\] <day>\n/);
  expect(said).toContain('\n인자:\n');
  expect(said).toContain('\n옵션:\n');
  expect(said).toContain('(가능한 값: "csv", "ndjson", 기본값: "csv")');
  expect(said).toMatch(/-h, --help +도움말/);
  expect(say(['add', '--help'], 'en').said).toMatch(/^Usage: .*display help for command$/s);
});

test('a failure is one document, by its code, its text and its data', () => {
  const problem = new Problem('not_found', { what: 'break', id: 7n });
  expect(JSON.parse(failureJson(problem, 'en'))).toEqual({
    code: 'not_found',
    status: 404,
    detail: 'break not found: 7',
    details: { what: 'break', id: 7 },
  });
  expect(JSON.parse(failureJson(say(['add', 'x', '--reason', 'r', '--nane', 'y'], 'ko').error, 'ko'))).toEqual({
    code: 'usage',
    status: 400,
    detail: "사용법이 올바르지 않습니다: 알 수 없는 옵션입니다: '--nane'\n(혹시 --name?)",
    details: { reason: "알 수 없는 옵션입니다: '--nane'\n(혹시 --name?)" },
  });
  expect(JSON.parse(failureJson(say([], 'en').error, 'en'))).toMatchObject({
    detail: 'Wrong usage: a command is missing',
  });
  const won = new Problem('adjustment_unbalanced', { differenceWon: 9_007_199_254_740_993n });
  expect(JSON.parse(failureJson(won, 'en'))).toMatchObject({ details: { differenceWon: '9007199254740993' } });
  expect(JSON.parse(failureJson(new TypeError('no'), 'ko'))).toEqual({
    code: 'internal',
    status: 500,
    detail: 'no',
    details: {},
  });
});

test('what somebody typed neither steers the terminal of who reads it nor floods it', () => {
  expect(shown('Wrong usage: \u001b[31mred\u0007\nnext')).toBe('Wrong usage: ·[31mred·\nnext');
  const long = shown(`Wrong usage: --on ${'가'.repeat(5000)} (YYYY-MM-DD)`);
  expect(long.length).toBeLessThan(1000);
  expect(long).toMatch(/^Wrong usage: --on 가+ … 가+ \(YYYY-MM-DD\)$/);
});
