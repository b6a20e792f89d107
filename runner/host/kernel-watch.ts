import { type ChildProcess, spawn } from 'node:child_process';

/** What of this network namespace changes: interfaces and their addresses, routes and rules, neighbors, nftables' tables. */
export type Watched = 'links' | 'routes' | 'neighbors' | 'tables';

const ALL: Watched[] = ['links', 'routes', 'neighbors', 'tables'];
/** `ip monitor` names in brackets what a line is about. */
const LABELS: Record<string, Watched> = {
  LINK: 'links',
  ADDR: 'links',
  ROUTE: 'routes',
  RULE: 'routes',
  NEIGH: 'neighbors',
};
/** What the kernel finds out by itself about who is reachable. */
const BY_ITSELF = /REACHABLE|STALE|DELAY|PROBE|INCOMPLETE|NOARP/;

/** A command that prints a line for each change, and what that is about. */
interface Monitor {
  command: string[];
  about: (line: string) => Watched | null;
}

const MONITORS: Monitor[] = [
  {
    command: ['ip', 'monitor', 'label', 'link', 'address', 'route', 'rule', 'neigh'],
    about: (line) => {
      const about = LABELS[/^\[([A-Z]+)\]/.exec(line)?.[1] ?? ''] ?? null;
      return about === 'neighbors' && BY_ITSELF.test(line) ? null : about;
    },
  },
  { command: ['bridge', 'monitor', 'fdb'], about: () => 'neighbors' },
  { command: ['nft', 'monitor', 'destroy', 'tables'], about: () => 'tables' },
];

/**
 * Hears of what changes in this network namespace, by whomever. Where it cannot hear, as when a monitor ended or the kernel
 * dropped messages, all counts as changed.
 */
export class KernelWatch {
  readonly #changed = new Set<Watched>(ALL);
  readonly #running = new Map<Monitor, ChildProcess>();
  /** Called at once when tables of nftables are gone. */
  onTablesGone = () => {};
  #closed = false;

  /** What changed since it was asked before; starts monitors that do not run. */
  take(): Set<Watched> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    for (const monitor of MONITORS) if (!this.#running.has(monitor)) this.#start(monitor);
    return changed;
  }

  /** Takes something for changed, as when it could not be mended. */
  put(kinds: readonly Watched[]): void {
    for (const kind of kinds) this.#changed.add(kind);
  }

  close(): void {
    this.#closed = true;
    for (const child of this.#running.values()) child.kill('SIGKILL');
  }

  #start(monitor: Monitor): void {
    if (this.#closed) return;
    // It ends with this process, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...monitor.command], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.set(monitor, child);
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(monitor.about(line));
    });
    child.stderr.on('data', () => this.put(ALL));
    const ended = () => {
      this.#running.delete(monitor);
      this.put(ALL);
    };
    child.once('error', ended);
    child.once('exit', ended);
    // What changed before it listened was heard by nobody.
    child.once('spawn', () => this.put(ALL));
  }

  #hear(kind: Watched | null): void {
    if (kind === null) return;
    this.#changed.add(kind);
    if (kind === 'tables') this.onTablesGone();
  }
}
