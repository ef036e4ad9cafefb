import { Problem } from '../kernel/problem.ts';
import { type Patience, pause } from './patience.ts';
import type { RemoteFile } from './remote-folder.ts';

/** What one request to rename came to; `doubt`: nobody knows whether it was done. */
export type RenameOutcome = 'done' | 'exists' | { readonly refused: string } | { readonly doubt: string };

/** A server on which files are renamed by one request that never replaces a file. */
export type RenamingServer = {
  readonly name: string;
  readonly patience: Patience;
  stat(path: string): Promise<RemoteFile | undefined>;
  renameOnce(from: string, to: string): Promise<RenameOutcome>;
};

/**
 * Renames without ever replacing a file, whatever the server does, and believes nothing that it cannot see. A request that was lost is not sent again before both
 * names were looked at: then what is there says whether it was done.
 * @throws Problem `remote_file_exists`, `remote_rename_unknown`, `source_refused`, `source_unreachable`
 */
export async function renameOver(server: RenamingServer, from: string, to: string): Promise<void> {
  const exists = () => new Problem('remote_file_exists', { remote: server.name, file: to });
  // Some servers replace a file however they are asked.
  if (await server.stat(to)) throw exists();
  let doubted = false;
  for (let failures = 1; ; failures += 1) {
    const outcome = await server.renameOnce(from, to);
    const [source, target] = [await server.stat(from), await server.stat(to)];
    if (outcome === 'done') {
      // Neither is there where it was taken away at once.
      if (target || !source) return;
      const reason = `it said that ${from} was renamed, and it still stands there`;
      throw new Problem('source_refused', { source: server.name, reason });
    }
    const inDoubt = doubted || (outcome !== 'exists' && 'doubt' in outcome);
    if (inDoubt && !source && target) return;
    if (target || outcome === 'exists') throw exists();
    if (!source && inDoubt) throw new Problem('remote_rename_unknown', { remote: server.name, from, to });
    if ('refused' in outcome) throw new Problem('source_refused', { source: server.name, reason: outcome.refused });
    if (failures >= server.patience.tries) {
      throw new Problem('source_unreachable', { source: server.name, reason: outcome.doubt });
    }
    doubted = true;
    await pause(server.patience, failures);
  }
}
