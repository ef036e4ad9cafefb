import { setTimeout as pause } from 'node:timers/promises';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { ApiClient } from '../platform/api-client.ts';
import { type ApiDocument, findOperation } from './operation.ts';
import { type Outcome, toRequest } from './request.ts';

type Asking = { readonly client: ApiClient; readonly document: ApiDocument; readonly base: string };

const lookEveryMs = 300;
/** A run that was begun is there within moments. */
const looksForIt = 20;
const under = ['waiting', 'running'];

/**
 * Waits for the run that `begun` names, and gives what it came to, with the run's id, as the same command does beside the
 * database.
 * @throws Problem `remote_operation_unknown`
 */
export async function outcomeOf(
  outcome: Outcome,
  begun: unknown,
  { client, document, base }: Asking,
): Promise<unknown> {
  const fields = begun as Readonly<Record<string, unknown>>;
  const run = String(fields[outcome.run]);
  const pathOf = (id: string, options: Readonly<Record<string, unknown>>): string => {
    const operation = findOperation(document, id);
    if (operation === undefined) throw new Problem('remote_operation_unknown', { operation: id });
    return `${base}${toRequest(operation, { operation: id }, { args: [], options }).path}`;
  };
  await untilOver(client, pathOf('showRun', { id: run }));
  const options = Object.fromEntries(Object.entries(outcome.by).map(([field, name]) => [name, fields[field]]));
  const answer = await client.send({ method: 'GET', path: pathOf(outcome.operation, options) });
  return { run, ...((await answer.json()) as Readonly<Record<string, unknown>>) };
}

async function untilOver(client: ApiClient, path: string): Promise<void> {
  for (let looks = 1; ; looks += 1) {
    try {
      const { state } = (await (await client.send({ method: 'GET', path })).json()) as { readonly state: string };
      if (!under.includes(state)) return;
    } catch (error) {
      if (!isProblem(error, 'not_found') || looks >= looksForIt) throw error;
    }
    await pause(lookEveryMs);
  }
}
