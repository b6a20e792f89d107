import { findProcesses, isAlive, type ProcessIdentity } from '../host/processes.ts';
import type { ComputeContext } from './context.ts';
import { guestPaths } from './guest-paths.ts';
import { guestName } from './qemu-arguments.ts';

/** The live process of a guest, whoever started it; the one recorded is looked at first. */
export async function findGuestProcess(
  ctx: ComputeContext,
  id: string,
  recorded?: ProcessIdentity | null,
): Promise<ProcessIdentity | null> {
  const name = guestName(ctx.names.mark, id);
  const { folder } = guestPaths(ctx.stateDir, id);
  if (recorded && (await isAlive(recorded))) return recorded;
  const found = await findProcesses((argv) => argv.some((argument) => argument.split(',')[0] === name));
  // setpriv has the same arguments, for a moment, before it becomes QEMU.
  const ours = found.find((one) => one.cwd === folder);
  return ours ? { pid: ours.pid, startTicks: ours.startTicks } : null;
}

/** Processes of every guest with a mark. */
export async function findAllGuestProcesses(mark: string): Promise<ProcessIdentity[]> {
  const start = guestName(mark, '');
  const found = await findProcesses((argv) => argv.some((argument) => argument.startsWith(start)));
  return found.map(({ pid, startTicks }) => ({ pid, startTicks }));
}
