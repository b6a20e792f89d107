import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Guest } from './build-guest.ts';
import { type GuestResult, runInGuest } from './guest-shell.ts';
import { KERNEL_ARGUMENTS } from './kernel.ts';
import { tool } from './tool.ts';

const MEMORY_MIB = 128;
/** Ten times what a boot takes on an idle machine. */
const BOOT_TIMEOUT_MS = 60_000;
const CLOCK_TICKS_PER_S = 100;

/** One QEMU with a guest, of a test of the guest itself. */
export class BootedGuest {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #started = performance.now();
  console = '';

  constructor(folder: string, process: ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.console += text.replaceAll('\r', '');
    });
  }

  /** Waits until the console log has a match. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(BOOT_TIMEOUT_MS);
    while (true) {
      const match = pattern.exec(this.console);
      if (match) return match;
      try {
        await once(this.#process.stdout as NodeJS.EventEmitter, 'data', { signal });
      } catch (cause) {
        throw new Error(`no ${pattern} on the console:\n${this.console.slice(-2000)}`, { cause });
      }
    }
  }

  run(command: string, timeout_ms = BOOT_TIMEOUT_MS): Promise<GuestResult> {
    return runInGuest(join(this.#folder, 'ttyS1'), command, { timeout_ms });
  }

  /** Seconds since QEMU started, on the clock and of processor time. */
  async spent(): Promise<{ wall_s: number; cpu_s: number }> {
    const fields = (await readFile(`/proc/${this.#process.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { wall_s: (performance.now() - this.#started) / 1000, cpu_s: ticks / CLOCK_TICKS_PER_S };
  }

  /** Presses the power button; answers QEMU's exit code. */
  async pressPowerButton(): Promise<number | null> {
    const monitor = connect(join(this.#folder, 'qmp'));
    monitor.write('{"execute":"qmp_capabilities"}{"execute":"system_powerdown"}');
    monitor.resume();
    return this.exited();
  }

  async exited(): Promise<number | null> {
    if (this.#process.exitCode === null) {
      await once(this.#process, 'exit', { signal: AbortSignal.timeout(BOOT_TIMEOUT_MS) });
    }
    return this.#process.exitCode;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.kill('SIGKILL')) await this.exited();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Boots the guest with `devices` as further QEMU arguments; by -kernel, or by its BIOS from its disk. */
export async function bootGuest(guest: Guest, from: 'kernel' | 'disk', devices: string[] = []): Promise<BootedGuest> {
  const folder = await mkdtemp(join(tmpdir(), 'guest-'));
  const disk = join(folder, 'disk.qcow2');
  await tool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', guest.disk, '-F', 'qcow2', disk]);
  const process = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'q35', '-accel', 'tcg', '-m', String(MEMORY_MIB)],
      ...['-nodefaults', '-no-user-config', '-display', 'none'],
      ...['-serial', 'stdio', '-serial', `unix:${join(folder, 'ttyS1')},server=on,wait=off`],
      ...['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`],
      ...['-drive', `if=none,id=disk,file=${disk}`, '-device', 'virtio-blk-pci,drive=disk'],
      ...(from === 'kernel' ? ['-kernel', guest.kernel, '-initrd', guest.ramdisk, '-append', KERNEL_ARGUMENTS] : []),
      ...devices,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new BootedGuest(folder, process);
}
