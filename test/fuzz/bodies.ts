import { ABYSS, abyss } from './nasty.ts';
import type { Change } from './requests.ts';

/** What fills the places of ids in a body. */
export type Fill = (kind: string) => string;

/** A body of the corpus with ids in their places, and names that are told apart where `mark` says how. */
export function filled(
  body: unknown,
  fill: Fill,
  mark: (text: string, key: string) => string = (text) => text,
): unknown {
  const visit = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') {
      const kind = /^\{([a-z_]*)\}$/.exec(value)?.[1];
      return kind === undefined ? mark(value, key) : fill(kind);
    }
    if (Array.isArray(value)) return value.map((one) => visit(one, key));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member, name)]));
  };
  return visit(body, '');
}

/** Every place in a body that holds something: its owner and its key. */
function places(body: unknown): { owner: Record<string, unknown>; key: string }[] {
  if (body === null || typeof body !== 'object') return [];
  const owner = body as Record<string, unknown>;
  return Object.keys(owner).flatMap((key) => [{ owner, key }, ...places(owner[key])]);
}

/** The JSON of a body after some changes; a member that is there twice can be no object. */
export function changed(body: unknown, changes: readonly Change[]): string {
  const root = { body: structuredClone(body) };
  const twice: string[] = [];
  for (const { at, what, key, value: shared } of changes) {
    const value = structuredClone(shared);
    const all = places(root);
    const place = all[at % all.length];
    if (!place) continue;
    const { owner } = place;
    switch (what) {
      case 'replace':
        owner[place.key] = value;
        break;
      case 'remove':
        if (Array.isArray(owner)) owner.splice(Number(place.key), 1);
        else if (owner !== root) delete owner[place.key];
        break;
      case 'wrap':
        owner[place.key] = [owner[place.key]];
        break;
      case 'add': {
        const target = owner[place.key];
        if (Array.isArray(target)) target.push(value);
        else if (target !== null && typeof target === 'object') {
          Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
        }
        break;
      }
      default:
        twice.push(place.key);
    }
  }
  let text = (JSON.stringify(root.body) ?? '').replaceAll(JSON.stringify(ABYSS), abyss);
  for (const key of twice) text = text.replace(`${JSON.stringify(key)}:`, (found) => `${found}null,${found}`);
  return text;
}
