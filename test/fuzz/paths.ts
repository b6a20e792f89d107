import { matcher, type Route } from './routes.ts';

/** Of one route; the oldest go first. */
const PER_ROUTE_MAX = 8;

/** Paths of objects that were there when they were last heard of, by the route that answers them. */
export class KnownPaths {
  readonly #fixed: Set<string>;
  readonly #items: { path: string; matches: RegExp }[];
  readonly #known = new Map<string, string[]>();

  constructor(routes: readonly Route[]) {
    this.#fixed = new Set(routes.map(({ path }) => path).filter((path) => !path.includes('/:')));
    const paths = new Set(routes.map(({ path }) => path).filter((path) => path.includes('/:')));
    this.#items = [...paths].map((path) => ({ path, matches: matcher(path) }));
  }

  /** A request there did what was asked, or an answer links to it. */
  add(path: string): void {
    if (this.#fixed.has(path)) return;
    for (const item of this.#items) {
      if (!item.matches.test(path)) continue;
      const known = this.#known.get(item.path) ?? [];
      if (!known.includes(path)) this.#known.set(item.path, [...known, path].slice(-PER_ROUTE_MAX));
    }
  }

  /** Forgets what was deleted, and all below it. */
  remove(path: string): void {
    for (const [route, known] of this.#known) {
      this.#known.set(
        route,
        known.filter((one) => one !== path && !one.startsWith(`${path}/`)),
      );
    }
  }

  /** One of a path of the API, or of what is above it. @returns it, and how many segments of the API's path it stands for */
  pick(path: string, at: number): { known: string; segments: number } | undefined {
    const segments = path.split('/');
    for (let length = segments.length; length > 0; length -= 1) {
      const all = this.#known.get(segments.slice(0, length).join('/')) ?? [];
      const known = all[at % all.length];
      if (known !== undefined) return { known, segments: length };
    }
    return undefined;
  }
}
