import { Hono } from 'hono';
import { authorize } from '../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from './http/env.ts';
import type { Microversion } from './http/microversion.ts';
import { refuseUnknown } from './http/paging.ts';
import { METADATA_ITEMS_MAX } from './http/parameters.ts';
import { KEYPAIRS_PER_USER_MAX } from './keypairs/create-keypair.ts';
import { UNLIMITED } from './limits.ts';
import { policy } from './policy.ts';

/** What every project and user may have; what other services took over is there for old versions alone. */
function quotaSetView(projectId: string, version: Microversion) {
  return {
    id: projectId,
    cores: UNLIMITED,
    instances: UNLIMITED,
    key_pairs: KEYPAIRS_PER_USER_MAX,
    metadata_items: METADATA_ITEMS_MAX,
    ram: UNLIMITED,
    server_group_members: 0,
    server_groups: 0,
    ...(version < 36
      ? { fixed_ips: UNLIMITED, floating_ips: UNLIMITED, security_group_rules: UNLIMITED, security_groups: UNLIMITED }
      : {}),
    ...(version < 57 ? { injected_file_content_bytes: 0, injected_file_path_bytes: 0, injected_files: 0 } : {}),
  };
}

/** `/os-quota-sets`: what limits there are, which are everyone's. */
export const quotaSetRoutes = new Hono<ComputeEnv>();

function show(c: ComputeContext, projectId: string, action: 'show' | 'defaults'): Response {
  const version = c.get('microversion');
  authorize(actorOf(c), policy, `os_compute_api:os-quota-sets:${action}`, { projectId });
  refuseUnknown(c.req.queries(), ['user_id'], version);
  return c.json({ quota_set: quotaSetView(projectId, version) });
}

quotaSetRoutes.get('/:id', (c) => show(c, c.req.param('id'), 'show'));
quotaSetRoutes.get('/:id/defaults', (c) => show(c, c.req.param('id'), 'defaults'));
