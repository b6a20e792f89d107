/**
 * What one machine's object keeps of its samples, in its own storage. All is written without an await between, so each
 * message is in it whole or not at all; what is in memory is only a copy, and is read anew after an eviction or a failure.
 */
export interface Book {
  storage: DurableObjectStorage;
  /** By `seriesKey`; null until read. */
  series: Map<string, Series> | null;
  /** By type and id, as `ownerKey` joins them; null until read. */
  owners: Map<string, Owner> | null;
  /** What the database did not know as this machine's, and when it was asked. */
  strangers: Map<string, number>;
  /** How many refusals are listed; null until counted. */
  refused: number | null;
  /** Whether the last round left points whose time is over. */
  left: boolean;
}

/** One counter or gauge while its epoch lasts. */
export interface Series {
  id: number;
  type: string;
  resource: string;
  meter: string;
  epoch: string;
  /** The value before the first point: zero, or the first point's own where counting had begun before our metering. */
  base: number;
  adopted: boolean;
  /** Where a value was more than can be, that and all above it is refused while the epoch lasts. */
  refusedFrom: number | null;
  firstMs: number | null;
  lastMs: number | null;
  last: number | null;
}

export interface Owner {
  type: string;
  resource: string;
  projectId: string;
  createdAtMs: number;
  checkedAtMs: number;
  /** When it was first seen to be no longer this machine's; what was sampled until then still counts. */
  leftAtMs: number | null;
}

export interface Point {
  t: number;
  v: number;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS meter_facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meter_spools (spool TEXT PRIMARY KEY, session TEXT NOT NULL, floor INTEGER NOT NULL, used_at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meter_ranges (spool TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (spool, first)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meter_series (id INTEGER PRIMARY KEY, type TEXT NOT NULL, resource TEXT NOT NULL, meter TEXT NOT NULL,
    epoch TEXT NOT NULL, base INTEGER NOT NULL, adopted INTEGER NOT NULL, refused_from INTEGER, UNIQUE (resource, meter, type, epoch));
  CREATE TABLE IF NOT EXISTS meter_points (series INTEGER NOT NULL, t INTEGER NOT NULL, v INTEGER NOT NULL, n INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (series, t)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meter_arrivals (n INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER NOT NULL, at_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS meter_hours (start_ms INTEGER PRIMARY KEY, version INTEGER NOT NULL, dirty INTEGER NOT NULL, thinned INTEGER NOT NULL, changed_at_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS meter_owners (type TEXT NOT NULL, resource TEXT NOT NULL, project_id TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
    checked_at_ms INTEGER NOT NULL, left_at_ms INTEGER, PRIMARY KEY (type, resource)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meter_refused (reason TEXT NOT NULL, type TEXT NOT NULL, resource TEXT NOT NULL, meter TEXT NOT NULL, count INTEGER NOT NULL,
    first_at_ms INTEGER NOT NULL, last_at_ms INTEGER NOT NULL, last_value TEXT NOT NULL, told INTEGER NOT NULL, PRIMARY KEY (reason, type, resource, meter)) WITHOUT ROWID;`;

/** Opens the book of an object; makes its tables where there are none. */
export function openBook(storage: DurableObjectStorage): Book {
  storage.sql.exec(TABLES);
  // A book of a release before: its points did not say in which order they came.
  if (storage.sql.exec(`SELECT 1 FROM pragma_table_info('meter_points') WHERE name = 'n'`).toArray().length === 0)
    storage.sql.exec('ALTER TABLE meter_points ADD COLUMN n INTEGER NOT NULL DEFAULT 0');
  return { storage, series: null, owners: null, strangers: new Map(), refused: null, left: false };
}

/** Forgets what is in memory: the storage has the truth. */
export function forgetCopies(book: Book): void {
  book.series = null;
  book.owners = null;
  book.refused = null;
}

export const seriesKey = (type: string, resource: string, meter: string, epoch: string) =>
  `${type}\n${resource}\n${meter}\n${epoch}`;
export const ownerKey = (type: string, resource: string) => `${type}\n${resource}`;

/** What is known once a machine: numbers and texts by name. */
export interface Facts {
  runnerId: string;
  region: string;
  /** The time of the first samples that this object took. */
  sinceMs: number;
  /** The latest time up to which the machine has said all that it has. */
  spokenMs: number;
  /** How far windows are sealed, and up to when points are closed: what comes for before is refused. */
  sealedMs: number;
  closedMs: number;
}

const NO_FACTS: Facts = { runnerId: '', region: '', sinceMs: 0, spokenMs: 0, sealedMs: 0, closedMs: 0 };

export function factsOf(book: Book): Facts {
  const rows = book.storage.sql.exec<{ name: string; value: string | number }>('SELECT name, value FROM meter_facts');
  return { ...NO_FACTS, ...Object.fromEntries(rows.toArray().map(({ name, value }) => [name, value])) };
}

export function keepFacts(book: Book, facts: Partial<Facts>): void {
  for (const [name, value] of Object.entries(facts)) {
    book.storage.sql.exec('INSERT OR REPLACE INTO meter_facts (name, value) VALUES (?, ?)', name, value);
  }
}
