import { z } from 'zod';
import { compilePattern } from './pattern.ts';
import { isDirect, type Local, type Remote, type Rule, type SchemaVersion } from './rules.ts';
import { fillList, fillText } from './template.ts';

/** What an identity provider says of somebody: each claim with its values. */
export type Assertion = Readonly<Record<string, readonly string[]>>;

/** A domain by one of the two; neither: the identity provider's own. */
export interface DomainRef {
  id?: string | undefined;
  name?: string | undefined;
}

/** Who somebody is here, and what that one may do. */
export interface Mapped {
  user: { type: 'ephemeral' | 'local'; id?: string; name?: string; email?: string; domain?: DomainRef };
  groupIds: string[];
  groupNames: { name: string; domain: DomainRef }[];
  projects: MappedProject[];
}
export interface MappedProject {
  name: string;
  roles: string[];
  domain?: DomainRef | undefined;
}

/** The rules make nobody of what a provider says. The message is for the operator's log, not for whom it keeps out. */
export class NotMapped extends Error {}

/**
 * What the rules make of an assertion.
 * @throws NotMapped when no rule applies, or one makes something that cannot be
 */
export function evaluate(rules: readonly Rule[], version: SchemaVersion, assertion: Assertion): Mapped {
  const found = rules.flatMap(({ local, remote }) => {
    const claims = claimsFor(remote, assertion);
    return claims ? local.map((part) => filled(part, claims)) : [];
  });
  const last = found.at(-1);
  if (!last) throw new NotMapped('no rule of the mapping applies to what the identity provider says');
  const user = found.find((part) => part.user && Object.keys(part.user).length > 0)?.user ?? {};
  const domain = version === '1.0' ? undefined : last.domain;
  const projects = found.findLast((part) => part.projects !== undefined);
  return {
    user: { type: 'ephemeral', ...(domain ? { domain } : {}), ...user },
    groupIds: [...new Set(found.flatMap((part) => part.groupIds))],
    groupNames: uniqueBy(
      found.flatMap((part) => part.groupNames),
      ({ name, domain }) => JSON.stringify([name, domain.id, domain.name]),
    ),
    projects: (projects?.projects ?? []).map((one) => ({
      ...(version !== '1.0' && projects?.domain ? { domain: projects.domain } : {}),
      ...one,
    })),
  };
}

/** A part of a rule with its claims in place. */
interface Filled {
  user?: Omit<Mapped['user'], 'type'> & { type?: 'ephemeral' | 'local' };
  domain?: DomainRef;
  groupIds: string[];
  groupNames: Mapped['groupNames'];
  projects?: MappedProject[];
}

/** The values that templates may name, in order; undefined when the rule does not apply. */
function claimsFor(remote: readonly Remote[], assertion: Assertion): string[][] | undefined {
  const claims: string[][] = [];
  for (const part of remote) {
    const given = Object.hasOwn(assertion, part.type) ? assertion[part.type] : undefined;
    if (!given || given.length === 0) return undefined;
    if (!isDirect(part)) {
      const wanted = part.any_one_of !== undefined;
      const test = matcher(part.any_one_of ?? part.not_any_of ?? [], part.regex);
      if (given.some(test) !== wanted) return undefined;
      continue;
    }
    const { blacklist, whitelist } = part;
    const test = matcher(blacklist ?? whitelist ?? [], part.regex);
    if (blacklist) claims.push(given.filter((value) => !test(value)));
    else claims.push(whitelist ? given.filter(test) : [...given]);
  }
  return claims;
}

function matcher(values: readonly string[], regex = false): (value: string) => boolean {
  if (!regex) return (value) => values.includes(value);
  const patterns = values.map(compilePattern);
  return (value) => patterns.some((pattern) => pattern.test(value));
}

function filled(part: Local, claims: string[][]): Filled {
  const domain = part.domain && domainOf(part.domain, claims);
  const projects = projectsOf(part, claims);
  return {
    ...(part.user ? { user: userOf(part.user, claims) } : {}),
    ...(domain ? { domain } : {}),
    groupIds: [
      ...(part.group?.id === undefined ? [] : [fillText(part.group.id, claims)]),
      ...(part.group_ids === undefined ? [] : fillList(part.group_ids, claims)),
    ],
    groupNames: [
      ...(part.group?.name !== undefined && part.group.domain
        ? [{ name: fillText(part.group.name, claims), domain: domainOf(part.group.domain, claims) }]
        : []),
      ...(part.groups === undefined ? [] : fillList(part.groups, claims).map((text) => groupOf(text, domain))),
    ],
    ...(projects ? { projects } : {}),
  };
}

function userOf(user: NonNullable<Local['user']>, claims: string[][]): NonNullable<Filled['user']> {
  const { type, domain, ...texts } = user;
  const values = Object.entries(texts).map(([key, text = '']) => [key, fillText(text, claims)]);
  return {
    ...Object.fromEntries(values),
    ...(type ? { type } : {}),
    ...(domain ? { domain: domainOf(domain, claims) } : {}),
  };
}

const domainOf = (domain: DomainRef, claims: string[][]): DomainRef => ({
  ...(domain.id === undefined ? {} : { id: fillText(domain.id, claims) }),
  ...(domain.name === undefined ? {} : { name: fillText(domain.name, claims) }),
});

const JSON_GROUP = 'JSON:';
const domainSaid = z.object({ id: z.string().optional(), name: z.string().optional() });
const groupSaid = z.object({ name: z.string(), domain: domainSaid });
const projectsSaid = z.array(
  z.strictObject({
    name: z.string(),
    roles: z.array(z.strictObject({ name: z.string() })),
    domain: domainSaid.optional(),
  }),
);

/** A group by its name in the domain that stands beside it, or `JSON:{"name": ..., "domain": ...}`. */
function groupOf(text: string, domain: DomainRef | undefined): { name: string; domain: DomainRef } {
  if (text.startsWith(JSON_GROUP)) return parsed(text.slice(JSON_GROUP.length), groupSaid, 'a group');
  if (!domain) throw new NotMapped("a rule has 'groups' without a 'domain'");
  return { name: text, domain };
}

function projectsOf(part: Local, claims: string[][]): MappedProject[] | undefined {
  if (!part.projects && part.projects_json === undefined) return undefined;
  const written = (part.projects ?? []).map(({ name, roles, domain }) => ({
    name: fillText(name, claims),
    roles: roles.map((role) => fillText(role.name, claims)),
    ...(domain ? { domain: domainOf(domain, claims) } : {}),
  }));
  if (part.projects_json === undefined) return written;
  const told = fillList(part.projects_json, claims).flatMap((text) => parsed(text, projectsSaid, 'projects'));
  return [...written, ...told.map(({ roles, ...rest }) => ({ ...rest, roles: roles.map(({ name }) => name) }))];
}

function parsed<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new NotMapped(`the identity provider's word for ${what} is not JSON`);
  }
  const { data, error } = schema.safeParse(json);
  if (!data) throw new NotMapped(`the identity provider's word for ${what} is wrong: ${error?.issues[0]?.message}`);
  return data;
}

function uniqueBy<T>(all: readonly T[], key: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()];
}
