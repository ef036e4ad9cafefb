import type { Command, Option } from 'commander';
import { Problem } from '../kernel/problem.ts';

/** Where nothing stands for something: any, or nobody. */
const emptyIsSaid: readonly string[] = ['alerts rules set', 'alerts channels set'];

/**
 * Refuses what says nothing: most often a variable of a script that was never set. An act by nobody, or a filter that finds
 * nothing, is what nobody meant. Throws Problem `usage`.
 */
export function refuseBlank(command: Command, path: string): void {
  const blank = (value: unknown) => [value].flat().some((each) => typeof each === 'string' && each.trim() === '');
  const argument = command.registeredArguments.find((_, n) => blank(command.processedArgs[n]));
  if (argument !== undefined) throw new Problem('usage', { reason: `<${argument.name()}>` });
  if (emptyIsSaid.includes(path)) return;
  const option = command.options.find((each) => blank(command.opts()[each.attributeName()]));
  if (option !== undefined) throw new Problem('usage', { reason: option.flags });
}

/** Refuses an option of one value that is given twice: which of the two is meant is not guessed. */
export function refuseTwice(program: Command): void {
  for (const command of program.commands) refuseTwice(command);
  for (const option of program.options.filter(isOfOneValue)) {
    let isGiven = false;
    program.on(`option:${option.name()}`, () => {
      if (isGiven) throw new Problem('usage', { reason: `${option.flags} ×2` });
      isGiven = true;
    });
  }
}

function isOfOneValue(option: Option): boolean {
  return !option.variadic && !option.isBoolean() && option.parseArg === undefined;
}
