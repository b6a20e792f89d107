import { readFile, rm, writeFile } from 'node:fs/promises';
import { readTextIfThere, writeFileAtomic } from './files.ts';

/** Names are paths below /proc/sys: an interface's name may hold a dot. */
const NAME = /^net\/[A-Za-z0-9_.\-/]+$/;

function pathOf(name: string): string {
  if (!NAME.test(name) || name.includes('..')) throw new Error(`not a kernel setting: ${name}`);
  return `/proc/sys/${name}`;
}

/** A kernel setting of this network namespace, or null where the kernel has none of that name. */
export async function readSysctl(name: string): Promise<string | null> {
  return (await readFile(pathOf(name), 'utf8').catch(() => null))?.trim() ?? null;
}

/** Writes a kernel setting of this network namespace. */
export async function writeSysctl(name: string, value: string): Promise<void> {
  await writeFile(pathOf(name), value);
}

/** Changes kernel settings and remembers in a file what they were, so that they can be put back. */
export class SysctlKeeper {
  readonly #file: string;
  #changes: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Sets it where it differs. @throws when the kernel has no such setting */
  set(name: string, value: string): Promise<void> {
    const change = this.#changes.then(async () => {
      const now = await readSysctl(name);
      if (now === value) return;
      if (now === null) throw new Error(`this kernel has no setting ${name}`);
      const originals = await this.#read();
      if (!(name in originals)) await writeFileAtomic(this.#file, JSON.stringify({ ...originals, [name]: now }));
      await writeSysctl(name, value);
    });
    this.#changes = change.catch(() => {});
    return change;
  }

  /** Puts every setting back; those whose interface is gone are left out. */
  async restore(): Promise<void> {
    for (const [name, value] of Object.entries(await this.#read())) {
      if ((await readSysctl(name)) !== null) await writeSysctl(name, value);
    }
    // Removed, not emptied: that takes no room on a full disk.
    await rm(this.#file, { force: true });
  }

  async #read(): Promise<Record<string, string>> {
    return JSON.parse((await readTextIfThere(this.#file)) ?? '{}') as Record<string, string>;
  }
}
