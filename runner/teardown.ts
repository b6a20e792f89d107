import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { guestPaths, guestsFolder } from './compute/guest-paths.ts';
import { findAllGuestProcesses } from './compute/guest-process.ts';
import { readRecord, writeRecord } from './compute/guest-record.ts';
import { Cgroups, findCgroups } from './host/cgroups.ts';
import { listFolder } from './host/files.ts';
import { ipBatch, listLinks } from './host/links.ts';
import { applyNft, listTables } from './host/nft.ts';
import { terminate } from './host/processes.ts';
import { run } from './host/run.ts';
import { SysctlKeeper } from './host/sysctl.ts';
import { cgroupFolder, dhcpFolder, inventoryFolder, sysctlFile } from './machine.ts';
import { removeRules } from './network/bridges.ts';
import { endDhcpDaemons } from './network/dhcp/dhcp-daemons.ts';
import { Names } from './network/names.ts';

/**
 * Takes down all that runners with this mark made in this network namespace: guests, daemons, links, rules, groups, and
 * kernel settings. Guests' disks and images stay in the state folder; a runner that starts again starts the guests.
 * The runner itself must have ended.
 */
export async function teardown({ stateDir, mark }: { stateDir: string; mark: string }): Promise<void> {
  const names = new Names(mark);
  await Promise.all((await findAllGuestProcesses(mark)).map((guest) => terminate(guest)));
  await endDhcpDaemons(dhcpFolder(names, stateDir));
  const links = (await listLinks()).filter((link) => names.owns(link));
  await ipBatch(links.map((link) => ['link', 'delete', link.name]));
  await removeRules(names);
  await removeTables(names);
  const cgroupMounts = join(names.runFolder(stateDir), 'cgroup');
  await new Cgroups(await findCgroups(cgroupMounts), await cgroupFolder(names)).removeAll();
  for (const mounted of await listFolder(cgroupMounts)) {
    await run('umount', [join(cgroupMounts, mounted)]).catch(() => {});
  }
  await new SysctlKeeper(sysctlFile(stateDir)).restore();
  await rm(names.runFolder(stateDir), { recursive: true, force: true });
  await rm(inventoryFolder(stateDir), { recursive: true, force: true });
  // Last, for it alone writes: a full disk keeps nothing else from being taken down.
  await forgetProcesses(stateDir);
}

/** So that a guest that was taken down is no crash to the next runner. */
async function forgetProcesses(stateDir: string): Promise<void> {
  for (const id of await listFolder(guestsFolder(stateDir))) {
    const { record: path } = guestPaths(stateDir, id);
    const record = await readRecord(path);
    if (record?.process) await writeRecord(path, { ...record, process: null });
  }
}

async function removeTables(names: Names): Promise<void> {
  const tables = await listTables();
  const ours = [...names.tables, `bridge ${names.shutTable}`].filter((table) => tables.includes(table));
  if (ours.length > 0) await applyNft(ours.map((table) => `delete table ${table}\n`).join(''));
}
