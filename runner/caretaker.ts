import type { Timers } from '../shared/clock.ts';
import type { Guests } from './compute/guests.ts';
import type { KernelWatch, Watched } from './host/kernel-watch.ts';
import { gathered } from './host/wait.ts';
import { errorText, type Log } from './log.ts';
import type { NetworkServices } from './network/services.ts';

const ROUND_EVERY_MS = 5_000;

/** Without `when`, each round; else in rounds after one of these changed. */
interface Duty {
  name: string;
  when?: Watched[];
  mend: () => Promise<void>;
}

/**
 * Goes round every few seconds and mends what nobody reports: rules that somebody flushed, bridges that somebody removed,
 * DHCP servers that ended, consoles that grew, guests halted by a full disk that has room again. What the kernel tells of
 * is looked at only when it changed; rules that are gone are loaded at once.
 * @returns how to stop; it resolves when the last round is over
 */
export function caretaker(options: {
  time: Timers;
  guests: Guests;
  services: NetworkServices;
  watch: KernelWatch;
  log: Log;
}): () => Promise<void> {
  const { time, guests, services, watch, log } = options;
  const rules: Duty = { name: 'rules', when: ['tables'], mend: () => services.firewall.heal() };
  const duties: Duty[] = [
    rules,
    { name: 'routes', when: ['links', 'routes'], mend: () => services.healRoutes() },
    { name: 'routing', when: ['links', 'routes'], mend: () => services.routing.sync() },
    { name: 'intranet', mend: () => services.intranet.round() },
    { name: 'links', when: ['links'], mend: () => services.healLinks() },
    { name: 'neighbors', when: ['links', 'neighbors'], mend: () => services.healNeighbors() },
    { name: 'dhcp', mend: () => services.healDhcp() },
    { name: 'consoles', mend: () => guests.boundConsoles() },
    { name: 'halted-guests', mend: () => guests.resumeHalted() },
  ];
  const does = async ({ name, when, mend }: Duty) => {
    try {
      await mend();
    } catch (error) {
      log.error('care-failed', { duty: name, error: errorText(error) });
      watch.put(when ?? []);
    }
  };
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = () => {};
  const round = async () => {
    const changed = watch.take();
    for (const duty of duties) {
      if (stopped) return;
      if (duty.when?.some((kind) => changed.has(kind)) ?? true) await does(duty);
    }
    if (!stopped) next();
  };
  const next = () => {
    cancel = time.after(ROUND_EVERY_MS, () => {
      running = round();
    });
  };
  let healing: Promise<void> = Promise.resolve();
  const heal = gathered(async () => (stopped ? undefined : does(rules)));
  watch.onTablesGone = () => {
    healing = heal();
  };
  watch.take();
  next();
  return async () => {
    stopped = true;
    cancel();
    watch.close();
    await Promise.all([running, healing]);
  };
}
