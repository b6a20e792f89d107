import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { seed } from '../../home/seed.ts';
import { QmpClient } from '../../runner/host/qmp.ts';
import type { RunnerProcess } from '../cloud.ts';
import { startCloud } from '../cloud.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { type Machine, openMachine } from '../machine.ts';
import { type FaultCloud, listServers } from './fault-cloud.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../../runner/main.ts');
/** Of a guest that boots while others do, without KVM, on a machine that other tests use, too. */
const BOOT_TIMEOUT_MS = 120_000;
const PROGRAMS = ['qemu-system-x86', 'dnsmasq'];

/** A control plane with one real machine in a network namespace, whose guests boot and count their boots. */
export interface QemuCloud extends FaultCloud {
  machine: Machine;
  runner: RunnerProcess;
  /** Ends all that a power cut ends: the runner, guests, daemons, links, rules; and the machine's next boot is another. */
  cutPower(): Promise<void>;
  /** As an operator does whose runner has ended. */
  takeDown(): Promise<void>;
  close(): Promise<void>;
}

/** @param stateDir - where the runner keeps its state; a folder of the test's own */
export async function startQemuCloud(cidr: string, stateDir?: string): Promise<QemuCloud> {
  const cloud = await startCloud();
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-boot-'));
  const machine = await openMachine({ port: Number(new URL(cloud.url).port) });
  const bootIdFile = join(folder, 'boot-id');
  let boots = 1;
  writeFileSync(bootIdFile, `boot ${boots}\n`);
  const runner = await cloud.runners({
    hypervisor: 'qemu',
    netns: machine.netns,
    edgeUrl: machine.edgeUrl,
    args: ['--admin-shell'],
    bootIdFile,
    ...(stateDir ? { stateDir } : {}),
  });
  const seeded = await seed(cloud.admin, { cidr, guest: await buildGuest() });
  const takeDown = async () => {
    await machine.run(process.execPath, [RUNNER_MAIN, 'teardown', '--state', runner.stateDir]);
  };
  return {
    ...cloud,
    ...seeded,
    machine,
    runner,
    takeDown,
    async cutPower() {
      await runner.kill();
      await endAll(machine);
      boots += 1;
      writeFileSync(bootIdFile, `boot ${boots}\n`);
    },
    async close() {
      await runner.kill();
      try {
        await takeDown();
      } finally {
        await cloud.stop();
        await machine.close();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How often a guest has booted, by its own count, which it keeps on its disk; waits until it answers. */
export async function bootsOf(of: QemuCloud | RunnerProcess, id: string): Promise<number> {
  return Number((await inGuest('runner' in of ? of.runner : of, id, 'cat /data/boots')).trim());
}

/** Runs a command in a guest once it has booted. */
export async function inGuest({ stateDir }: RunnerProcess, id: string, command: string): Promise<string> {
  const folder = join(stateDir, 'guests', id);
  try {
    return (await runInGuest(join(folder, 'run/ttyS1'), command, { timeout_ms: BOOT_TIMEOUT_MS })).output;
  } catch (error) {
    const console = readFileSync(join(folder, 'console.log'), 'utf8').slice(-3_000);
    const status = await statusOf(stateDir, id).catch(String);
    throw new Error(`${(error as Error).message}\nits machine: ${status}, its console:\n${console}`, { cause: error });
  }
}

/** What QEMU says of a guest: `running`, `io-error` and more. */
export async function statusOf(stateDir: string, id: string): Promise<string> {
  const monitor = await QmpClient.connect(join(stateDir, 'guests', id, 'run/monitor2'));
  try {
    return (await monitor.execute<{ status: string }>('query-status')).status;
  } finally {
    monitor.close();
  }
}

interface MachineProcess {
  pid: number;
  program: string;
  /** The folder it runs in: a guest's is named by its id. */
  folder: string;
}

async function processesOn(machine: Machine): Promise<MachineProcess[]> {
  const { stdout } = await machine.run('ip', ['netns', 'pids', machine.netns]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .flatMap((pid) => {
      try {
        const program = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
        return [{ pid: Number(pid), program, folder: readlinkSync(`/proc/${pid}/cwd`) }];
      } catch {
        return [];
      }
    })
    .filter(({ program }) => PROGRAMS.includes(program));
}

/** The processes of guests, by the guest's id. */
export const guestProcesses = ({ machine }: QemuCloud) => guestsOn(machine);

/** The processes of a machine's guests, by the guest's id. */
export async function guestsOn(machine: Machine): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const { pid, program, folder } of await processesOn(machine)) {
    if (program !== 'qemu-system-x86') continue;
    found.set(basename(folder), [...(found.get(basename(folder)) ?? []), pid]);
  }
  return found;
}

async function endAll(machine: Machine): Promise<void> {
  for (const { pid } of await processesOn(machine)) process.kill(pid, 'SIGKILL');
  for (const { name } of await linksOn(machine)) await machine.run('ip', ['link', 'delete', name]);
  await machine.run('nft', ['flush', 'ruleset']);
}

async function linksOn(machine: Machine): Promise<{ name: string; alias: string }[]> {
  const { stdout } = await machine.run('ip', ['-json', 'link', 'show']);
  return (JSON.parse(stdout) as { ifname: string; ifalias?: string }[])
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, ifalias }) => ({ name: ifname, alias: ifalias ?? '' }));
}

/** What is on the machine without a server to have it, or twice, or not at all though a server should. */
export async function qemuLeaks(cloud: QemuCloud): Promise<string[]> {
  const { machine, runner, admin } = cloud;
  const found: string[] = [];
  const servers = await listServers(admin);
  const running = servers.filter(({ status }) => status === 'ACTIVE').map(({ id }) => id);
  const processes = await guestProcesses(cloud);
  for (const id of running)
    if (processes.get(id)?.length !== 1) found.push(`guest ${id}: processes ${processes.get(id)}`);
  for (const id of processes.keys()) if (!running.includes(id)) found.push(`a process of ${id}, which does not run`);
  const ids = servers.map(({ id }) => id);
  for (const id of readdirSync(join(runner.stateDir, 'guests'))) if (!ids.includes(id)) found.push(`files of ${id}`);
  const links = await linksOn(machine);
  const taps = links.filter(({ alias }) => alias.includes(':port:')).length;
  if (taps !== servers.length) found.push(`${taps} taps for ${servers.length} servers`);
  if (servers.length === 0) for (const { name } of links) found.push(`link ${name}`);
  const daemons = (await processesOn(machine)).filter(({ program }) => program === 'dnsmasq').length;
  if (daemons > (servers.length === 0 ? 0 : 1)) found.push(`${daemons} DHCP servers`);
  for (const name of readdirSync(join(runner.stateDir, 'images')))
    if (name.endsWith('.part')) found.push(`image ${name}`);
  return found;
}
