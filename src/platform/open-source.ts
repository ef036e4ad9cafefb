import { FolderSource } from './folder.ts';
import { SftpSource } from './sftp.ts';
import type { Source } from './source.ts';
import type { SourceAddress } from './source-address.ts';

/** Opens a source; nothing is connected before it is used. */
export function openSource(address: SourceAddress): Source {
  return address.kind === 'folder' ? new FolderSource(address) : new SftpSource(address);
}
