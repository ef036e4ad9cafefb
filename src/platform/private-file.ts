import { writeFileSync } from 'node:fs';

/** Writes a file that only its owner may read. */
export function writePrivately(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
