import path from 'node:path';
import { check } from '../kernel/check.ts';
import type { Patience } from './patience.ts';
import { SftpClient } from './sftp-client.ts';
import type { Source, SourceFile } from './source.ts';
import type { SftpAddress } from './source-address.ts';

/** A folder on an SFTP server as a source: see `SftpClient`. */
export class SftpSource implements Source {
  readonly kind = 'sftp';
  readonly name: string;
  private readonly folder: string;
  private readonly client: SftpClient;

  constructor(address: SftpAddress, impatience: Partial<Patience> = {}) {
    this.client = new SftpClient(address, impatience);
    this.name = this.client.name;
    this.folder = address.folder;
  }

  list(): Promise<SourceFile[]> {
    return this.client.list(this.folder);
  }

  stat(name: string): Promise<SourceFile | undefined> {
    return this.client.stat(this.pathOf(name));
  }

  read(file: SourceFile): AsyncIterable<Buffer> {
    return this.client.read(this.pathOf(file.name), file);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private pathOf(name: string): string {
    check(path.posix.basename(name) === name, `a file name with a folder: ${name}`);
    return path.posix.join(this.folder, name);
  }
}
