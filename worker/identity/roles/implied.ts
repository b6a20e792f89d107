import type { Named } from '../tokens/token.ts';

/** Which global role implies which, by name. It cannot be changed, as every service's policy rests on it. */
export const IMPLIED_ROLES: Readonly<Record<string, string>> = {
  admin: 'manager',
  manager: 'member',
  member: 'reader',
};

/** The names of the roles that others imply. */
export const IMPLIED_ROLE_NAMES = Object.values(IMPLIED_ROLES);

/** The names of all roles that come with a global role, nearest first. */
export function impliedBy(name: string): string[] {
  const next = IMPLIED_ROLES[name];
  return next === undefined ? [] : [next, ...impliedBy(next)];
}

/**
 * Roles with all that they imply, each once.
 * @param known - the global roles that can be implied
 */
export function withImplied(held: readonly Named[], known: readonly Named[]): Named[] {
  const names = new Set(held.flatMap(({ name }) => impliedBy(name)));
  for (const { name } of held) names.delete(name);
  return [...held, ...known.filter(({ name }) => names.has(name))];
}
