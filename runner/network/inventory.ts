import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind, SpecOf } from '../../shared/specs/kinds.ts';
import { KINDS, specOf } from '../../shared/specs/kinds.ts';
import type { PortSpec } from '../../shared/specs/network.ts';
import { listFolder, makeFolder, readTextIfThere, writeFileAtomic } from '../host/files.ts';
import { NETWORK_NUMBER_MAX, PORT_NUMBER_MAX } from './names.ts';

/** A spec with the number that stands for it in marks; it keeps the number as long as it is here. */
export interface Numbered<Spec> {
  spec: Spec;
  number: number;
}

/** Objects of a kind, by id. */
export type Objects<K extends Kind> = ReadonlyMap<string, Numbered<SpecOf<K>>>;

const NUMBER_MAX: Partial<Record<Kind, number>> = { network: NETWORK_NUMBER_MAX, port: PORT_NUMBER_MAX };
const FILE_END = '.json';

/**
 * What this machine serves, as last applied: the rules, DHCP and metadata are made from it. It is kept on disk, so that a
 * runner that starts again enforces the same rules before it has heard anything.
 */
export class Inventory {
  readonly #folder: string;
  readonly #objects = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as {
    [K in Kind]: Map<string, Numbered<SpecOf<K>>>;
  };

  readonly #lastNumber = new Map<Kind, number>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what the folder holds; a file that is no valid object is left out, as if it had not been applied. */
  static async open(folder: string): Promise<Inventory> {
    const inventory = new Inventory(folder);
    for (const kind of KINDS) {
      await makeFolder(join(folder, kind));
      for (const name of await listFolder(join(folder, kind))) {
        if (name.endsWith(FILE_END)) await inventory.#read(kind, name.slice(0, -FILE_END.length));
      }
    }
    return inventory;
  }

  get networks(): Objects<'network'> {
    return this.#objects.network;
  }
  get groups(): Objects<'security-group'> {
    return this.#objects['security-group'];
  }
  get members(): Objects<'group-member'> {
    return this.#objects['group-member'];
  }
  get ports(): Objects<'port'> {
    return this.#objects.port;
  }
  get servers(): Objects<'server'> {
    return this.#objects.server;
  }

  /** Everything of a kind, by id. */
  all<K extends Kind>(kind: K): Objects<K> {
    return this.#objects[kind];
  }

  /** Ports of a network. */
  portsOf(networkId: string): Numbered<PortSpec>[] {
    return [...this.ports.values()].filter((port) => port.spec.network_id === networkId);
  }

  /** Keeps a spec, on disk first; a new object gets a free number. */
  async put<K extends Kind>(kind: K, id: string, spec: SpecOf<K>): Promise<void> {
    const objects: Map<string, Numbered<SpecOf<K>>> = this.#objects[kind];
    const before = objects.get(id);
    const kept = { spec, number: before?.number ?? this.#freeNumber(kind) };
    if (JSON.stringify(before) === JSON.stringify(kept)) return;
    // Taken before the write, so that no other object gets the same number meanwhile.
    objects.set(id, kept);
    await writeFileAtomic(this.#path(kind, id), JSON.stringify(kept));
  }

  /** Forgets an object. */
  async drop(kind: Kind, id: string): Promise<void> {
    this.#objects[kind].delete(id);
    await rm(this.#path(kind, id), { force: true });
  }

  #path(kind: Kind, id: string): string {
    if (!/^[A-Za-z0-9:-]+$/.test(id)) throw new Error(`not an id: ${id}`);
    return join(this.#folder, kind, `${id}${FILE_END}`);
  }

  /** The next that is free, going round: connections of a network that is gone may live on under its number. */
  #freeNumber(kind: Kind): number {
    const max = NUMBER_MAX[kind];
    if (max === undefined) return 0;
    const taken = new Set([...this.#objects[kind].values()].map((object) => object.number));
    const last = this.#lastNumber.get(kind) ?? Math.max(0, ...taken);
    for (let step = 1; step <= max; step++) {
      const number = ((last + step - 1) % max) + 1;
      if (taken.has(number)) continue;
      this.#lastNumber.set(kind, number);
      return number;
    }
    throw new Error(`this machine holds ${max} objects of kind ${kind}, the most there can be`);
  }

  async #read<K extends Kind>(kind: K, id: string): Promise<void> {
    const text = await readTextIfThere(this.#path(kind, id));
    try {
      const stored = JSON.parse(text ?? '') as { spec: unknown; number: number };
      const spec = specOf[kind].parse(stored.spec) as SpecOf<K>;
      if (Number.isInteger(stored.number)) this.#objects[kind].set(id, { spec, number: stored.number });
    } catch {
      return;
    }
  }
}
