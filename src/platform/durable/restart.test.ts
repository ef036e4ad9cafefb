import { describe, expect, test } from 'vitest';
import { firstStepToRepeat } from './restart.ts';
import type { RunError, RunStep } from './runs.ts';

const lost: RunError = { name: 'Problem', code: 'not_found', message: 'file not found' };
const other: RunError = { name: 'Error', message: 'something else' };

/** `ok`, `other!` (failed with another error), `lost!`, and `wait c` / `wait c!` for a child's end. */
function toStep(text: string, number: number): RunStep {
  const [word = '', child] = text.replace('!', '').split(' ');
  const failed = text.endsWith('!') ? (word === 'other' ? other : lost) : undefined;
  return {
    number,
    name: word === 'wait' ? 'DBOS.getResult' : word,
    childId: child,
    startedAt: undefined,
    completedAt: undefined,
    outputBytes: 0,
    error: failed,
  };
}

describe('the step that a restart begins with', () => {
  test.each([
    // steps                                  run's error  children again  first step
    ['ok, ok, lost!', lost, [], 2, 'the step whose error ended the run'],
    ['ok, other!, ok, lost!', lost, [], 3, 'not one whose error the workflow handled'],
    ['ok, wait a, wait b!, ok', other, ['b'], 2, 'the wait for the child that failed'],
    ['ok, wait a!, wait b!, ok', other, ['b'], 1, 'the first of them'],
    ['ok, wait a, ok', undefined, ['a'], 1, 'a wait that ended well, where its child runs again'],
    ['ok, other!, ok', lost, [], 1, 'the first that failed, where the error was wrapped'],
    ['ok, ok', lost, [], 2, 'what comes after the last step, where no step failed'],
    ['', lost, [], 0, 'the beginning, where there was no step'],
  ] as const)('%s', (steps, error, again, expected, why) => {
    const list = steps === '' ? [] : steps.split(', ').map(toStep);
    expect(firstStepToRepeat({ steps: list, error }, new Set(again)), why).toBe(expected);
  });
});
