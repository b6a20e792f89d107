import { DriverError } from '../driver.ts';
import { QmpError } from '../host/qmp.ts';
import { run } from '../host/run.ts';
import { until } from '../host/wait.ts';
import { errorText } from '../log.ts';
import type { GuestPaths } from './guest-paths.ts';
import { NAMES } from './guest-paths.ts';
import type { SavedGuest } from './guest-record.ts';
import type { LiveGuest } from './live-guest.ts';
import { nicName, slotName } from './qemu-arguments.ts';

/** The name of the snapshot in the guest's disk that holds its memory. */
const TAG = 'suspended';
/** Memory of many GiB on a slow disk. */
const JOB_WAIT_MS = 540_000;
const JOB_POLL_MS = 100;
const SLOTS_MAX = 64;
const DEVICES = '/machine/peripheral';

interface Job {
  id: string;
  status: string;
  error?: string;
}

/**
 * Saves a guest's memory, and the state of its devices, into its disk. It is halted meanwhile and stays so.
 * @returns what a process must be like to take it up again
 * @throws DriverError and the guest is as it was, but halted; also when the signal fires
 */
export async function saveGuest(live: LiveGuest, signal: AbortSignal): Promise<SavedGuest> {
  await live.hold();
  const saved = await describeMachine(live);
  await forget(live);
  await job(live, 'snapshot-save', { tag: TAG, vmstate: 'root', devices: ['root'] }, signal);
  return saved;
}

/** Has a fresh process, whose processors stand still, go on where the saved one was. @throws DriverError */
export async function loadGuest(live: LiveGuest): Promise<void> {
  await job(live, 'snapshot-load', { tag: TAG, vmstate: 'root', devices: ['root'] });
}

/** Gives back the room of saved memory that nobody will take up again. */
export async function forget(live: LiveGuest): Promise<void> {
  await job(live, 'snapshot-delete', { tag: TAG, devices: ['root'] }).catch(() => {});
}

/** As `forget`, of a guest that has no process. */
export async function forgetOnDisk(paths: GuestPaths): Promise<void> {
  await run('qemu-img', ['snapshot', '-q', '-d', TAG, NAMES.disk], { cwd: paths.folder }).catch(() => {});
}

async function job(
  live: LiveGuest,
  command: string,
  args: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const id = command;
  const concluded = async () =>
    (await live.execute<Job[]>('query-jobs')).find((one) => one.id === id && one.status === 'concluded');
  try {
    // One that an earlier process of the runner began.
    if (await concluded()) await live.execute('job-dismiss', { id });
    await live.execute(command, { 'job-id': id, ...args });
    const wait = { timeout_ms: JOB_WAIT_MS, every_ms: JOB_POLL_MS };
    let ended = await until(concluded, { ...wait, ...(signal ? { signal } : {}) });
    if (!ended) {
      await live.execute('job-cancel', { id });
      ended = await until(concluded, wait);
    }
    await live.execute('job-dismiss', { id });
    if (ended?.error) throw new DriverError(`${command} failed: ${ended.error}`);
  } catch (error) {
    if (error instanceof QmpError) throw new DriverError(errorText(error), { cause: error });
    throw error;
  }
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
