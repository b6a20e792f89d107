import type { Clock } from '../../../shared/clock.ts';
import { ledgerDigest } from '../../../shared/ledger-digest.ts';
import type { Observation } from '../../../shared/protocol/messages.ts';
import { errorText, type Log } from '../../log.ts';
import { Store, type StoreFormat } from '../../state/store.ts';
import { keyOf, type LedgerObject } from './ledger-object.ts';
import { planSeries, type Series, type SeriesPlan } from './plan-series.ts';

/** Epochs of servers that are no longer here; beyond this the lowest ids go. */
const EPOCHS_MAX = 100_000;

const FORMAT: StoreFormat = {
  name: 'ledger',
  version: 1,
  afterDamage: 'guests keep running; the edge is asked for all of the desired state',
  schema: `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  kind TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL, digest TEXT NOT NULL, deleted INTEGER NOT NULL,
  spec TEXT, applied_generation INTEGER NOT NULL, applied_boot TEXT NOT NULL, observation TEXT, settled INTEGER NOT NULL,
  PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs (server_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operations (
  op_id TEXT PRIMARY KEY, kind TEXT NOT NULL, target_kind TEXT NOT NULL, target_id TEXT NOT NULL,
  target_epoch INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, args TEXT NOT NULL, state TEXT NOT NULL,
  fault TEXT, result TEXT, acked INTEGER NOT NULL, finished_ms INTEGER) WITHOUT ROWID;
`,
};

const PUT = `INSERT INTO objects (kind, id, generation, digest, deleted, spec, applied_generation, applied_boot, observation, settled)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (kind, id) DO UPDATE SET generation = excluded.generation, digest = excluded.digest, deleted = excluded.deleted,
    spec = excluded.spec, applied_generation = excluded.applied_generation, applied_boot = excluded.applied_boot,
    observation = excluded.observation, settled = excluded.settled`;
const RECORD = `UPDATE objects SET applied_generation = ?, applied_boot = ?, observation = ?, settled = ? WHERE kind = ? AND id = ?`;
const PUT_META = 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';
const PUT_EPOCH =
  'INSERT INTO epochs (server_id, epoch) VALUES (?, ?) ON CONFLICT (server_id) DO UPDATE SET epoch = max(epoch, excluded.epoch)';

/** What became of an object: the reconciler's word. */
export interface Finding {
  kind: string;
  id: string;
  observation: Observation;
  /** Where an apply has ended: which, and in which boot of the machine. */
  applied?: { generation: number; boot: string };
}

/**
 * What this machine should hold, as the edge last said, and what was last seen of it. In memory for reading, in SQLite
 * for the next start; memory never says what the disk does not, except for findings, which can be looked up again.
 */
export class Ledger {
  readonly store: Store;
  readonly #log: Log;
  readonly #objects = new Map<string, LedgerObject>();
  readonly #epochs = new Map<string, number>();
  #generation = 0;
  /** Findings whose write failed; the next write takes them along. */
  readonly #unwritten = new Set<string>();

  private constructor(store: Store, log: Log) {
    this.store = store;
    this.#log = log;
  }

  /** Opens the ledger in a file. @throws StoreError */
  static open(path: string, clock: Clock, log: Log): Ledger {
    const ledger = new Ledger(Store.open(path, FORMAT, clock, log), log);
    ledger.#load();
    return ledger;
  }

