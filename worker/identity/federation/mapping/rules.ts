import { z } from 'zod';
import { compilePattern } from './pattern.ts';
import { placeholders } from './template.ts';

/** 2.0 lets projects and users have the domain that stands beside them; 3.0 takes away what the provider no longer says. */
export const SCHEMA_VERSIONS = ['1.0', '2.0', '3.0'] as const;
export type SchemaVersion = (typeof SCHEMA_VERSIONS)[number];
export const DEFAULT_SCHEMA_VERSION = '1.0';

const RULES_MAX = 256;
const PARTS_MAX = 64;
const VALUES_MAX = 1_024;

const template = z.string().superRefine((text, check) => {
  try {
    placeholders(text);
  } catch (error) {
    check.addIssue({ code: 'custom', message: (error as Error).message });
  }
});
const domain = z.strictObject({ id: template.optional(), name: template.optional() });
const roles = z.array(z.strictObject({ name: template }));
const project = z.strictObject({ name: template, roles, domain: domain.optional() });
const user = z.strictObject({
  id: template.optional(),
  name: template.optional(),
  email: template.optional(),
  domain: domain.optional(),
  type: z.enum(['ephemeral', 'local'], 'it is neither "ephemeral" nor "local"').optional(),
});
const group = z
  .strictObject({ id: template.optional(), name: template.optional(), domain: domain.optional() })
  .refine(
    ({ id, name, domain }) => (id === undefined ? name !== undefined && domain !== undefined : !name && !domain),
    'it has either an id, or a name and a domain',
  );
const local = z.strictObject({
  user: user.optional(),
  group: group.optional(),
  groups: template.optional(),
  group_ids: template.optional(),
  domain: domain.optional(),
  projects: z.array(project).max(PARTS_MAX).optional(),
  projects_json: template.optional(),
});
export type Local = z.infer<typeof local>;

const CONDITIONS = ['any_one_of', 'not_any_of', 'whitelist', 'blacklist'] as const;
const values = z.array(z.string()).max(VALUES_MAX).optional();
const remote = z
  .strictObject({
    type: z.string(),
    any_one_of: values,
    not_any_of: values,
    whitelist: values,
    blacklist: values,
    regex: z.boolean().optional(),
  })
  .superRefine((part, check) => {
    const given = CONDITIONS.filter((name) => part[name] !== undefined);
    const say = (message: string) => check.addIssue({ code: 'custom', message });
    if (given.length > 1) return say(`it has ${given.join(' and ')}: there may be one of them`);
    const [condition] = given;
    if (!condition) return part.regex === undefined ? undefined : say('regex stands where there is nothing to match');
    if (!part.regex) return;
    for (const pattern of part[condition] ?? []) {
      try {
        compilePattern(pattern);
      } catch (error) {
        say((error as Error).message);
      }
    }
  });
export type Remote = z.infer<typeof remote>;

/** Whether a requirement's values can be named by a template, rather than only being a condition. */
export const isDirect = (part: Remote): boolean => part.any_one_of === undefined && part.not_any_of === undefined;

const rule = z
  .strictObject({
    local: z.array(local).max(PARTS_MAX),
    remote: z.array(remote).min(1, 'there is nothing in it').max(PARTS_MAX),
  })
  .superRefine(({ local, remote }, check) => {
    const count = remote.filter(isDirect).length;
    const beyond = templatesOf(local)
      .flatMap(safePlaceholders)
      .find((index) => index >= count);
    if (beyond === undefined) return;
    const message = `{${beyond}} refers to a remote match that doesn't exist: its remote part gives ${count}`;
    check.addIssue({ code: 'custom', path: ['local'], message });
  });
export type Rule = z.infer<typeof rule>;

/** `rules` of a mapping. */
export const rules = z.array(rule).min(1, 'there is nothing in it').max(RULES_MAX);

/** Every text in a part of a rule. */
function templatesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(templatesOf) : [];
}

/** A text with stray braces has a complaint of its own already. */
function safePlaceholders(text: string): number[] {
  try {
    return placeholders(text);
  } catch {
    return [];
  }
}

/** What a mapping of an older version may not have yet. */
export function newerThan(version: SchemaVersion, all: readonly Rule[]): string | undefined {
  const parts = all.flatMap(({ local }) => local);
  if (version === '1.0' && parts.some(({ projects = [] }) => projects.some(({ domain }) => domain)))
    return "a project's domain needs schema_version 2.0";
  if (version !== '3.0' && parts.some((part) => part.projects_json !== undefined))
    return 'projects_json needs schema_version 3.0';
  return undefined;
}
