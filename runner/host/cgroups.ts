import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, listFolder, makeFolder, readTextIfThere } from './files.ts';
import { run } from './run.ts';
import { until } from './wait.ts';

/** What a group of processes may use. */
export interface CgroupLimits {
  /** Processors, in thousandths. */
  cpu_milli: number;
  memory_bytes: number;
  pids: number;
}

const CPU_PERIOD_US = 100_000;
const CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];
/** The group by which it is seen whether groups can be made. */
const PROBE = 'probe';
const PROBE_LIMITS: CgroupLimits = { cpu_milli: 1000, memory_bytes: 64 * 1024 * 1024, pids: 16 };
/** A group can be removed a moment after its last process is gone. */
const REMOVE_WAIT_MS = 5_000;

/** Where the controllers are: one hierarchy for all (v2), or one each (v1). */
export type CgroupHierarchy =
  | { version: 2; root: string }
  | { version: 1; roots: Partial<Record<Controller, string>> }
  | { version: 0 };

/** Groups of processes with limits, below one folder named by the mark, whichever version the machine has. */
export class Cgroups {
  readonly hierarchy: CgroupHierarchy;
  readonly #folder: string;

  constructor(hierarchy: CgroupHierarchy, folder: string) {
    this.hierarchy = hierarchy;
    this.#folder = folder;
  }

  /** What can be limited here; the runner says it at its start, for a machine may have none. */
  get controllers(): Controller[] {
    if (this.hierarchy.version === 0) return [];
    if (this.hierarchy.version === 2) return [...CONTROLLERS];
    const { roots } = this.hierarchy;
    return CONTROLLERS.filter((name) => roots[name] !== undefined);
  }

  /**
   * Opens the groups of a folder. Where none can be made, as in a container that may not, there are none.
   * @returns them, and why there are none
   */
  static async open(hierarchy: CgroupHierarchy, folder: string): Promise<{ cgroups: Cgroups; reason: string | null }> {
    const cgroups = new Cgroups(hierarchy, folder);
    try {
      await cgroups.#make(PROBE, PROBE_LIMITS);
      await cgroups.remove(PROBE);
      return { cgroups, reason: cgroups.controllers.length > 0 ? null : 'no controllers are mounted' };
    } catch (error) {
      return { cgroups: new Cgroups({ version: 0 }, folder), reason: String(error) };
    }
  }

