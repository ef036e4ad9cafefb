import type { Command } from 'commander';
import { isProblem, type Language, Problem, type ProblemDetails, problems, problemText } from '../kernel/problem.ts';
import { displayWidth } from '../platform/terminal.ts';

/** 도움말의 말. What the parser of the command line says of itself, which it says in English alone. */
const titles: Readonly<Record<string, string>> = {
  'Usage:': '사용법:',
  'Arguments:': '인자:',
  'Options:': '옵션:',
  'Commands:': '명령:',
};

/** How it refuses what was typed; what was typed stands in it as it was. */
const refusals: readonly (readonly [RegExp, string])[] = [
  [/^\(outputHelp\)$/, '명령이 빠졌습니다'],
  [/^unknown option '(.*)'$/s, "알 수 없는 옵션입니다: '$1'"],
  [/^unknown command '(.*)'$/s, "알 수 없는 명령입니다: '$1'"],
  [/^missing required argument '(.*)'$/s, "인자가 빠졌습니다: '$1'"],
  [/^required option '(.*)' not specified$/s, "옵션이 필요합니다: '$1'"],
  [/^option '(.*)' argument missing$/s, "옵션에 값이 빠졌습니다: '$1'"],
  [/^option '(.*?)' argument '(.*)' is invalid\. ?(.*)$/s, "옵션 '$1'의 값이 올바르지 않습니다: '$2' ($3)"],
  [
    /^command-argument value '(.*)' is invalid for argument '(.*?)'\. ?(.*)$/s,
    "인자 '$2'이(가) 올바르지 않습니다: '$1' ($3)",
  ],
  [
    /^too many arguments(?: for '(.*)')?\. Expected (\d+) arguments? but got (\d+)\.$/s,
    '인자가 너무 많습니다: $2개여야 하는데 $3개입니다',
  ],
  [/^option (.*) cannot be used with option (.*)$/s, '$1과(와) $2을(를) 함께 쓸 수 없습니다'],
];

const suggestion = /\n\(Did you mean (?:one of )?(.*)\?\)$/s;
const bothEnds = { most: 1000, first: 600, last: 200 } as const;

/** Has the program, and all commands that it is given from now on, speak the language of who types. */
export function speakIn(program: Command, language: Language): Command {
  program.configureOutput({ outputError: (text, write) => write(`${refusalText(text, language)}\n`) });
  if (language === 'en') return program.configureHelp({ displayWidth });
  return program
    .helpOption('-h, --help', '도움말')
    .helpCommand('help [command]', '도움말')
    .configureHelp({
      displayWidth,
      styleTitle: (title) => titles[title] ?? title,
      styleOptionDescription: (text) => text.replace('(choices: ', '(가능한 값: ').replace('default: ', '기본값: '),
    });
}

/** `error: unknown option '--x'`, in the language of who typed it. */
export function refusalText(said: string, language: Language): string {
  const text = said.trimEnd().replace(/^error: /, '');
  const meant = suggestion.exec(text)?.[1];
  const reason = text.replace(suggestion, '').replace(/Allowed choices are (.*)\.$/s, '$1');
  if (language === 'en') return shown(said.trimEnd().replace('(outputHelp)', 'a command is missing'));
  const known = refusals.find(([pattern]) => pattern.test(reason));
  const korean = known === undefined ? reason : reason.replace(...known).replace(' ()', '');
  return shown(`오류: ${korean}${meant === undefined ? '' : `\n(혹시 ${meant}?)`}`);
}

/** A text for people that holds what somebody typed: nothing in it steers their terminal, and no line floods it. */
export function shown(text: string): string {
  const { most, first, last } = bothEnds;
  return text
    .split('\n')
    .map((line) => line.replace(/\p{Cc}/gu, '·'))
    .map((line) => (line.length <= most ? line : `${line.slice(0, first)} … ${line.slice(-last)}`))
    .join('\n');
}

/**
 * Why a command failed, as the one document that `--json` promises: a refusal by its code, its text and its data, as the
 * API says it; a bug as `internal`.
 */
export function failureJson(error: unknown, language: Language): string {
  const { code, details, detail } = failureOf(error, language);
  const { status } = problems[code];
  const exact = (_: string, value: unknown) =>
    typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  return `${JSON.stringify({ code, status, detail, details }, exact, 2)}\n`;
}

function failureOf(
  error: unknown,
  language: Language,
): { readonly code: Problem['code']; readonly details: ProblemDetails; readonly detail: string } {
  if (isProblem(error)) return { ...of(error), detail: problemText(error.code, error.details, language) };
  if (!(error instanceof Error)) return { code: 'internal', details: {}, detail: String(error) };
  if (!('exitCode' in error)) return { code: 'internal', details: {}, detail: error.message };
  // The parser's own refusal: what was typed is wrong.
  const reason = refusalText(error.message, language).replace(/^(error|오류): /, '');
  return failureOf(new Problem('usage', { reason }), language);
}

function of({ code, details }: Problem): Pick<Problem, 'code' | 'details'> {
  return { code, details };
}
