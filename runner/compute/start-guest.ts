import { randomBytes } from 'node:crypto';
import { chmod, chown, rm, writeFile } from 'node:fs/promises';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { DriverError } from '../driver.ts';
import { asUser } from '../host/as-user.ts';
import type { CgroupLimits } from '../host/cgroups.ts';
import { makeFolder, readTextIfThere } from '../host/files.ts';
import { spawnDaemon } from '../host/processes.ts';
import { describeGuest } from '../network/metadata/subject.ts';
import { writeConfigDrive } from './config-drive.ts';
import type { ComputeContext } from './context.ts';
import { ensureDisk, ensureRescueDisk } from './disks.ts';
import { type GuestPaths, guestPaths } from './guest-paths.ts';
import type { SavedGuest } from './guest-record.ts';
import { LiveGuest } from './live-guest.ts';
import { type Interface, qemuArguments, TCG_CACHE_MIB } from './qemu-arguments.ts';

const MONITOR_WAIT_MS = 30_000;
const MIB = 1024 * 1024;
/** What QEMU itself needs beside the guest's memory and, when emulating, the translated code. */
const QEMU_OVERHEAD_MIB = 256;
/** For QEMU's own threads, beside the guest's processors. */
const QEMU_CPU_MILLI = 500;
/** Its disk workers number up to 64. */
const QEMU_THREADS = 128;
const GUEST_FOLDER_MODE = 0o750;
const SOCKETS_MODE = 0o700;
const OWN_FILE_MODE = 0o600;
const QEMU_LOG_TAIL_CHARACTERS = 1_000;

/** What a guest's process may use. */
export function limitsOf(spec: ServerSpec, accelerator: 'kvm' | 'tcg'): CgroupLimits {
  const overhead_mib = QEMU_OVERHEAD_MIB + (accelerator === 'tcg' ? TCG_CACHE_MIB : 0);
  return {
    cpu_milli: spec.vcpus * 1000 + QEMU_CPU_MILLI,
    memory_bytes: (spec.memory_mib + overhead_mib) * MIB,
    pids: spec.vcpus + QEMU_THREADS,
  };
}

/** Makes ready all that a guest's process will open. @throws DriverError, also when the signal fires */
export async function prepareGuest(ctx: ComputeContext, spec: ServerSpec, signal: AbortSignal): Promise<void> {
  const paths = guestPaths(ctx.stateDir, spec.id);
  await makeFolder(paths.folder, GUEST_FOLDER_MODE);
  await chown(paths.folder, 0, ctx.user.gid);
  await chmod(paths.folder, GUEST_FOLDER_MODE);
  await makeFolder(paths.sockets, SOCKETS_MODE);
  await chown(paths.sockets, ctx.user.uid, ctx.user.gid);
  await Promise.all([
    ctx.images.place(spec.image, paths.base, signal),
    spec.kernel ? ctx.images.place(spec.kernel, paths.kernel, signal) : null,
    spec.ramdisk ? ctx.images.place(spec.ramdisk, paths.ramdisk, signal) : null,
  ]);
  await ensureDisk(spec, paths, ctx.user);
  await prepareRescue(ctx, spec, paths, signal);
  if (spec.config_drive) {
    const seed = randomBytes(512).toString('base64');
    await writeConfigDrive(describeGuest(ctx.inventory, spec, seed), paths, ctx.user);
  }
}

/** The files of a rescue; none are kept after it. */
async function prepareRescue(
  ctx: ComputeContext,
  spec: ServerSpec,
  paths: GuestPaths,
  signal: AbortSignal,
): Promise<void> {
  const { rescue } = spec;
  const { rescueBase, rescueKernel, rescueRamdisk, rescueDisk } = paths;
  if (!rescue) {
    for (const path of [rescueDisk, rescueBase, rescueKernel, rescueRamdisk]) await rm(path, { force: true });
    return;
  }
  await Promise.all([
    ctx.images.place(rescue.image, rescueBase, signal),
    rescue.kernel ? ctx.images.place(rescue.kernel, rescueKernel, signal) : null,
    rescue.ramdisk ? ctx.images.place(rescue.ramdisk, rescueRamdisk, signal) : null,
  ]);
  await ensureRescueDisk(spec, rescue.image, paths, ctx.user);
}

/**
 * Starts a prepared guest's process, paused: nothing of the guest has run yet. Nobody may call this while a process of
 * the guest lives.
 * @param as - its interfaces, the machine that its saved memory needs, and whether it waits for a guest from elsewhere
 * @throws DriverError with what QEMU said
 */
export async function launchGuest(
  ctx: ComputeContext,
  spec: ServerSpec,
  as: { interfaces: Interface[]; saved: SavedGuest | null; waiting: boolean },
): Promise<LiveGuest> {
  const paths = guestPaths(ctx.stateDir, spec.id);
  const { interfaces, saved, waiting } = as;
  await clearTraces(ctx, paths);
  const { accelerator, names, adminShell, user } = ctx;
  const plan = { spec, mark: names.mark, accelerator: accelerator.kind, interfaces, adminShell, waiting };
  const qemu = qemuArguments({ ...plan, ...(saved ? { saved } : {}) });
  const [command = '', ...args] = asUser(user, ['qemu-system-x86_64', ...qemu], ctx.deviceGroups);
  const process = await spawnDaemon(command, args, { cwd: paths.folder, logFile: paths.qemuLog });
  const live = await LiveGuest.connect(spec.id, process, paths.monitor, MONITOR_WAIT_MS);
  if (!live) {
    const said = ((await readTextIfThere(paths.qemuLog)) ?? '').trim().slice(-QEMU_LOG_TAIL_CHARACTERS);
    throw new DriverError(`QEMU did not start: ${said || 'it said nothing'}`);
  }
  return live;
}

/** Puts a launched guest under its limits. */
export async function limitGuest(ctx: ComputeContext, spec: ServerSpec, live: LiveGuest): Promise<void> {
  await ctx.cgroups.put(spec.id, live.process.pid, limitsOf(spec, ctx.accelerator.kind));
}

/** What the last process left. The console begins anew, as a serial line does when a machine is switched on. */
async function clearTraces(ctx: ComputeContext, paths: GuestPaths): Promise<void> {
  for (const path of [paths.monitor, paths.spareMonitor, paths.consoleSocket, paths.adminShell, paths.qemuLog]) {
    await rm(path, { force: true });
  }
  await writeFile(paths.console, '', { mode: OWN_FILE_MODE });
  await chown(paths.console, ctx.user.uid, ctx.user.gid);
}
