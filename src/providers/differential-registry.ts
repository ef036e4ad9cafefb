import { Problem } from '../kernel/problem.ts';
import { ksnet } from './differential/ksnet.ts';
import { nice } from './differential/nice.ts';
import { welcome } from './differential/welcome.ts';
import type { DifferentialProvider } from './differential.ts';

/** 차액정산 원천사. Everybody whom we claim from, in the order in which they are shown. */
export const differentialProviders: readonly DifferentialProvider[] = [ksnet, welcome, nice];

/** @throws Problem `not_found` */
export function differentialProviderOf(id: string): DifferentialProvider {
  const provider = differentialProviders.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Problem('not_found', { what: 'differential provider', id });
  return provider;
}

/**
 * The one that a person names on a command line.
 * @throws Problem `usage`
 */
export function differentialProviderNamed(id: string): DifferentialProvider {
  const provider = differentialProviders.find((candidate) => candidate.id === id);
  const known = differentialProviders.map((candidate) => candidate.id).join(', ');
  if (provider === undefined) throw new Problem('usage', { reason: `--provider ${id} (${known})` });
  return provider;
}

/** Whom captures of this provider of payments are claimed from; undefined where that is nobody. */
export function differentialOfChannel(channel: string): DifferentialProvider | undefined {
  return differentialProviders.find(({ channels }) => channels.includes(channel));
}
