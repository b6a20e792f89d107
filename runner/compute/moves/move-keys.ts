import { chmod, chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../host/files.ts';
import type { User } from '../../host/users.ts';
import { type GuestPaths, NAMES } from '../guest-paths.ts';
import type { LiveGuest } from '../live-guest.ts';

/** The credentials' name in a guest's process. */
export const CREDENTIALS = 'move-tls';
/** The name that goes with the key; QEMU's own for a client that says nothing. */
export const KEY_USER = 'qemu';
const FOLDER_MODE = 0o750;
const FILE_MODE = 0o440;

/** Gives a guest's process the key of a move, as one side of TLS. */
export async function giveKey(
  live: LiveGuest,
  of: { paths: GuestPaths; user: User; key: string; endpoint: 'server' | 'client' },
): Promise<void> {
  const { paths, user, key, endpoint } = of;
  await makeFolder(paths.moveKeys, FOLDER_MODE);
  await chown(paths.moveKeys, 0, user.gid);
  const file = join(paths.moveKeys, 'keys.psk');
  await rm(file, { force: true });
  await writeFile(file, `${KEY_USER}:${key}\n`, { mode: FILE_MODE });
  await chown(file, 0, user.gid);
  await chmod(file, FILE_MODE);
  await live.execute('object-del', { id: CREDENTIALS }).catch(() => {});
  await live.execute('object-add', { 'qom-type': 'tls-creds-psk', id: CREDENTIALS, dir: NAMES.moveKeys, endpoint });
}

/** Takes the key away from the machine's disk, and from the process where that lives on. */
export async function takeKey(live: LiveGuest | null, paths: GuestPaths): Promise<void> {
  await live?.execute('object-del', { id: CREDENTIALS }).catch(() => {});
  await rm(paths.moveKeys, { recursive: true, force: true });
}
