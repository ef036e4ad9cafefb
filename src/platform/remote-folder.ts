import { posix } from 'node:path';
import { check } from '../kernel/check.ts';

/** A file that stands at a provider's. */
export type RemoteFile = { readonly bytes: number; readonly modifiedAtMs: number };

/** What is to be written: its size, and its bytes as often as they are asked for from the beginning. */
export type RemoteContent = { readonly bytes: number; readonly chunks: () => AsyncIterable<Uint8Array> };

/**
 * 파일 교환처. A provider's folder, by SFTP, by HTTPS (WebDAV) or on this machine. Paths are relative to its address:
 * `req/daff.dat`. Nothing is connected before it is used; both ways take constant memory. A request that failed in doubt
 * (`source_unreachable`) may have been done: whoever cares asks by `stat` first.
 * @throws Problem `source_unreachable`, `source_refused`, `host_key_mismatch`, `sftp_login_refused`,
 * `private_key_unreadable`, `certificate_mismatch`, `certificate_unreadable`, `token_refused`, `token_unreadable`
 */
export type RemoteFolder = {
  readonly kind: 'sftp' | 'https' | 'folder';
  /** For people; holds no secret. */
  readonly name: string;
  stat(path: string): Promise<RemoteFile | undefined>;
  /** Writes the whole content under `path`, replacing what is there: for temporary names only. */
  put(path: string, content: RemoteContent): Promise<void>;
  /**
   * Renames, never over another file.
   * @throws Problem `remote_file_exists`; `remote_rename_unknown` when neither name is there after a doubt
   */
  rename(from: string, to: string): Promise<void>;
  /**
   * The bytes of exactly that file, each once and in order, across lost connections. A chunk is valid until the next one
   * is asked for.
   * @throws Problem `file_changed_while_read`
   */
  read(path: string, file: RemoteFile): AsyncIterable<Buffer>;
  /** The plain files of a folder in the order of their names; a folder that is not there holds none. */
  list(folder: string): Promise<readonly NamedRemoteFile[]>;
  close(): Promise<void>;
};

export type NamedRemoteFile = RemoteFile & { readonly name: string };

/** The path of `path` on its server, never outside of the address's folder. */
export function belowFolder(folder: string, path: string): string {
  check(!path.split('/').includes('..') && !path.includes('\0'), `a path that leads elsewhere: ${path}`);
  return posix.join(folder, path);
}
