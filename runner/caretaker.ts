import type { Timers } from '../shared/clock.ts';
import type { Guests } from './compute/guests.ts';
import { errorText, type Log } from './log.ts';
import type { NetworkServices } from './network/services.ts';

const ROUND_EVERY_MS = 5_000;

/**
 * Goes round every few seconds and mends what nobody reports: rules that somebody flushed, bridges that somebody removed, DHCP servers that ended,
 * consoles that grew, guests halted by a full disk that has room again.
 * @returns how to stop; it resolves when the last round is over
 */
export function caretaker(options: {
  time: Timers;
  guests: Guests;
  services: NetworkServices;
  log: Log;
}): () => Promise<void> {
  const { time, guests, services, log } = options;
  const duties: [name: string, duty: () => Promise<void>][] = [
    ['rules', () => services.firewall.heal()],
    ['routing', () => services.routing.sync()],
    ['intranet', () => services.intranet.round()],
    ['links', () => services.healLinks()],
    ['neighbors', () => services.healNeighbors()],
    ['dhcp', () => services.healDhcp()],
    ['consoles', () => guests.boundConsoles()],
    ['halted-guests', () => guests.resumeHalted()],
  ];
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = () => {};
  const round = async () => {
    for (const [name, duty] of duties) {
      if (stopped) return;
      await duty().catch((error: unknown) => log.error('care-failed', { duty: name, error: errorText(error) }));
    }
    if (!stopped) next();
  };
  const next = () => {
    cancel = time.after(ROUND_EVERY_MS, () => {
      running = round();
    });
  };
  next();
  return async () => {
    stopped = true;
    cancel();
    await running;
  };
}
