import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from '../../shared/specs/kinds.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';

/** What the simulation holds of one object. */
export interface Held {
  kind: Kind;
  id: string;
  /** Of a server: the rest has no power. */
  power?: ServerSpec['power'];
  cause?: 'guest' | 'crash';
  console?: string;
  /** How often its guest was switched on, or started over. */
  starts?: number;
  /** When what is measured of it began from zero. */
  sinceMs?: number;
  /** It is to come from another machine, or came and was not let run yet. */
  incoming?: 'memory' | 'disk';
  /** The epoch in which it was given to another machine, and whether it ran then. */
  handedOver?: number;
  alive?: boolean;
  /** The spec it was made of, as JSON. */
  spec: string;
}

/** Lines beyond twice what is held before the file is written anew. */
const SPARE_LINES_MAX = 20_000;

type Line = { boot: string } | Held | { kind: Kind; id: string; gone: true };

/**
 * Keeps the simulated objects in a file of lines, so that they outlive the runner as real guests do: what was written when
 * the runner was killed is there again. After a boot of the machine every guest is off, but for those whose memory is on the disk.
 */
export class SimulatedStore {
  readonly held = new Map<string, Held>();
  readonly #path: string;
  readonly #bootId: string;
  #lines = 0;

  constructor(stateDir: string, bootId: string, nowMs: number) {
    this.#bootId = bootId;
    this.#path = join(stateDir, 'simulated-machine.jsonl');
    const sameBoot = this.#load() === bootId;
    if (!sameBoot) {
      for (const [key, object] of this.held) {
        const isOff = object.kind === 'server' && object.power !== 'suspended';
        const since = object.sinceMs === undefined ? {} : { sinceMs: nowMs };
        this.held.set(key, { ...object, ...since, ...(isOff ? { power: 'off' as const } : {}) });
      }
    }
    this.#rewrite();
  }

  #rewrite(): void {
    const lines: Line[] = [{ boot: this.#bootId }, ...this.held.values()];
    this.#lines = lines.length;
    writeFileSync(`${this.#path}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }

  #load(): string | null {
    if (!existsSync(this.#path)) return null;
    let boot: string | null = null;
    for (const text of readFileSync(this.#path, 'utf8').split('\n')) {
      const line = parseLine(text);
      if (!line) continue;
      if ('boot' in line) boot = line.boot;
      else if ('gone' in line) this.held.delete(`${line.kind}/${line.id}`);
      else this.held.set(`${line.kind}/${line.id}`, line);
    }
    return boot;
  }

  put(object: Held): void {
    this.held.set(`${object.kind}/${object.id}`, object);
    this.#append(object);
  }

  drop(kind: Kind, id: string): void {
    if (this.held.delete(`${kind}/${id}`)) this.#append({ kind, id, gone: true });
  }

  #append(line: Line): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
    this.#lines += 1;
    if (this.#lines > 2 * this.held.size + SPARE_LINES_MAX) this.#rewrite();
  }
}

/** A line, or null for one that the end of the process cut short. */
function parseLine(text: string): Line | null {
  try {
    return text === '' ? null : (JSON.parse(text) as Line);
  } catch {
    return null;
  }
}