  /** Makes the group, sets its limits and puts a process, with all its threads, in. */
  async put(name: string, pid: number, limits: CgroupLimits): Promise<void> {
    await this.#make(name, limits);
    for (const [, path] of this.#paths(name)) await writeFile(join(path, 'cgroup.procs'), String(pid));
  }

  async #make(name: string, limits: CgroupLimits): Promise<void> {
    for (const [controllers, path] of this.#paths(name)) {
      await mkdir(path, { recursive: true });
      if (this.hierarchy.version === 2) await enableBelow(this.hierarchy.root, this.#folder);
      for (const [file, value] of limitFiles(this.hierarchy.version, controllers, limits)) {
        await writeFile(join(path, file), value);
      }
    }
  }

  /** Removes a group that has no processes left. */
  async remove(name: string): Promise<void> {
    for (const [, path] of this.#paths(name)) await removeFolder(path);
  }

  /** Names of the groups there are. */
  async list(): Promise<string[]> {
    const names = new Set<string>();
    for (const [, path] of this.#paths('')) {
      for (const name of await listFolder(path)) {
        if ((await readTextIfThere(join(path, name, 'cgroup.procs'))) !== null) names.add(name);
      }
    }
    return [...names];
  }

  /** Removes the folder of the mark itself, when it is empty. */
  async removeAll(): Promise<void> {
    for (const name of await this.list()) await this.remove(name);
    for (const [, path] of this.#paths('')) await removeFolder(path);
  }

  #paths(name: string): [Controller[], string][] {
    if (this.hierarchy.version === 0) return [];
    if (this.hierarchy.version === 2) return [[[...CONTROLLERS], join(this.hierarchy.root, this.#folder, name)]];
    const { roots } = this.hierarchy;
    return CONTROLLERS.flatMap((controller) => {
      const root = roots[controller];
      return root === undefined ? [] : [[[controller], join(root, this.#folder, name)] as [Controller[], string]];
    });
  }
}

/** The files of a group and what to write into them. */
export function limitFiles(
  version: 1 | 2 | 0,
  controllers: Controller[],
  limits: CgroupLimits,
): [file: string, value: string][] {
  const quota_us = String(Math.round((limits.cpu_milli * CPU_PERIOD_US) / 1000));
  const of: Record<Controller, [string, string][]> =
    version === 2
      ? {
          cpu: [['cpu.max', `${quota_us} ${CPU_PERIOD_US}`]],
          memory: [['memory.max', String(limits.memory_bytes)]],
          pids: [['pids.max', String(limits.pids)]],
        }
      : {
          cpu: [
            ['cpu.cfs_period_us', String(CPU_PERIOD_US)],
            ['cpu.cfs_quota_us', quota_us],
          ],
          memory: [['memory.limit_in_bytes', String(limits.memory_bytes)]],
          pids: [['pids.max', String(limits.pids)]],
        };
  return controllers.flatMap((controller) => of[controller]);
}

async function enableBelow(root: string, folder: string): Promise<void> {
  const wanted = CONTROLLERS.map((name) => `+${name}`).join(' ');
  for (const path of [root, join(root, folder)]) await writeFile(join(path, 'cgroup.subtree_control'), wanted);
}

async function removeFolder(path: string): Promise<void> {
  const removed = await until(
    async () =>
      rmdir(path).then(
        () => true,
        (error: unknown) => {
          if (isErrno(error, 'ENOENT')) return true;
          if (isErrno(error, 'EBUSY')) return false;
          throw error;
        },
      ),
    { timeout_ms: REMOVE_WAIT_MS },
  );
  if (!removed) throw new Error(`${path} still holds processes`);
}

/**
 * Finds the controllers among the mounts. `ip netns exec` hides them behind a fresh /sys in a mount namespace of its
 * own: there they are mounted again below `mountFolder`, where nobody else sees it.
 */
export async function findCgroups(mountFolder: string): Promise<CgroupHierarchy> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const found = await inMounts(mounts);
  if (found.version !== 0) return found;
  const hierarchies = parseHierarchies(await readFile('/proc/cgroups', 'utf8').catch(() => ''));
  const roots: Partial<Record<Controller, string>> = {};
  for (const controller of CONTROLLERS) {
    const together = hierarchies.find((names) => names.includes(controller));
    if (!together) continue;
    const path = join(mountFolder, together.join(','));
    await makeFolder(path);
    const mounted = await run('mount', ['-t', 'cgroup', '-o', together.join(','), 'cgroup', path]).catch(() => null);
    if (mounted) roots[controller] = path;
  }
  if (Object.keys(roots).length > 0) return { version: 1, roots };
  const path = join(mountFolder, 'unified');
  await makeFolder(path);
  if (!(await run('mount', ['-t', 'cgroup2', 'cgroup2', path]).catch(() => null))) return { version: 0 };
  return inMounts([{ type: 'cgroup2', path, options: [] }]);
}

interface Mount {
  type: string;
  path: string;
  options: string[];
}

async function inMounts(mounts: Mount[]): Promise<CgroupHierarchy> {
  const unified = mounts.find((mount) => mount.type === 'cgroup2');
  if (unified) {
    const offered = (await readTextIfThere(join(unified.path, 'cgroup.controllers')))?.trim().split(' ') ?? [];
    if (CONTROLLERS.every((name) => offered.includes(name))) return { version: 2, root: unified.path };
  }
  const roots: Partial<Record<Controller, string>> = {};
  for (const name of CONTROLLERS) {
    const mount = mounts.find((one) => one.type === 'cgroup' && one.options.includes(name));
    if (mount) roots[name] = mount.path;
  }
  return Object.keys(roots).length > 0 ? { version: 1, roots } : { version: 0 };
}

/** Lines of /proc/self/mountinfo: `... path options - type source options`. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const path = before?.split(' ')[4];
    const [type, , options] = after?.split(' ') ?? [];
    return path && type ? [{ type, path, options: options?.split(',') ?? [] }] : [];
  });
}

/** Lines of /proc/cgroups: controllers that share a v1 hierarchy; those of hierarchy 0 are not in v1. */
export function parseHierarchies(text: string): string[][] {
  const byHierarchy = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [name, hierarchy, , enabled] = line.split('\t');
    if (!name || name.startsWith('#') || !hierarchy || hierarchy === '0' || enabled !== '1') continue;
    byHierarchy.set(hierarchy, [...(byHierarchy.get(hierarchy) ?? []), name]);
  }
  return [...byHierarchy.values()];
}
