import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { DeniedLog } from './denied-log.ts';
import { holdsAt } from './plan-leaves.ts';

/** Between readings of what was denied. */
const READ_EVERY_MS = 10_000;

/** What of the intranet filter goes on by itself: exceptions end, and what is denied is read. */
export class IntranetWatch {
  readonly denied: DeniedLog;
  readonly #firewall: Firewall;
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  #roundAtMs: number;
  #readAtMs = 0;

  constructor(firewall: Firewall, of: { names: Names; inventory: Inventory; clock: Clock; log: Log }) {
    this.denied = new DeniedLog(of.names, of.inventory, of.clock, of.log);
    this.#firewall = firewall;
    this.#inventory = of.inventory;
    this.#clock = of.clock;
    this.#roundAtMs = of.clock.nowMs();
  }

  /** Called every few seconds. Whether the edge is there does not matter. */
  async round(): Promise<void> {
    const [before, now] = [this.#roundAtMs, this.#clock.nowMs()];
    const exceptions = [...this.#inventory.all('intranet-exception').values()];
    // Also where the clock went back.
    if (exceptions.some(({ spec }) => holdsAt(spec, before) !== holdsAt(spec, now))) await this.#firewall.sync();
    this.#roundAtMs = now;
    if (Math.abs(now - this.#readAtMs) < READ_EVERY_MS) return;
    this.#readAtMs = now;
    await this.denied.read();
  }
}
