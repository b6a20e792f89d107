import type { Clock } from '../../../shared/clock.ts';
import { randomIds } from '../../../shared/ids.ts';
import { applyNft, listTables } from '../../host/nft.ts';
import { gathered } from '../../host/wait.ts';
import { errorText, type Log } from '../../log.ts';
import { planCableTable } from '../intranet/plan-cables.ts';
import { planIntranetTable } from '../intranet/plan-intranet-table.ts';
import type { Inventory } from '../inventory.ts';
import { MeterCounters } from '../meters/meter-counters.ts';
import type { Names } from '../names.ts';
import type { Uplinks } from '../segments/uplinks.ts';
import { planBridgeTable } from './plan-bridge-table.ts';
import { planInetTable } from './plan-inet-table.ts';
import { planShutTable } from './plan-shut-table.ts';
import { changeScript, fullScript, type Ruleset, removalScript } from './ruleset.ts';

/** Keeps the kernel's rules what the inventory makes of them. One change at a time; those that wait go together. */
export class Firewall {
  readonly #names: Names;
  readonly #inventory: Inventory;
  readonly #uplinks: Uplinks;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly meters: MeterCounters;
  /** Local ports of the metadata service, by network id. */
  readonly metadataPorts = new Map<string, number>();
  /** What the kernel holds; null when that is not known. */
  #loaded: Ruleset | null = null;
  /** Whether somebody removed what the kernel held: told apart, for a load under way says at its end what it loaded. */
  #lost = false;

  /** Resolves when rules are in force that were planned after this call. @throws CommandError with what nft refused */
  readonly sync = gathered(() => this.#load());

  constructor(names: Names, inventory: Inventory, uplinks: Uplinks, clock: Clock, log: Log) {
    this.#names = names;
    this.#inventory = inventory;
    this.#uplinks = uplinks;
    this.#clock = clock;
    this.#log = log;
    this.meters = new MeterCounters(names, inventory, randomIds);
  }

  /** Loads the rules anew if somebody removed them, as a `flush ruleset` does; until then taps are shut. */
  async heal(): Promise<void> {
    const tables = new Set(await listTables());
    const missing = this.#names.tables.filter((table) => !tables.has(table));
    // Shut with nothing missing: somebody else's load, or the one that should have opened the taps, failed.
    if (missing.length === 0 && !tables.has(this.#names.shutTable)) return;
    if (missing.length > 0) {
      await applyNft(fullScript([planShutTable(this.#names)]));
      this.#log.error('rules-were-removed', { tables: missing, remedy: 'loaded anew; find out who flushes nftables' });
    }
    this.#lost = true;
    await this.sync();
  }

  async #load(): Promise<void> {
    if (this.#lost) this.#loaded = null;
    this.#lost = false;
    const wanted: Ruleset = [
      planBridgeTable(this.#names, this.#inventory, this.#uplinks),
      planInetTable(this.#names, this.#inventory, this.metadataPorts),
      planCableTable(this.#names, this.#inventory),
      planIntranetTable(this.#names, this.#inventory, this.#clock.nowMs()),
    ];
    if (this.#loaded !== null) {
      const counted = this.meters.plan();
      const change = changeScript(this.#loaded, [...wanted, counted]) + this.meters.removals(counted);
      if (change === '' || (await this.#changed(change))) return this.#is([...wanted, counted]);
    }
    const { plan, script } = await this.meters.adopt();
    // Taps are open again with the rules, not before. Counters that stand go on: their table is not replaced.
    await applyNft(fullScript(wanted) + script + removalScript([planShutTable(this.#names)]));
    this.#is([...wanted, plan]);
  }

  /** @returns false where the kernel does not have what was put there, so that all must be loaded */
  async #changed(script: string): Promise<boolean> {
    try {
      await applyNft(script);
      return true;
    } catch (error) {
      this.#log.warn('rules-differ', { error: errorText(error), remedy: 'loading all of them' });
      this.#loaded = null;
      return false;
    }
  }

  #is(ruleset: Ruleset): void {
    this.#loaded = ruleset;
    const counted = ruleset.at(-1);
    if (counted) this.meters.loaded(counted);
  }
}
