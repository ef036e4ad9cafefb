import { userInfo } from 'node:os';

/** The operating system's user, or their number where nobody named them. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
