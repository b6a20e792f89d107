import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, readTextIfThere, writeFileAtomic } from '../../host/files.ts';
import {
  findProcesses,
  identify,
  isAlive,
  type ProcessIdentity,
  signalProcess,
  spawnDaemon,
  terminate,
} from '../../host/processes.ts';
import { pause } from '../../host/wait.ts';
import type { DhcpPlan } from './plan-dhcp.ts';

/** A wrong configuration ends dnsmasq within this. */
const START_CHECK_MS = 150;
const START_CHECK_EVERY_MS = 30;
/** Others enter the folder: dnsmasq has given up root when it reads its files again. */
const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/** dnsmasq for each network. They outlive the runner, which finds them again by their configuration file. */
export class DhcpDaemons {
  readonly #folder: string;
  readonly #running = new Map<string, ProcessIdentity>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  folderOf(networkId: string): string {
    return join(this.#folder, networkId);
  }

  /** Makes a network's daemon run as planned: started, told to read its hosts again, or left alone. */
  async ensure(networkId: string, plan: DhcpPlan): Promise<void> {
    const folder = this.folderOf(networkId);
    await makeFolder(folder, FOLDER_MODE);
    const configChanged = await replace(join(folder, 'config'), plan.config);
    const hostsChanged = await replace(join(folder, 'hosts'), plan.hosts);
    const optionsChanged = await replace(join(folder, 'options'), plan.options);
    const running = await this.#find(networkId);
    if (running && !configChanged) {
      if (hostsChanged || optionsChanged) await signalProcess(running, 'SIGHUP');
      return;
    }
    if (running) await terminate(running);
    await this.#start(networkId);
  }

  /** Ends a network's daemon. */
  async end(networkId: string): Promise<void> {
    const running = await this.#find(networkId);
    if (running) await terminate(running);
    this.#running.delete(networkId);
  }

  /** Ends a network's daemon and forgets its leases. */
  async remove(networkId: string): Promise<void> {
    await this.end(networkId);
    await rm(this.folderOf(networkId), { recursive: true, force: true });
  }

  /** Whether a network's daemon lives. */
  async isRunning(networkId: string): Promise<boolean> {
    return (await this.#find(networkId)) !== null;
  }

  async #find(networkId: string): Promise<ProcessIdentity | null> {
    const known = this.#running.get(networkId);
    if (known && (await isAlive(known))) return known;
    const argument = configArgument(this.folderOf(networkId));
    const [found] = await findProcesses((argv) => argv.includes(argument));
    if (found) this.#running.set(networkId, found);
    return found ?? null;
  }

  async #start(networkId: string): Promise<void> {
    const folder = this.folderOf(networkId);
    const logFile = join(folder, 'log');
    await rm(logFile, { force: true });
    const daemon = await spawnDaemon('dnsmasq', ['--keep-in-foreground', configArgument(folder)], {
      cwd: '/',
      logFile,
    });
    for (let waited_ms = 0; waited_ms < START_CHECK_MS; waited_ms += START_CHECK_EVERY_MS) {
      await pause(START_CHECK_EVERY_MS);
      if (!(await identify(daemon.pid))) {
        throw new Error(`dnsmasq ended at once: ${((await readTextIfThere(logFile)) ?? '').trim().slice(-500)}`);
      }
    }
    this.#running.set(networkId, daemon);
  }
}

/** Ends every DHCP daemon below a folder. */
export async function endDhcpDaemons(folder: string): Promise<void> {
  const start = `--conf-file=${folder}/`;
  const found = await findProcesses((argv) => argv.some((argument) => argument.startsWith(start)));
  await Promise.all(found.map((daemon) => terminate(daemon)));
}

const configArgument = (folder: string) => `--conf-file=${join(folder, 'config')}`;

async function replace(path: string, content: string): Promise<boolean> {
  if ((await readTextIfThere(path)) === content) return false;
  await writeFileAtomic(path, content, FILE_MODE);
  return true;
}
