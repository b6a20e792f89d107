import { chmodSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../shared/refusal.ts';

/** Where a runner of this machine keeps its state unless told otherwise. */
export const DEFAULT_STATE_DIR = '/var/lib/aerostat/runner';

/** What lies where in a runner's state folder. */
export function statePaths(stateDir: string) {
  return {
    stateDir,
    identity: join(stateDir, 'identity.json'),
    /** The key of a join that has not been answered yet, so that it can be asked again. */
    pending: join(stateDir, 'joining.json'),
    lock: join(stateDir, 'lock'),
    ledger: join(stateDir, 'ledger.db'),
    /** Samples that the edge does not keep yet. */
    spool: join(stateDir, 'meters.db'),
    status: join(stateDir, 'status.json'),
    /** Folders of the runners of one process, for `--count`. */
    many: join(stateDir, 'runners'),
  };
}

/** Makes the folder, for its owner only; returns its real path. @throws Refusal */
export function openStateFolder(dir: string): string {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
    return realpathSync(dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new Refusal(`The state folder ${dir} cannot be used (${code}). Run as root, or name another with --state.`);
  }
}
