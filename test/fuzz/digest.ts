import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/**
 * What is written without a request that succeeds: who tried what, how often, what is still to be swept away, and what came
 * of telling of it.
 */
const JOURNALS =
  /^(audit|loose_blobs|sqlite_.*|__drizzle.*)$|attempt|^webhook_(deliveries|endpoints|secrets)$|lockout|failure|rate_/;
/** What a region's rounds write at any moment: what is due is charged, told and closed. */
const ROUNDS =
  /^(events|event_versions|meter_alarms|billing_(accounts|balances|budget_alerts|holds|invoice_lines|invoices|products|purchases|subscriptions|transfers|vouchers))$/;

/** By table: a digest of its rows. */
export type Digests = ReadonlyMap<string, string>;

/** Looks into the database's file from outside, to see whether anything changed. */
export class DatabaseWatch {
  readonly #db: DatabaseSync;
  readonly #tables: string[];
  /** Those whose rows belong to projects. */
  readonly #ofProjects: string[];
  #version = -1;
  #last: Digests = new Map();

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true });
    const named = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    this.#tables = named.map(({ name }) => String(name)).filter((name) => !JOURNALS.test(name) && !ROUNDS.test(name));
    this.#ofProjects = this.#tables.filter((table) =>
      this.#db.prepare(`SELECT 1 FROM pragma_table_info('${table}') WHERE name = 'project_id'`).get(),
    );
  }

  /** A digest of all that a project has. */
  ofProject(id: string): Digests {
    return new Map(this.#ofProjects.map((table) => [table, this.#digest(table, id)]));
  }

  /** The digests as they are now; costs nothing while nobody writes. */
  now(): Digests {
    const version = Number(this.#db.prepare('PRAGMA data_version').get()?.data_version);
    if (version === this.#version) return this.#last;
    this.#version = version;
    this.#last = new Map(this.#tables.map((table) => [table, this.#digest(table)]));
    return this.#last;
  }

  close(): void {
    this.#db.close();
  }

  #digest(table: string, projectId?: string): string {
    const hash = createHash('sha1');
    const rows = this.#db.prepare(`SELECT * FROM "${table}" ${projectId === undefined ? '' : 'WHERE project_id = ?'}`);
    for (const row of rows.iterate(...(projectId === undefined ? [] : [projectId]))) hash.update(JSON.stringify(row));
    return hash.digest('base64');
  }
}

/** The tables that differ. */
export const changedTables = (before: Digests, after: Digests): string[] =>
  [...after.keys()].filter((table) => before.get(table) !== after.get(table));
