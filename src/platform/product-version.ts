import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './config.ts';

/** The version that package.json says. */
export function productVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
