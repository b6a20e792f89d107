import { run } from '../host/run.ts';
import type { GuestPaths } from './guest-paths.ts';
import { NAMES } from './guest-paths.ts';
import type { SavedGuest } from './guest-record.ts';
import type { LiveGuest } from './live-guest.ts';
import { nicName, slotName } from './qemu-arguments.ts';
import { runJob } from './qemu-job.ts';

/** The name of the snapshot in the guest's disk that holds its memory. */
const TAG = 'suspended';
/** Memory of many GiB on a slow disk. */
const JOB_WAIT_MS = 540_000;
const SLOTS_MAX = 64;
const DEVICES = '/machine/peripheral';

/**
 * Saves a guest's memory, and the state of its devices, into its disk. It is halted meanwhile and stays so.
 * @returns what a process must be like to take it up again
 * @throws DriverError and the guest is as it was, but halted; also when the signal fires
 */
export async function saveGuest(live: LiveGuest, signal: AbortSignal): Promise<SavedGuest> {
  await live.hold();
  const saved = await describeMachine(live);
  await forget(live);
  const args = { tag: TAG, vmstate: 'root', devices: ['root'] };
  await runJob(live, 'snapshot-save', args, { timeout_ms: JOB_WAIT_MS, signal });
  return saved;
}

/** Has a fresh process, whose processors stand still, go on where the saved one was. @throws DriverError */
export async function loadGuest(live: LiveGuest): Promise<void> {
  const args = { tag: TAG, vmstate: 'root', devices: ['root'] };
  await runJob(live, 'snapshot-load', args, { timeout_ms: JOB_WAIT_MS });
}

/** Gives back the room of saved memory that nobody will take up again. */
export async function forget(live: LiveGuest): Promise<void> {
  await runJob(live, 'snapshot-delete', { tag: TAG, devices: ['root'] }, { timeout_ms: JOB_WAIT_MS }).catch(() => {});
}

/** As `forget`, of a guest that has no process. */
export async function forgetOnDisk(paths: GuestPaths): Promise<void> {
  await run('qemu-img', ['snapshot', '-q', '-d', TAG, NAMES.disk], { cwd: paths.folder }).catch(() => {});
}

/** Where each interface is plugged in, and what machine QEMU made: the saved state fits no other. */
async function describeMachine(live: LiveGuest): Promise<SavedGuest> {
  const names = (await live.execute<{ name: string }[]>('qom-list', { path: DEVICES })).map((child) => child.name);
  const property = <T>(path: string, name: string) => live.execute<T>('qom-get', { path, property: name });
  const nics = names.filter((name) => name.startsWith(nicName('')));
  return {
    machine: (await property<string>('/machine', 'type')).replace(/-machine$/, ''),
    slots: Array.from({ length: SLOTS_MAX }, (_, slot) => slotName(slot)).filter((slot) => names.includes(slot)).length,
    interfaces: await Promise.all(
      nics.map(async (name) => {
        const path = `${DEVICES}/${name}`;
        // A bus is a child of its port, under the same name.
        const slot = (await property<string>(path, 'parent_bus')).split('/').at(-1) ?? '';
        const [mac_address, mtu] = await Promise.all([
          property<string>(path, 'mac'),
          property<number>(path, 'host_mtu'),
        ]);
        return { port: name.slice(nicName('').length), slot, mac_address, mtu };
      }),
    ),
  };
}
