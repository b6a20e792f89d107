import { ipBatch, listLocalRoutes } from '../host/links.ts';
import { isLinkLocal } from './addresses.ts';
import { METADATA_ADDRESS } from './names.ts';

/**
 * Takes the addresses of tenants' bridges out of the kernel's table of what is local to the machine, where it puts them
 * by itself, as often as a link comes up: a tenant's gateway may be any address of the world, of which the machine and
 * other tenants want the true one. The network's own table has them.
 */
export async function withdrawLocalRoutes(bridges: ReadonlySet<string>): Promise<void> {
  for (const family of [4, 6] as const) await withdraw(family, bridges, Number.POSITIVE_INFINITY);
}

/** @throws CommandError when it comes no further: another change may take away the same routes meanwhile */
async function withdraw(family: 4 | 6, bridges: ReadonlySet<string>, before: number): Promise<void> {
  const ours = (await listLocalRoutes(family)).filter(
    ({ prefix, dev }) => bridges.has(dev) && prefix !== METADATA_ADDRESS && !isShared(prefix),
  );
  const commands = ours.map(({ type, prefix, dev }) => ['route', 'del', type, prefix, 'dev', dev, 'table', 'local']);
  await ipBatch(commands, family).catch(async (error: unknown) => {
    if (ours.length >= before) throw error;
    await withdraw(family, bridges, ours.length);
  });
}

/** Told apart by their link anyway. */
const isShared = (prefix: string): boolean => prefix.includes('/') || isLinkLocal(prefix);
