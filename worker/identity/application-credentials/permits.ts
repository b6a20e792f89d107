import type { AccessRule } from '../tokens/delegation.ts';

/** The types of our services by the first part of their paths. */
const SERVICE_TYPES: Readonly<Record<string, string>> = {
  identity: 'identity',
  compute: 'compute',
  image: 'image',
  networking: 'network',
  metric: 'metric',
  rating: 'rating',
  aerostat: 'aerostat',
};

/** A token may always be looked at. */
const VALIDATION = '/v3/auth/tokens';

/**
 * Whether access rules let a call through: one of them must fit, as keystonemiddleware has it.
 * @param path - of the request, with or without a region's prefix; rules may name it with the service's mount or without
 */
export function permits(
  rules: readonly AccessRule[] | null,
  { method, path }: { method: string; path: string },
): boolean {
  if (rules === null) return true;
  const whole = path.replace(/^\/r\/[^/]+(?=\/)/, '');
  const [, mount = '', rest = ''] = /^\/([^/]+)(.*)$/.exec(whole) ?? [];
  const service = SERVICE_TYPES[mount];
  if (service === 'identity' && method === 'GET' && rest === VALIDATION) return true;
  return rules.some(
    (rule) => rule.service === service && rule.method === method && (fits(rule.path, rest) || fits(rule.path, whole)),
  );
}

type Part = { literal: string } | 'segment' | 'anything';

/** `*` and `{name}` stand for one part of a path, `**` for anything; all else for itself. */
const partsOf = (pattern: string): Part[] =>
  [...pattern.matchAll(/\{[^}]*\}|\*\*|\*|./gs)].map(([text]) => {
    if (text === '**') return 'anything';
    return text === '*' || text.length > 1 ? 'segment' : { literal: text };
  });

/** Whether a path fits a pattern, in a time that grows with the product of their lengths at most. */
export function fits(pattern: string, path: string): boolean {
  /** Where in the path what was matched so far may end. */
  let ends = new Set([0]);
  for (const part of partsOf(pattern)) {
    const next = new Set<number>();
    for (const end of ends) {
      if (typeof part === 'object') {
        if (path[end] === part.literal) next.add(end + 1);
      } else if (part === 'segment') {
        for (let at = end; at < path.length && path[at] !== '/'; at += 1) next.add(at + 1);
      } else {
        for (let at = end; at <= path.length; at += 1) next.add(at);
        break;
      }
    }
    ends = next;
  }
  return ends.has(path.length);
}
