import type { Entry } from './entry.ts';
import type { References } from './references.ts';

/** Who holds what on the machine: for everything needed or claimed, the entries that have it. */
export class Holdings {
  readonly #users = new Map<string, Set<Entry>>();

  /** Notes what an entry holds from now on. */
  set(entry: Entry, held: References): void {
    for (const name of namesOf(entry.held)) {
      const users = this.#users.get(name);
      users?.delete(entry);
      if (users?.size === 0) this.#users.delete(name);
    }
    entry.held = held;
    for (const name of namesOf(held)) {
      const users = this.#users.get(name);
      if (users) users.add(entry);
      else this.#users.set(name, new Set([entry]));
    }
  }

  usersOf(name: string): Iterable<Entry> {
    return this.#users.get(name) ?? [];
  }
}

const namesOf = (references: References) => [...references.needs, ...references.claims];
