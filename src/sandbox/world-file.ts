import { type FileHandle, open } from 'node:fs/promises';

/** Text is handed to the file in pieces of about this many characters. */
const pieceLength = 128 * 1024;

/** A text file written from beginning to end, in constant memory: `write` collects, `flush` hands on. */
export class WorldFile {
  #text = '';

  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(path: string): Promise<WorldFile> {
    return new WorldFile(await open(path, 'w'));
  }

  /** True when enough has been collected that it should be flushed. */
  write(text: string): boolean {
    this.#text += text;
    return this.#text.length >= pieceLength;
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    if (text !== '') await this.#handle.writeFile(text);
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#handle.close();
    }
  }
}

/** A CSV value, quoted where it has to be (RFC 4180). */
export function csvValue(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
