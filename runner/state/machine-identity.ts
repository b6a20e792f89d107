import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomIds } from '../../shared/ids.ts';
import { writeAtomically } from './write-atomically.ts';

const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/** Files outside of any state folder, so that a copy of the folder does not take them along. */
export interface MachineFiles {
  machineId: readonly string[];
  /** Made where none of the others is there. */
  generated: string;
}

export const MACHINE_FILES: MachineFiles = {
  machineId: MACHINE_ID_FILES,
  generated: process.getuid?.() === 0 ? '/var/lib/aerostat/machine-id' : join(homedir(), '.config/aerostat/machine-id'),
};

/**
 * What a key is bound to: this machine and this folder. A copy of the folder, here or elsewhere, has another id, so that
 * it cannot start the same guests a second time.
 */
export function machineIdentity(stateDir: string, files: MachineFiles = MACHINE_FILES): string {
  const text = `${machineId(files)}\n${realpathSync(stateDir)}`;
  return createHash('sha256').update(text).digest('hex');
}

function machineId(files: MachineFiles): string {
  for (const path of [...files.machineId, files.generated]) {
    const id = readOr(path);
    // systemd writes "uninitialized" into images that have not booted yet.
    if (id !== '' && id !== 'uninitialized') return id;
  }
  const id = randomIds.uuid();
  mkdirSync(dirname(files.generated), { recursive: true });
  writeAtomically(files.generated, `${id}\n`);
  return id;
}

/** Which boot of the machine this is. */
export function bootIdentity(): string {
  return readOr(BOOT_ID_FILE) || 'unknown';
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