  #load(): void {
    for (const row of this.store.prepare('SELECT * FROM objects').all([])) {
      const object = fromRow(row);
      // Removed, and the edge knows: only the row's deletion was lost.
      const over = object.deleted && object.settled && object.observation?.state === 'absent';
      if (!over) this.#objects.set(keyOf(object), object);
    }
    const epochs = this.store
      .prepare('SELECT server_id, epoch FROM epochs ORDER BY server_id DESC LIMIT ?')
      .all([EPOCHS_MAX]);
    for (const row of epochs) this.#epochs.set(String(row.server_id), Number(row.epoch));
    this.#generation = Number(this.meta('generation') ?? 0);
  }

  /** Highest generation held completely; 0 where nothing is known. */
  get generation(): number {
    return this.#generation;
  }
  get objects(): ReadonlyMap<string, LedgerObject> {
    return this.#objects;
  }
  get(kind: string, id: string): LedgerObject | undefined {
    return this.#objects.get(`${kind}/${id}`);
  }
  /** The highest epoch ever wanted of a server here; 0 where it is unknown. */
  epochSeen(serverId: string): number {
    return this.#epochs.get(serverId) ?? 0;
  }
  /** See shared/ledger-digest.ts. */
  digest(): Promise<string> {
    return ledgerDigest([...this.#objects.values()].filter((object) => !object.deleted));
  }
  meta(key: string): string | null {
    const value = this.store.prepare('SELECT value FROM meta WHERE key = ?').all([key])[0]?.value;
    return value === undefined ? null : String(value);
  }
  setMeta(key: string, value: string): void {
    this.store.write('durable', () => this.store.prepare(PUT_META).run([key, value]));
  }

  /**
   * Takes a series in, in one transaction that is on the disk when this returns.
   * @throws StoreError, and then nothing of it counts
   */
  accept(series: Series): SeriesPlan {
    const plan = planSeries({ generation: this.#generation, objects: this.#objects }, series);
    const epochs = plan.puts.flatMap(epochOf);
    if (plan.puts.length > 0 || plan.generation !== this.#generation) {
      this.store.write('durable', () => {
        for (const object of plan.puts) this.store.prepare(PUT).run(toRow(object));
        for (const [id, epoch] of epochs) this.store.prepare(PUT_EPOCH).run([id, epoch]);
        this.store.prepare(PUT_META).run(['generation', String(plan.generation)]);
      });
    }
    for (const object of plan.puts) this.#objects.set(keyOf(object), object);
    for (const [id, epoch] of epochs) this.#epochs.set(id, Math.max(epoch, this.epochSeen(id)));
    this.#generation = plan.generation;
    return plan;
  }

  /** Notes findings; returns the keys of those the edge has to hear of. A failing disk is logged and caught up with later. */
  record(findings: readonly Finding[]): string[] {
    const news: string[] = [];
    const changed: string[] = [];
    for (const finding of findings) {
      const key = keyOf(finding);
      const known = this.#objects.get(key);
      if (!known) continue;
      const same =
        known.observation !== null && JSON.stringify(known.observation) === JSON.stringify(finding.observation);
      const applied = finding.applied ?? { generation: known.appliedGeneration, boot: known.appliedBoot };
      if (!same) news.push(key);
      else if (applied.generation === known.appliedGeneration && applied.boot === known.appliedBoot) continue;
      this.#objects.set(key, {
        ...known,
        observation: same ? known.observation : finding.observation,
        settled: same && known.settled,
        appliedGeneration: applied.generation,
        appliedBoot: applied.boot,
      });
      changed.push(key);
    }
    this.#writeFindings(changed);
    return news;
  }

  /** The edge has stored these observations; what was seen absent is forgotten. */
  settle(observed: readonly { key: string; observation: Observation }[]): string[] {
    const changed: string[] = [];
    const gone: LedgerObject[] = [];
    for (const { key, observation } of observed) {
      const known = this.#objects.get(key);
      if (!known || known.observation !== observation || known.settled) continue;
      // Stored, but of an older wish: the edge waits for word of the newer one.
      if (observation.generation !== known.generation) continue;
      if (known.deleted && observation.state === 'absent') gone.push(known);
      this.#objects.set(key, { ...known, settled: true });
      changed.push(key);
    }
    this.#writeFindings(changed);
    if (gone.length > 0) this.#forget(gone);
    return gone.map(keyOf);
  }

  #forget(objects: readonly LedgerObject[]): void {
    for (const object of objects) this.#objects.delete(keyOf(object));
    this.#lazily(() => {
      for (const { kind, id } of objects)
        this.store.prepare('DELETE FROM objects WHERE kind = ? AND id = ?').run([kind, id]);
    });
  }

  #writeFindings(keys: readonly string[]): void {
    for (const key of keys) this.#unwritten.add(key);
    if (this.#unwritten.size === 0) return;
    const written = this.#lazily(() => {
      for (const key of this.#unwritten) {
        const object = this.#objects.get(key);
        if (object) this.store.prepare(RECORD).run(recordRow(object));
      }
    });
    if (written) this.#unwritten.clear();
  }

  #lazily(statements: () => void): boolean {
    try {
      this.store.write('lazy', statements);
      return true;
    } catch (error) {
      this.#log.error('ledger-write-failed', { what: 'observations', error: errorText(error) });
      return false;
    }
  }

  close(): void {
    this.store.close();
  }
}

function epochOf(object: LedgerObject): [string, number][] {
  const epoch = (object.spec as { epoch?: unknown } | null)?.epoch;
  return object.kind === 'server' && !object.deleted && typeof epoch === 'number' ? [[object.id, epoch]] : [];
}

const json = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));

function toRow(object: LedgerObject) {
  const { kind, id, generation, digest, deleted, spec, appliedGeneration, appliedBoot, observation, settled } = object;
  return [
    kind,
    id,
    generation,
    digest,
    Number(deleted),
    json(spec),
    appliedGeneration,
    appliedBoot,
    json(observation),
    Number(settled),
  ];
}

function recordRow(object: LedgerObject) {
  const { kind, id, appliedGeneration, appliedBoot, observation, settled } = object;
  return [appliedGeneration, appliedBoot, json(observation), Number(settled), kind, id];
}

function fromRow(row: Record<string, unknown>): LedgerObject {
  return {
    kind: String(row.kind),
    id: String(row.id),
    generation: Number(row.generation),
    digest: String(row.digest),
    deleted: row.deleted === 1,
    spec: row.spec === null ? null : JSON.parse(String(row.spec)),
    appliedGeneration: Number(row.applied_generation),
    appliedBoot: String(row.applied_boot),
    observation: row.observation === null ? null : (JSON.parse(String(row.observation)) as Observation),
    settled: row.settled === 1,
  };
}
