import { Writable } from 'node:stream';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { ClientRequest } from '../platform/api-client.ts';
import { remoteCommands } from './commands.ts';

const answer = { content: { 'application/json': { schema: {} } } };
const document = {
  servers: [{ url: '/v1' }],
  paths: {
    '/me': { get: { operationId: 'showMe', responses: { 200: answer } } },
    '/findings/close': {
      post: {
        operationId: 'closeFindings',
        requestBody: {
          content: {
            'application/json': {
              schema: { type: 'object', properties: { ids: { type: 'array', items: { type: 'integer' } } } },
            },
          },
        },
        responses: { 200: answer },
      },
    },
  },
};

/** `findings close` as it is typed, and what a server on which kim has the key is asked. */
async function typed(...line: string[]): Promise<{ readonly asked: readonly string[]; readonly error: unknown }> {
  const asked: string[] = [];
  const client = {
    send: async ({ method, path }: ClientRequest) => {
      asked.push(`${method} ${path}`);
      return Response.json(path.endsWith('openapi.json') ? document : { who: 'kim@pg.example', closed: [1] });
    },
  };
  const program = new Command('jeongsan');
  program.command('findings').command('close').argument('<ids...>').option('--by <who>');
  remoteCommands(program, { client, language: 'en', output: new Writable({ write: (_, __, done) => done() }) });
  const error = await program.parseAsync(['findings', 'close', ...line], { from: 'user' }).then(
    () => undefined,
    (refused: unknown) => refused,
  );
  return { asked: asked.slice(1), error };
}

test('nobody acts through a server in the name of somebody whose key they do not have', async () => {
  const another = await typed('1', '--by', 'lee@pg.example');
  expect(another.error).toMatchObject({ code: 'by_another' });
  expect(another.asked).toEqual(['GET /v1/me']);
  expect(await typed('1', '--by', 'kim@pg.example')).toEqual({
    asked: ['GET /v1/me', 'POST /v1/findings/close'],
    error: undefined,
  });
  expect(await typed('1')).toEqual({ asked: ['POST /v1/findings/close'], error: undefined });
});
