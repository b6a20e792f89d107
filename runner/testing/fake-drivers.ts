import { KINDS, type Kind } from '../../shared/specs/kinds.ts';
import type { Driver, Drivers, Outcome } from '../driver.ts';

/** One call of a driver that a test watches, and may hold. */
export interface Call {
  what: string;
  generation: number;
  signal: AbortSignal | null;
  last: unknown;
}

/** Drivers in a test's hands: what they were asked, in order; each call can be held, and made to fail. */
export class FakeDrivers {
  readonly calls: Call[] = [];
  readonly held = new Map<string, { resolve: (outcome?: Outcome) => void; reject: (error: Error) => void }>();
  /** Names of calls (`apply server/ID`) that wait until the test releases them. */
  readonly hold = new Set<string>();
  readonly fail = new Map<string, Error | Outcome>();
  readonly seen = new Map<string, Outcome | null>();
  readonly drivers: Drivers;
  running = 0;
  runningMax = 0;

  constructor() {
    this.drivers = Object.fromEntries(KINDS.map((kind) => [kind, this.#driver(kind)])) as unknown as Drivers;
  }

  /** The calls made so far, as `apply port/ID`. */
  get log(): string[] {
    return this.calls.map((call) => call.what);
  }

  release(what: string, outcome?: Outcome): void {
    this.held.get(what)?.resolve(outcome);
    this.held.delete(what);
  }

  reject(what: string, error: Error): void {
    this.held.get(what)?.reject(error);
    this.held.delete(what);
  }

  #driver(kind: Kind): Driver<Kind> {
    const good: Outcome = { state: kind === 'server' ? 'running' : 'applied' };
    return {
      kind,
      apply: ({ id, generation }, signal) => this.#call(`apply ${kind}/${id}`, good, { generation, signal }),
      remove: async (id, last) => {
        await this.#call(`remove ${kind}/${id}`, { state: 'absent' }, { last });
      },
      observe: async (id) => {
        const outcome = await this.#call(`observe ${kind}/${id}`, good, {});
        const seen = this.seen.get(`${kind}/${id}`);
        return seen === undefined ? outcome : seen;
      },
      list: async () => [],
    };
  }

  async #call(
    what: string,
    good: Outcome,
    {
      generation = -1,
      signal = null,
      last = null,
    }: { generation?: number; signal?: AbortSignal | null; last?: unknown },
  ): Promise<Outcome> {
    this.calls.push({ what, generation, signal, last });
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    try {
      let outcome: Outcome | undefined;
      if (this.hold.has(what)) {
        outcome = await new Promise<Outcome | undefined>((resolve, reject) => this.held.set(what, { resolve, reject }));
      }
      const failure = this.fail.get(what);
      if (failure instanceof Error) throw failure;
      return outcome ?? failure ?? good;
    } finally {
      this.running -= 1;
    }
  }
}
