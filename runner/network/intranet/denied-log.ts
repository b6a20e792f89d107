import type { Clock } from '../../../shared/clock.ts';
import { DENIED_FLOWS_MAX, type DeniedFlow, type DeniedQuery } from '../../../shared/specs/intranet.ts';
import type { PortSpec } from '../../../shared/specs/network.ts';
import { gathered } from '../../host/wait.ts';
import type { Log } from '../../log.ts';
import { canonicalAddress } from '../addresses.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { type Count, type Counter, readCounts } from './read-counts.ts';

/** Flows that are remembered, the latest, and for how long. */
const REMEMBERED_MAX = 8192;
const REMEMBERED_MS = 24 * 3600 * 1000;
/** Lines of the log that one reading writes. */
const LOGGED_MAX = 20;

/** Remembers what guests were denied: whose it was, where it went, when and how much. */
export class DeniedLog {
  readonly #names: Names;
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What the kernel's counters stood at; they begin anew with their table. */
  #counted = new Map<string, Counter>();
  /** The latest come last. */
  readonly #flows = new Map<string, DeniedFlow>();

  constructor(names: Names, inventory: Inventory, clock: Clock, log: Log) {
    this.#names = names;
    this.#inventory = inventory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes in what was denied since it was last read. One reading at a time: an older one that ended last would count twice. */
  readonly read = gathered(() => this.#read());

  async #read(): Promise<void> {
    const filter = this.#inventory.all('intranet').get('filter')?.spec;
    if (!filter || filter.prefixes.length === 0) return;
    const counts = await readCounts(this.#names.intranetTable);
    const senders = this.#senders();
    const fresh = counts.flatMap((count) => {
      const more = since(count, this.#counted.get(count.key));
      const port = more.packets > 0 ? senders(count.sender) : undefined;
      return port && this.#remember(port, { ...count, ...more }, !filter.dry_run) ? [{ port, count }] : [];
    });
    this.#counted = new Map(counts.map((count) => [count.key, count]));
    this.#forget();
    this.#write(fresh, !filter.dry_run);
  }

  /** What is remembered, the latest first. */
  async answer(of: DeniedQuery): Promise<{ flows: DeniedFlow[] }> {
    await this.read();
    const wanted = Object.entries(of) as [keyof DeniedQuery, string | undefined][];
    const flows = [...this.#flows.values()].filter((flow) =>
      wanted.every(([key, id]) => id === undefined || flow[key] === id),
    );
    return { flows: flows.reverse().slice(0, DENIED_FLOWS_MAX) };
  }

  #senders(): (sender: Count['sender']) => PortSpec | undefined {
    const found = new Map<string, PortSpec>();
    for (const { spec, number } of this.#inventory.ports.values()) {
      found.set(String(number), spec);
      const bridge = this.#names.bridge(spec.network_id);
      for (const { ip_address } of spec.fixed_ips) found.set(`${bridge} ${canonicalAddress(ip_address)}`, spec);
    }
    return (sender) => found.get('number' in sender ? String(sender.number) : `${sender.bridge} ${sender.address}`);
  }

  /** @returns whether it is new */
  #remember(port: PortSpec, { destination, protocol, port: dport, packets, bytes }: Count, dropped: boolean): boolean {
    const key = JSON.stringify([port.id, destination, protocol, dport, dropped]);
    const known = this.#flows.get(key);
    const now = this.#clock.nowMs();
    this.#flows.delete(key);
    this.#flows.set(key, {
      port_id: port.id,
      project_id: port.project_id,
      server_id: port.server_id,
      destination,
      protocol,
      port: dport,
      packets: (known?.packets ?? 0) + packets,
      bytes: (known?.bytes ?? 0) + bytes,
      first_seen_ms: known?.first_seen_ms ?? now,
      last_seen_ms: now,
      dropped,
    });
    return known === undefined;
  }

  #forget(): void {
    const before = this.#clock.nowMs() - REMEMBERED_MS;
    for (const [key, flow] of this.#flows) {
      if (this.#flows.size <= REMEMBERED_MAX && flow.last_seen_ms >= before) return;
      this.#flows.delete(key);
    }
  }

  #write(fresh: { port: PortSpec; count: Count }[], dropped: boolean): void {
    const flows = fresh.filter(({ count }) => count.destination !== null);
    for (const { port, count } of flows.slice(0, LOGGED_MAX)) {
      const { destination, protocol, port: dport } = count;
      const { id, project_id, server_id } = port;
      const whose = { port_id: id, project_id, server_id };
      this.#log.warn('intranet-denied', { ...whose, destination, protocol, port: dport, dropped });
    }
    if (flows.length > LOGGED_MAX) this.#log.warn('intranet-denied-more', { flows: flows.length - LOGGED_MAX });
  }
}

/** What a counter rose by; one that is lower than it was began anew. */
function since(now: Counter, before: Counter | undefined): Counter {
  if (!before || now.packets < before.packets) return { packets: now.packets, bytes: now.bytes };
  return { packets: now.packets - before.packets, bytes: now.bytes - before.bytes };
}
