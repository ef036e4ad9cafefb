import { Problem } from '../kernel/problem.ts';
import { ksnet } from './ksnet.ts';
import type { Provider } from './provider.ts';
import { welcomeOffline } from './welcome-offline.ts';
import { welcomeOnline } from './welcome-online.ts';

/** Every provider, in the order in which they are shown. */
export const providers: readonly Provider[] = [ksnet, welcomeOnline, welcomeOffline];

/** The provider that a person names on a command line; `usage` where there is none. */
export function providerNamed(id: string): Provider {
  const provider = providers.find((candidate) => candidate.id === id);
  const known = providers.map((candidate) => candidate.id).join(', ');
  if (provider === undefined) throw new Problem('usage', { reason: `--provider ${id} (${known})` });
  return provider;
}

/** The provider of that id; `not_found` where there is none. */
export function providerOf(id: string): Provider {
  const provider = providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Problem('not_found', { what: 'provider', id });
  return provider;
}
