/** What is an id of ours, as it stands in URLs, bodies and answers. */
export const ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/;

/** `os-server-groups` and `server_groups` are both of kind `server_group`. */
export function kindOf(collection: string): string {
  // Keystone's are another thing.
  if (collection === 'os-services') return 'compute_service';
  const name = collection.replace(/^os-/i, '').replaceAll('-', '_').toLowerCase();
  if (name.endsWith('xes')) return name.slice(0, -2);
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  return name.endsWith('s') && !name.endsWith('ss') ? name.slice(0, -1) : name;
}

/** The kind of what a member of a body names by an id: `network_id`, `imageRef`, or an `id` within a `user`. */
export function kindOfMember(key: string, parent: string): string {
  if (key === 'id' || key === 'uuid') return kindOf(parent);
  if (parent === 'os:scheduler_hints') return key === 'group' ? 'server_group' : 'server';
  const name = key.replace(/(_id|_uuid|Ref)$/, '').toLowerCase();
  if (name === 'tenant' || name.endsWith('project') || name === 'parent' || name === 'owner') return 'project';
  if (name.endsWith('user')) return 'user';
  if (name.endsWith('group') && name !== 'server_group' && name !== 'group') return 'security_group';
  return name;
}

/** Tells of each object with an id in an answer: its kind, its id, and its name where it has one. */
export function eachObject(
  answer: unknown,
  path: string,
  tell: (kind: string, object: { id: string; name?: string }) => void,
): void {
  // Glance does not say what it answers with: the path does.
  const segments = path.replace(/\?.*$/, '').split('/');
  visit(answer, kindOf(segments.findLast((one) => /^[a-z_-]+$/i.test(one)) ?? ''), tell, 0);
}

const DEPTH_MAX = 4;

function visit(
  value: unknown,
  kind: string,
  tell: (kind: string, object: { id: string; name?: string }) => void,
  depth: number,
): void {
  if (value === null || typeof value !== 'object' || depth > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    for (const one of value) visit(one, kind, tell, depth + 1);
    return;
  }
  const { id, name, namespace, alias, token, request_id: request } = value as Record<string, unknown>;
  if (typeof token === 'string') tell(`${kind}_secret`, { id: token });
  if (typeof alias === 'string') tell('extension', { id: alias });
  if (typeof namespace === 'string') tell('namespace', { id: namespace });
  if (typeof request === 'string') tell('instance_action', { id: request });
  if (typeof id === 'string' || typeof id === 'number') {
    tell(kind, { id: String(id), ...(typeof name === 'string' ? { name } : {}) });
  } else if (typeof name === 'string') tell(kind, { id: name });
  for (const [key, member] of Object.entries(value)) visit(member, kindOf(key), tell, depth + 1);
}
