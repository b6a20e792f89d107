import { renameSync, writeFileSync } from 'node:fs';
import type { LinkStatus } from '../link/link.ts';
import { errorText, type Log } from '../log.ts';
import { statePaths } from '../state/state-folder.ts';

/** Leaves word of the link for `status`; a disk that takes it not is no reason to stop. */
export function writeStatus(stateDir: string, status: LinkStatus, log: Log): void {
  const path = statePaths(stateDir).status;
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(status)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    log.warn('status-not-written', { error: errorText(error) });
  }
}
