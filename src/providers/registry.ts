import { Problem } from '../kernel/problem.ts';
import { ksnet } from './ksnet.ts';
import { nice } from './nice.ts';
import type { Provider } from './provider.ts';
import { welcomeOffline } from './welcome-offline.ts';
import { welcomeOnline } from './welcome-online.ts';

/** Every provider, in the order in which they are shown. */
export const providers: readonly Provider[] = [ksnet, welcomeOnline, welcomeOffline, nice];

/** 대사 대상. Those that send statements: the others have payments and captures, and nothing to compare them with. */
export const reconciledProviders: readonly Provider[] = providers.filter(
  ({ statements }) => Object.keys(statements).length > 0,
);

/** The provider that a person names on a command line, `among` those that it may be; `usage` where there is none. */
export function providerNamed(id: string, among: readonly Provider[] = providers): Provider {
  const provider = among.find((candidate) => candidate.id === id);
  const known = among.map((candidate) => candidate.id).join(', ');
  if (provider === undefined) throw new Problem('usage', { reason: `--provider ${id} (${known})` });
  return provider;
}

/** The provider of that id; `not_found` where there is none. */
export function providerOf(id: string): Provider {
  const provider = providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Problem('not_found', { what: 'provider', id });
  return provider;
}
