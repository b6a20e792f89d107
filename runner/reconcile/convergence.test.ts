import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KINDS, type Kind } from '../../shared/specs/kinds.ts';
import type { Driver, Drivers } from '../driver.ts';
import { Ledger } from '../link/ledger/ledger.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { id, networkOf, portOf, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { Reconciler } from './reconciler.ts';

/** A machine whose calls take time, fail at random and heed an abort at random; it checks what it is asked. */
class RoughMachine {
  readonly holds = new Map<string, unknown>();
  readonly busy = new Set<string>();
  readonly problems: string[] = [];
  rough = true;
  readonly drivers: Drivers;
  readonly #time: VirtualTime;
  readonly #dice: () => number;

  constructor(time: VirtualTime, dice: () => number) {
    this.#time = time;
    this.#dice = dice;
    this.drivers = Object.fromEntries(KINDS.map((kind) => [kind, this.#driver(kind)])) as unknown as Drivers;
  }

  #driver(kind: Kind): Driver<Kind> {
    return {
      kind,
      apply: async ({ id: name, spec }, signal) => {
        const key = `${kind}/${name}`;
        await this.#alone(key, async () => {
          for (const needed of neededBy(kind, spec)) {
            if (!this.holds.has(needed)) this.problems.push(`${key} without ${needed}`);
          }
          await this.#delay();
          if (this.rough && signal.aborted && this.#dice() < 0.5) throw new Error('called off');
          this.#stumble();
          this.holds.set(key, spec);
          this.#stumble();
        });
        return { state: kind === 'server' ? 'running' : 'applied' };
      },
      remove: async (name) => {
        const key = `${kind}/${name}`;
        await this.#alone(key, async () => {
          await this.#delay();
          this.#stumble();
          this.holds.delete(key);
        });
      },
      observe: async () => null,
      list: async () => [],
    };
  }

  async #alone(key: string, run: () => Promise<void>): Promise<void> {
    if (this.busy.has(key)) this.problems.push(`two calls for ${key}`);
    this.busy.add(key);
    try {
      await run();
    } finally {
      this.busy.delete(key);
    }
  }

  #delay(): Promise<void> {
    return new Promise((resolve) => {
      this.#time.after(this.rough ? Math.floor(this.#dice() * 200) : 1, resolve);
    });
  }

  #stumble(): void {
    if (this.rough && this.#dice() < 0.1) throw new Error('stumbled');
  }
}

function neededBy(kind: Kind, spec: unknown): string[] {
  if (kind === 'server') return (spec as { ports: string[] }).ports.map((port) => `port/${port}`);
  return kind === 'port' ? [`network/${(spec as { network_id: string }).network_id}`] : [];
}

const NETWORKS = [1, 2];
const PORTS = [11, 12, 13];
const SERVERS = [21, 22];

/** One change of what is wanted: which objects there are, and how they hang together. */
const wish = fc.record({
  networks: fc.subarray(NETWORKS),
  ports: fc.array(fc.record({ port: fc.constantFrom(...PORTS), network: fc.constantFrom(...NETWORKS) }), {
    maxLength: 3,
  }),
  servers: fc.subarray(SERVERS),
  owners: fc.array(fc.constantFrom(...SERVERS), { minLength: 3, maxLength: 3 }),
  vcpus: fc.integer({ min: 1, max: 3 }),
  passMs: fc.nat({ max: 400 }),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

/** The specs of a wish, closed under what they need. */
function specsOf({ networks, ports, servers, owners, vcpus }: Wish): Map<string, unknown> {
  const specs = new Map<string, unknown>();
  for (const number of networks) specs.set(`network/${id(number)}`, networkOf(number));
  const owned = new Map<number, string[]>();
  for (const { port, network } of ports) {
    if (!networks.includes(network)) continue;
    specs.set(`port/${id(port)}`, portOf(port, network));
    const owner = owners[PORTS.indexOf(port)];
    if (owner !== undefined) owned.set(owner, [...new Set([...(owned.get(owner) ?? []), id(port)])]);
  }
  for (const server of servers)
    specs.set(`server/${id(server)}`, serverOf(server, { vcpus, ports: owned.get(server) ?? [] }));
  return specs;
}

it('brings a rough machine to the last wish, whatever came before', async () => {
  const folder = temporaryFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(wish, { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.nat()),
      async (wishes, dice) => {
        run += 1;
        const time = new VirtualTime();
        const log = capturedLog();
        const ledger = Ledger.open(join(folder, `${run}.db`), time, log);
        ledger.store.prepare('PRAGMA synchronous=OFF').all([]);
        const random = () => ((dice.next().value ?? 0) % 1000) / 1000;
        const machine = new RoughMachine(time, random);
        const { drivers } = machine;
        const parts = { ledger, drivers, time, random, log, bootId: 'b', onNews: () => {}, onIdle: () => {} };
        const reconciler = new Reconciler(parts);
        reconciler.start();
        let generation = 0;
        const now = new Map<string, string>();
        for (const one of wishes) {
          generation += 1;
          const specs = specsOf(one);
          const changed = [...new Set([...specs.keys(), ...now.keys()])].filter(
            (key) => now.get(key) !== (specs.has(key) ? JSON.stringify(specs.get(key)) : undefined),
          );
          const objects = changed.map((key) => {
            const [kind = '', name = ''] = key.split('/');
            const spec = specs.get(key) ?? null;
            return { kind, id: name, generation, digest: JSON.stringify(spec), deleted: spec === null, spec };
          });
          for (const key of changed) {
            if (specs.has(key)) now.set(key, JSON.stringify(specs.get(key)));
            else now.delete(key);
          }
          reconciler.changed(ledger.accept({ generation, full: false, complete: true, objects }).puts);
          await time.pass(one.passMs);
        }
        machine.rough = false;
        // Servers that failed for good are asked for once more, as a user would.
        await time.pass(300_000);
        generation += 1;
        const again = [...now].filter(([key]) => key.startsWith('server/'));
        const objects = again.map(([key, spec]) => ({
          ...{ kind: 'server', id: key.slice(7), generation, digest: `${generation}`, deleted: false },
          spec: JSON.parse(spec) as unknown,
        }));
        reconciler.changed(ledger.accept({ generation, full: false, complete: true, objects }).puts);
        await time.pass(300_000);
        const held = Object.fromEntries([...machine.holds].map(([key, spec]) => [key, JSON.stringify(spec)]));
        expect(held).toEqual(Object.fromEntries(now));
        expect(machine.problems).toEqual([]);
        for (const object of ledger.objects.values()) {
          expect(object.observation?.generation).toBe(object.generation);
          expect(object.observation?.state).toBe(
            object.deleted ? 'absent' : object.kind === 'server' ? 'running' : 'applied',
          );
        }
        await reconciler.stop();
        ledger.close();
      },
    ),
    { numRuns: 60 },
  );
});
