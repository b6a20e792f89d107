import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { asUser } from './as-user.ts';
import { letUserOpen } from './devices.ts';
import type { User } from './users.ts';

const PROBE_TIMEOUT_MS = 15_000;
/** The firmware's last words on its debug port when there is nothing to boot. */
const FIRMWARE_END = 'No bootable device';

export interface Accelerator {
  kind: 'kvm' | 'tcg';
  /** Groups that a guest's process needs for it. */
  groups: number[];
  /** Why it is not KVM. */
  reason: string | null;
}

/**
 * Picks KVM where it really runs a machine, else emulation. A host may have a /dev/kvm that opens and yet runs nothing
 * (half-configured nested virtualisation), so a machine with the guests' processor must get through its firmware.
 */
export async function pickAccelerator(user: User): Promise<Accelerator> {
  const emulation = (reason: string): Accelerator => ({ kind: 'tcg', groups: [], reason });
  const there = await access('/dev/kvm').then(
    () => true,
    () => false,
  );
  if (!there) return emulation('there is no /dev/kvm');
  if (!(await hasHardwareVirtualisation()))
    return emulation('/dev/kvm is there, but the processor has neither VMX nor SVM: it runs only kernels made for it');
  const group = await letUserOpen('/dev/kvm', user);
  const kvm: Accelerator = { kind: 'kvm', groups: group === null ? [] : [group], reason: null };
  return (await runsMachine(kvm, user)) ? kvm : emulation('/dev/kvm is there, but a machine on it does not run');
}

/** Whether the processor says that it runs guests by itself. Without, Linux may offer KVM by PVM, where guests' own kernels break. */
async function hasHardwareVirtualisation(): Promise<boolean> {
  const text = await readFile('/proc/cpuinfo', 'utf8');
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(text);
}

/** The processor that guests get. */
export function processorOf(kind: Accelerator['kind']): string {
  return kind === 'kvm' ? 'host' : 'max';
}

/** Whether a machine without disks or network gets through its firmware. */
export function runsMachine(
  { kind, groups }: Pick<Accelerator, 'kind' | 'groups'>,
  user: User,
  timeout_ms = PROBE_TIMEOUT_MS,
): Promise<boolean> {
  const machine = ['-machine', 'q35', '-accel', kind, '-cpu', processorOf(kind), '-m', '64'];
  const quiet = ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'none', '-monitor', 'none'];
  const debugPort = ['-debugcon', 'stdio', '-global', 'isa-debugcon.iobase=0x402'];
  const [command = '', ...args] = asUser(user, ['qemu-system-x86_64', ...machine, ...quiet, ...debugPort], groups);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    const end = (answer: boolean) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), timeout_ms);
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(FIRMWARE_END)) end(true);
    });
    child.on('error', () => end(false));
    child.on('close', () => end(false));
  });
}
