/** What may stand for itself in an endpoint's URL, as `$(project_id)s` or `%(project_id)s`. */
const VARIABLES = ['tenant_id', 'project_id', 'user_id'] as const;
type Variable = (typeof VARIABLES)[number];

const VARIABLE = /[$%]\((\w*)\)s/g;

/** Whether a URL asks for nothing that cannot be filled in, as Keystone checks it when an endpoint is made. */
export function isFillable(url: string): boolean {
  const rest = url.replace(VARIABLE, (all, name: string) => (VARIABLES.includes(name as Variable) ? '' : all));
  return !/[$%]\(/.test(rest);
}

/** The URL for a token; undefined where it needs a project and the token has none. */
export function fillIn(url: string, of: { userId: string; projectId: string | null }): string | undefined {
  let complete = true;
  const filled = url.replace(VARIABLE, (all, name: string) => {
    const value = name === 'user_id' ? of.userId : of.projectId;
    if (value === null) complete = false;
    return value ?? all;
  });
  return complete ? filled : undefined;
}

/** Whether the URL differs from token to token. */
export const isTemplate = (url: string): boolean => /[$%]\(/.test(url);
