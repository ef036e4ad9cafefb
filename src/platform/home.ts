import { mkdirSync } from 'node:fs';
import { Problem } from '../kernel/problem.ts';

/**
 * Makes the home where it is missing. Others may not look into it; when root runs us they may pass through it, since
 * the embedded server, which may not be root, lives inside. Throws `home_unusable`.
 */
export function ensureHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: process.geteuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    throw new Problem('home_unusable', { folder: home, reason: (error as Error).message }, { cause: error });
  }
}
