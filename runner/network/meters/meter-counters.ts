import type { Ids } from '../../../shared/ids.ts';
import type { Sample } from '../../../shared/protocol/messages.ts';
import { listCounters, readTable, type TableState } from '../../host/nft.ts';
import { changeScript, type TablePlan } from '../firewall/ruleset.ts';
import type { Inventory } from '../inventory.ts';
import type { Names } from '../names.ts';
import { type Counted, type CounterPair, counterPair, parseCounterName } from './counter-names.ts';
import { planMeterTable } from './plan-meter-table.ts';

/** Characters of a random epoch: two of a resource never meet. */
const EPOCH_CHARACTERS = 12;

/**
 * The counters of the kernel for traffic with the world. They outlive the rules that name them: a resource that goes loses
 * its rules at once and its counters only when they were read a last time and the reading is on the disk. So nothing is
 * lost between a reading and a removal, whatever ends in between.
 */
export class MeterCounters {
  readonly #names: Names;
  readonly #inventory: Inventory;
  readonly #ids: Ids;
  /** The names of those in the kernel. */
  readonly #there = new Set<string>();
  /** Of resources that have some there, or were planned to. */
  readonly #pairs = new Map<string, CounterPair>();
  /** Named by rules. */
  #named: ReadonlySet<string> = new Set();
  /** Named by no rule when they were last read, nor since. */
  #final = new Set<string>();
  /** To be removed with the next change of the rules, if nothing names them then. */
  readonly #over = new Set<string>();
  /** Of those, what the script that is being loaded removes. */
  #removing: string[] = [];

  constructor(names: Names, inventory: Inventory, ids: Ids) {
    this.#names = names;
    this.#inventory = inventory;
    this.#ids = ids;
  }

  /** What the table is to be now, with counters that are there. */
  plan(): TablePlan {
    return planMeterTable(this.#names, this.#inventory, (type, id) => {
      const key = keyOf({ type, id });
      const known = this.#pairs.get(key);
      if (known) return known;
      const made = counterPair({ type, id, epoch: this.#ids.hex().slice(0, EPOCH_CHARACTERS) });
      this.#pairs.set(key, made);
      return made;
    });
  }

  /** The script that removes what was read a last time. @param plan - what will be named */
  removals(plan: TablePlan): string {
    this.#removing = [...this.#over].filter((name) => this.#there.has(name) && !plan.counters?.has(name));
    return this.#removing.map((name) => `delete counter inet ${this.#names.metersTable} ${name}\n`).join('');
  }

  /**
   * Looks at what the kernel has, as after a start or when somebody flushed the rules, and plans anew.
   * @returns the plan, and the script that makes it so without touching a counter that stands
   */
  async adopt(): Promise<{ plan: TablePlan; script: string }> {
    const there = await readTable(this.#names.metersTable);
    this.#there.clear();
    // What was made for counters that are gone begins anew.
    this.#pairs.clear();
    for (const { name } of there?.counters ?? []) this.#note(name);
    const plan = this.plan();
    const empty: TablePlan = { ...plan, sets: new Map(), chains: new Map(), counters: new Set(this.#there) };
    const table = `inet ${this.#names.metersTable}`;
    const script = `${there ? bare(table, there) : ''}${changeScript([empty], [plan])}${this.removals(plan)}`;
    return { plan, script: `add table ${table}\n${script}` };
  }

  /** The kernel has it as planned. */
  loaded(plan: TablePlan): void {
    for (const name of plan.counters ?? []) this.#note(name);
    this.#named = plan.counters ?? new Set();
    // Not all that is over: more may be since the script was written.
    for (const name of this.#removing) this.#forget(name);
    for (const name of [...this.#removing, ...this.#named]) this.#over.delete(name);
    this.#removing = [];
    for (const name of this.#named) this.#final.delete(name);
  }

  #note(name: string): void {
    if (this.#there.has(name)) return;
    const { counted } = parseCounterName(name) ?? {};
    if (!counted) return;
    this.#there.add(name);
    if (!this.#pairs.has(keyOf(counted))) this.#pairs.set(keyOf(counted), counterPair(counted));
  }

  #forget(name: string): void {
    this.#there.delete(name);
    const { counted } = parseCounterName(name) ?? {};
    if (counted && this.#pairs.get(keyOf(counted))?.epoch === counted.epoch) this.#pairs.delete(keyOf(counted));
  }

  /** Reads all counters. */
  async read(): Promise<Sample[]> {
    // Known before the reading, so that no packet is counted after it.
    this.#final = new Set([...this.#there].filter((name) => !this.#named.has(name)));
    return samplesOf(await listCounters(this.#names.metersTable));
  }

  /** The last reading is kept. @returns whether there is something to remove with the next change of the rules */
  kept(): boolean {
    for (const name of this.#final) this.#over.add(name);
    this.#final.clear();
    return this.#over.size > 0;
  }
}

const keyOf = ({ type, id }: Pick<Counted, 'type' | 'id'>) => `${type} ${id}`;

/** Takes a table's rules and sets away, not its counters. */
function bare(table: string, { sets, chains }: TableState): string {
  const lines = [
    ...chains.map((name) => `flush chain ${table} ${name}`),
    ...sets.map(({ kind, name }) => `delete ${kind} ${table} ${name}`),
    ...chains.map((name) => `delete chain ${table} ${name}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const METER = {
  port: { in: 'public.ingress.bytes', out: 'public.egress.bytes' },
  floating_ip: { in: 'floating_ip.ingress.bytes', out: 'floating_ip.egress.bytes' },
} as const;

function samplesOf(counters: TableState['counters']): Sample[] {
  const samples = new Map<string, Sample>();
  for (const { name, bytes } of counters) {
    const { counted, way } = parseCounterName(name) ?? {};
    if (!counted || !way) continue;
    const { type, id, epoch } = counted;
    const key = `${type} ${id} ${epoch}`;
    const sample = samples.get(key) ?? { type, id, epoch, values: {} };
    sample.values[METER[type][way]] = bytes;
    samples.set(key, sample);
  }
  return [...samples.values()];
}
