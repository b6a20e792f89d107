import { Hono } from 'hono';
import { badRequest } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { last, refuseUnknown } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import type { QuotaScope } from './limits-in-force.ts';
import { showQuotaClass, updateQuotaClass } from './quota-classes.ts';
import {
  defaultQuotaSet,
  deleteQuotaSet,
  detailQuotaSet,
  type Limits,
  showQuotaSet,
  updateQuotaSet,
} from './quota-sets.ts';
import { classResourcesOf, type Resource, resourcesOf } from './resources.ts';
import { quotaClassBody, quotaSetBody } from './schemas.ts';

/** `/os-quota-sets`: what projects, and users in them, may have. */
export const quotaSetRoutes = new Hono<ComputeEnv>();

/** Whose quota a request is about. @throws ApiError 400 from 2.75 other parameters */
function scopeOf(c: ComputeContext): QuotaScope {
  const query = c.req.queries();
  refuseUnknown(query, ['user_id'], c.get('microversion'));
  const userId = last(query, 'user_id') || undefined;
  return { projectId: c.req.param('id') ?? '', ...(userId === undefined ? {} : { userId }) };
}

const viewOf = <Value>(resources: readonly Resource[], value: (resource: Resource) => Value) =>
  Object.fromEntries(resources.map((resource) => [resource, value(resource)]));
const limitsView = (c: ComputeContext, limits: Limits) =>
  viewOf(resourcesOf(c.get('microversion')), (resource) => limits[resource]);

quotaSetRoutes.get('/:id', async (c) => {
  const scope = scopeOf(c);
  const limits = await showQuotaSet(actorOf(c), scope);
  return c.json({ quota_set: { id: scope.projectId, ...limitsView(c, limits) } });
});

quotaSetRoutes.get('/:id/defaults', async (c) => {
  const { projectId } = scopeOf(c);
  const limits = await defaultQuotaSet(actorOf(c), projectId);
  return c.json({ quota_set: { id: projectId, ...limitsView(c, limits) } });
});

quotaSetRoutes.get('/:id/detail', async (c) => {
  const scope = scopeOf(c);
  const { limits, used } = await detailQuotaSet(actorOf(c), scope);
  const view = viewOf(resourcesOf(c.get('microversion')), (resource) => ({
    limit: limits[resource],
    in_use: used[resource] ?? 0,
    reserved: 0,
  }));
  return c.json({ quota_set: { id: scope.projectId, ...view } });
});

quotaSetRoutes.put('/:id', async (c) => {
  const { tenant_id: _named, ...input } = (await checkedBody(c, quotaSetBody(c.get('microversion')))).quota_set;
  return c.json({ quota_set: limitsView(c, await updateQuotaSet(actorOf(c), scopeOf(c), input)) });
});

quotaSetRoutes.delete('/:id', async (c) => {
  await deleteQuotaSet(actorOf(c), scopeOf(c));
  return c.body(null, 202);
});

/** `/os-quota-class-sets`: the limits of whoever has none of its own. */
export const quotaClassRoutes = new Hono<ComputeEnv>();

/** Characters of a class's name. */
const CLASS_CHARS_MAX = 255;

function classOf(c: ComputeContext): string {
  const name = c.req.param('id') ?? '';
  if (name.length > CLASS_CHARS_MAX)
    throw badRequest(`The name of a quota class has at most ${CLASS_CHARS_MAX} characters.`);
  return name;
}
const classView = (c: ComputeContext, limits: Limits) =>
  viewOf(classResourcesOf(c.get('microversion')), (resource) => limits[resource]);

quotaClassRoutes.get('/:id', async (c) => {
  const limits = await showQuotaClass(actorOf(c), classOf(c));
  return c.json({ quota_class_set: { id: classOf(c), ...classView(c, limits) } });
});

quotaClassRoutes.put('/:id', async (c) => {
  const { quota_class_set: input } = await checkedBody(c, quotaClassBody(c.get('microversion')));
  return c.json({ quota_class_set: classView(c, await updateQuotaClass(actorOf(c), classOf(c), input)) });
});
