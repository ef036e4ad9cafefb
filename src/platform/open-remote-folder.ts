import { Problem } from '../kernel/problem.ts';
import type { RemoteAddress } from './remote-address.ts';
import type { RemoteFolder } from './remote-folder.ts';

/** Opens a provider's folder; nothing is connected before it is used. */
export function openRemoteFolder(address: RemoteAddress): RemoteFolder {
  throw new Problem('usage', { reason: `not written yet: ${address.kind}` });
}
