import { expect, it } from 'vitest';
import { caretaker } from './caretaker.ts';
import type { Guests } from './compute/guests.ts';
import { KernelWatch, type Watched } from './host/kernel-watch.ts';
import type { NetworkServices } from './network/services.ts';
import { capturedLog } from './testing/captured-log.ts';
import { VirtualTime } from './testing/virtual-time.ts';

const ROUND_MS = 5_000;

/** A caretaker whose duties are written down, and fail as long as they are told to. */
function setUp() {
  const done: string[] = [];
  const failing = new Set<string>();
  const duty = (name: string) => async () => {
    done.push(name);
    if (failing.has(name)) throw new Error('not yet');
  };
  const services = {
    firewall: { heal: duty('rules') },
    routing: { sync: duty('routing') },
    intranet: { round: duty('intranet') },
    healRoutes: duty('routes'),
    healLinks: duty('links'),
    healNeighbors: duty('neighbors'),
    healDhcp: duty('dhcp'),
  } as unknown as NetworkServices;
  const guests = { boundConsoles: duty('consoles'), resumeHalted: duty('halted') } as unknown as Guests;
  const time = new VirtualTime();
  const watch = new FakeWatch();
  const stop = caretaker({ time, guests, services, watch, log: capturedLog() });
  const round = async (...changed: Watched[]) => {
    watch.put(changed);
    done.length = 0;
    await time.pass(ROUND_MS);
    return done.join(' ');
  };
  return { time, watch, failing, done, stop, round };
}

class FakeWatch extends KernelWatch {
  #changed = new Set<Watched>();
  override take(): Set<Watched> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
  override put(kinds: readonly Watched[]): void {
    for (const kind of kinds) this.#changed.add(kind);
  }
}

const ALWAYS = 'intranet dhcp consoles halted';

it('looks at what the kernel tells of only when it changed', async () => {
  const { round, stop } = setUp();
  expect(await round()).toBe(ALWAYS);
  expect(await round('neighbors')).toBe('intranet neighbors dhcp consoles halted');
  expect(await round('routes')).toBe(`routes routing ${ALWAYS}`);
  expect(await round('links')).toBe('routes routing intranet links neighbors dhcp consoles halted');
  expect(await round()).toBe(ALWAYS);
  await stop();
});

it('looks again at what it could not mend', async () => {
  const { round, failing, stop } = setUp();
  failing.add('neighbors');
  await round('neighbors');
  expect(await round()).toContain('neighbors');
  failing.clear();
  expect(await round()).toContain('neighbors');
  expect(await round()).toBe(ALWAYS);
  await stop();
});

it('loads rules that are gone at once, and again when more go meanwhile', async () => {
  const { time, watch, done, stop } = setUp();
  for (let table = 0; table < 4; table++) watch.onTablesGone();
  await time.settle();
  expect(done).toEqual(['rules', 'rules']);
  await stop();
  watch.onTablesGone();
  await time.settle();
  expect(done).toEqual(['rules', 'rules']);
});
