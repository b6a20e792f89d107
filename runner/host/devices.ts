import { chmod, chown, stat } from 'node:fs/promises';
import type { User } from './users.ts';

const EVERYONE = 0o006;
const GROUP = 0o060;

/**
 * Lets a user open a device for reading and writing. Most systems let everyone open /dev/net/tun and a group open
 * /dev/kvm; where only root may, the device is given to the user's own group, which has no other members.
 * @returns the group that a process of the user must have in addition, or null
 */
export async function letUserOpen(path: string, user: User): Promise<number | null> {
  const device = await stat(path);
  if ((device.mode & EVERYONE) === EVERYONE) return null;
  if (device.gid === user.gid && (device.mode & GROUP) === GROUP) return null;
  if (device.gid !== 0 && (device.mode & GROUP) === GROUP) return device.gid;
  await chown(path, device.uid, user.gid);
  await chmod(path, (device.mode & 0o777) | GROUP);
  return null;
}
