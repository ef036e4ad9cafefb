import type { SourceAddress } from './source-address.ts';

/** A file as its source lists it. Two sights of a file are the same file if all three agree. */
export type SourceFile = { readonly name: string; readonly bytes: number; readonly modifiedAtMs: number };

/** 수집처. A place where a provider puts files: a folder here or on an SFTP server. Files are only ever read. */
export type Source = {
  readonly kind: SourceAddress['kind'];
  /** For people; holds no secret. */
  readonly name: string;
  /** The plain files of the folder, in the order of their names. */
  list(): Promise<SourceFile[]>;
  /** The file as it is now, or undefined where there is none (any more). */
  stat(name: string): Promise<SourceFile | undefined>;
  /**
   * The bytes of exactly the file that was listed, each once and in order, across lost connections.
   * A chunk is valid until the next one is asked for.
   * @throws Problem `file_changed_while_read` when it was replaced, grew or shrank meanwhile
   */
  read(file: SourceFile): AsyncIterable<Buffer>;
  close(): Promise<void>;
};

export function isSameFile(one: SourceFile, other: SourceFile | undefined): boolean {
  return other !== undefined && one.bytes === other.bytes && one.modifiedAtMs === other.modifiedAtMs;
}
