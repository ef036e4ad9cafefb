import type { Patience } from './patience.ts';
import type { RemoteAddress } from './remote-address.ts';
import type { RemoteFolder } from './remote-folder.ts';
import { HttpsFolder } from './remote-folder-https.ts';
import { LocalFolder } from './remote-folder-local.ts';
import { SftpFolder } from './remote-folder-sftp.ts';

/** Opens a provider's folder; nothing is connected before it is used. */
export function openRemoteFolder(address: RemoteAddress, impatience: Partial<Patience> = {}): RemoteFolder {
  if (address.kind === 'folder') return new LocalFolder(address);
  return address.kind === 'https' ? new HttpsFolder(address, impatience) : new SftpFolder(address, impatience);
}
