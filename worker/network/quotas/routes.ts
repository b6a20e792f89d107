import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { unset, updateValues } from '../api/attributes.ts';
import { updateBody } from '../api/body.ts';
import { refuseBody } from '../api/collection.ts';
import { boolean, integerBetween } from '../api/values.ts';
import { deleteQuota } from './delete-quota.ts';
import { limitsOf, type Usage } from './limits-in-force.ts';
import { listQuotas } from './list-quotas.ts';
import { DEFAULT_LIMITS, LIMITED, type Limits, UNLIMITED } from './resources.ts';
import { showQuota } from './show-quota.ts';
import { updateQuota } from './update-quota.ts';

const LIMIT_MAX = 2 ** 31 - 1;
/** Characters of a project's id. */
const PROJECT_LENGTH_MAX = 255;

/** The limits, as PUT takes them. */
export const quotaAttributes = {
  ...Object.fromEntries(LIMITED.map((resource) => [resource, unset(integerBetween(UNLIMITED, LIMIT_MAX))])),
  /** What is the rule, and clients say all the same. */
  force: unset(boolean),
  check_limit: unset(boolean),
};

function projectOf(c: AppContext): string {
  const id = c.req.param('project') ?? '';
  if (id.length > PROJECT_LENGTH_MAX) throw badRequest(`'${id.slice(0, 64)}...' is no id of a project`);
  return id;
}

function ownProject(c: AppContext): string {
  const { projectId } = actorContext(c).actor;
  if (projectId === null) throw badRequest('Tenant-id was missing from quota request.', 'QuotaMissingTenant');
  return projectId;
}

async function details(c: AppContext) {
  const usage = await showQuota(actorContext(c), projectOf(c));
  const view = LIMITED.map((resource) => [resource, { ...usage[resource], reserved: 0 }]);
  return c.json({ quota: Object.fromEntries(view) });
}

const quotaView = (projectId: string, usage: Usage) => ({ ...limitsOf(usage), project_id: projectId });

/** `/quotas`: what projects may have. */
export const quotaRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const rows = await listQuotas(actorContext(c));
    return c.json({
      quotas: rows.map(({ projectId, limits }) => ({ ...limits, tenant_id: projectId, project_id: projectId })),
    });
  })
  .get('/tenant', (c) => c.json({ tenant: { tenant_id: ownProject(c) } }))
  .get('/project', (c) => c.json({ project: { project_id: ownProject(c) } }))
  .get('/:project', async (c) => {
    const usage = await showQuota(actorContext(c), projectOf(c));
    return c.json({ quota: quotaView(projectOf(c), usage) });
  })
  .get('/:project/default', async (c) => {
    await showQuota(actorContext(c), projectOf(c));
    return c.json({ quota: { ...DEFAULT_LIMITS, project_id: projectOf(c) } });
  })
  .get('/:project/details', details)
  .get('/:project/details.json', details)
  .put('/:project', async (c) => {
    const projectId = projectOf(c);
    const {
      force: _always,
      check_limit: check = false,
      ...limits
    } = updateValues(quotaAttributes, await updateBody(c, 'quota')) as Partial<Limits> & Record<string, unknown>;
    const usage = await updateQuota(actorContext(c), { projectId, limits, check: check === true });
    return c.json({ quota: quotaView(projectId, usage) });
  })
  .delete('/:project', async (c) => {
    await refuseBody(c);
    await deleteQuota(actorContext(c), projectOf(c));
    return c.body(null, 204);
  });
