/** Of one kind; the oldest go first. */
const PER_KIND_MAX = 12;

/** Ids of things that are there, by kind. */
export class Pool {
  readonly #ids = new Map<string, string[]>();

  add(kind: string, id: string): void {
    const ids = this.#ids.get(kind) ?? [];
    if (!ids.includes(id)) this.#ids.set(kind, [...ids, id].slice(-PER_KIND_MAX));
  }

  /** Forgets what was deleted. */
  remove(id: string): void {
    for (const [kind, ids] of this.#ids) {
      const left = ids.filter((one) => one !== id);
      if (left.length > 0) this.#ids.set(kind, left);
      else this.#ids.delete(kind);
    }
  }

  /** Takes over what another knows of kinds that this knows nothing of. */
  inherit(from: Pool): void {
    for (const [kind, ids] of from.#ids) if (!this.has(kind)) this.#ids.set(kind, [...ids]);
  }

  has(kind: string): boolean {
    return this.#ids.has(kind);
  }

  /** One of a kind, or of any kind where none is named. */
  pick(kind: string, at: number): string | undefined {
    const ids = kind === '' ? [...this.#ids.values()].flat() : (this.#ids.get(kind) ?? []);
    return ids[at % ids.length];
  }
}
