import { spawn } from 'node:child_process';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { until } from './wait.ts';

/** A process for good: pids are used again, a pid with its start time is not. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks after boot, field 22 of /proc/PID/stat. */
  startTicks: number;
}

/** Between SIGTERM and SIGKILL. */
const TERMINATE_GRACE_MS = 5_000;
/** A killed process is gone in milliseconds, unless the kernel waits for a disk. */
const KILL_WAIT_MS = 10_000;
const GONE_POLL_MS = 20;
/** Linux tells user space of time in hundredths of a second, whatever it counts in itself. */
export const NS_PER_TICK = 10_000_000;
const KIB = 1024;

/** The identity of a process that lives; null for one that is gone or a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  const fields = statFields(stat);
  const [state, startTicks] = [fields[0], Number(fields[19])];
  return state === 'Z' || state === 'X' ? null : { pid, startTicks };
}

/** What a process has used of the processors, threads that ended included, and what it has in memory now. */
export interface ProcessUsage {
  cpuNs: number;
  residentBytes: number;
}

/** The usage of this very process; null when it is gone. */
export async function usageOf(identity: ProcessIdentity): Promise<ProcessUsage | null> {
  const [stat, status] = await Promise.all(
    ['stat', 'status'].map((name) => readFile(`/proc/${identity.pid}/${name}`, 'utf8').catch(() => null)),
  );
  if (!stat || !status) return null;
  if (Number(statFields(stat)[19]) !== identity.startTicks) return null;
  return { cpuNs: cpuNsOf(stat), residentBytes: (residentKibOf(status) ?? 0) * KIB };
}

/** The fields of a `stat` of /proc after the name: that, in brackets, may hold anything; they are plain. */
const statFields = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

/** What a process, or a thread, has used of the processors, from its `stat`. */
export function cpuNsOf(stat: string): number {
  const fields = statFields(stat);
  return (Number(fields[11]) + Number(fields[12])) * NS_PER_TICK;
}

/** What a process has in memory, from its `status`; null where that does not say. */
export function residentKibOf(status: string): number | null {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? null : Number(kib);
}

/** Whether this very process still lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startTicks === identity.startTicks;
}

/**
 * Starts a program that outlives this process: a session of its own, no terminal, output into a file.
 * @throws when it cannot be started at all; whether it goes on running is the caller's to see
 */
export async function spawnDaemon(
  command: string,
  args: readonly string[],
  options: { cwd: string; logFile: string },
): Promise<ProcessIdentity> {
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      cwd: options.cwd,
      detached: true,
      // What else the runner's environment holds is not for daemons.
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.on('error', () => {});
    child.unref();
    const pid = child.pid ?? 0;
    // One that ended already has no identity of its own; this one matches no process.
    return (await identify(pid)) ?? { pid, startTicks: -1 };
  } finally {
    await log.close();
  }
}

/** Sends a signal to this very process; false when it is gone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a process is gone; false when it still lives after the time. */
export async function waitGone(identity: ProcessIdentity, timeout_ms: number): Promise<boolean> {
  return (await until(async () => !(await isAlive(identity)), { timeout_ms, every_ms: GONE_POLL_MS })) === true;
}

/**
 * Ends a process: SIGTERM, and SIGKILL when it does not go in time.
 * @throws when even that does not end it
 */
export async function terminate(identity: ProcessIdentity, grace_ms = TERMINATE_GRACE_MS): Promise<void> {
  if (!(await signalProcess(identity, 'SIGTERM'))) return;
  if (await waitGone(identity, grace_ms)) return;
  await signalProcess(identity, 'SIGKILL');
  if (!(await waitGone(identity, KILL_WAIT_MS))) throw new Error(`process ${identity.pid} does not end`);
}

export interface RunningProcess extends ProcessIdentity {
  argv: string[];
  cwd: string;
}

/** Live processes in this network namespace whose arguments satisfy the condition. */
export async function findProcesses(matches: (argv: string[]) => boolean): Promise<RunningProcess[]> {
  const here = await readlink('/proc/self/ns/net');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      if (!matches(argv)) return null;
      const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => null);
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const identity = await identify(Number(pid));
      return identity && namespace === here ? { ...identity, argv, cwd } : null;
    }),
  );
  return found.filter((one) => one !== null);
}
