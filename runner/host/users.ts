import { run } from './run.ts';

export interface User {
  name: string;
  uid: number;
  gid: number;
}

async function find(name: string): Promise<User | null> {
  const found = await run('getent', ['passwd', name]).catch(() => null);
  const [, , uid, gid] = found?.stdout.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { name, uid: Number(uid), gid: Number(gid) };
}

/** A system user without a home or a shell; made when it is missing. */
export async function ensureSystemUser(name: string): Promise<User> {
  const there = await find(name);
  if (there) return there;
  const args = ['--system', '--no-create-home', '--user-group', '--shell', '/usr/sbin/nologin', name];
  try {
    await run('useradd', args);
  } catch (error) {
    // Another runner may have made it meanwhile.
    const made = await find(name);
    if (made) return made;
    throw error;
  }
  const made = await find(name);
  if (!made) throw new Error(`user ${name} was made but is not found: check nsswitch.conf`);
  return made;
}
