import type { Patience } from './patience.ts';
import {
  belowFolder,
  type NamedRemoteFile,
  type RemoteContent,
  type RemoteFile,
  type RemoteFolder,
} from './remote-folder.ts';
import { renameOver } from './remote-rename.ts';
import { SftpClient } from './sftp-client.ts';
import { sftpStatus } from './sftp-connection.ts';
import type { SftpAddress } from './source-address.ts';

/** A folder on an SFTP server: see `SftpClient`. */
export class SftpFolder implements RemoteFolder {
  readonly kind = 'sftp';
  readonly name: string;
  private readonly folder: string;
  private readonly client: SftpClient;

  constructor(address: SftpAddress, impatience: Partial<Patience> = {}) {
    this.client = new SftpClient(address, impatience);
    this.name = this.client.name;
    this.folder = address.folder;
  }

  stat(path: string): Promise<RemoteFile | undefined> {
    return this.client.stat(this.pathOf(path));
  }

  put(path: string, { bytes, chunks }: RemoteContent): Promise<void> {
    return this.client.write(this.pathOf(path), bytes, chunks);
  }

  rename(from: string, to: string): Promise<void> {
    return renameOver(this.client, this.pathOf(from), this.pathOf(to));
  }

  read(path: string, file: RemoteFile): AsyncIterable<Buffer> {
    return this.client.read(this.pathOf(path), { name: path, ...file });
  }

  async list(folder: string): Promise<readonly NamedRemoteFile[]> {
    try {
      return await this.client.list(this.pathOf(folder));
    } catch (error) {
      if (sftpStatus((error as Error).cause) === 'no_such_file') return [];
      throw error;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private pathOf(path: string): string {
    return belowFolder(this.folder, path);
  }
}
