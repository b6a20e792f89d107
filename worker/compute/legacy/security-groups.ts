import { asc } from 'drizzle-orm';
import { Hono } from 'hono';
import { z } from 'zod';
import { securityGroups } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { requireProject } from '../../http/policy.ts';
import { createValues } from '../../network/api/attributes.ts';
import { groupAttributes } from '../../network/security-groups/attributes.ts';
import { createGroups } from '../../network/security-groups/create-groups.ts';
import { deleteGroup } from '../../network/security-groups/delete-group.ts';
import type { GroupWithRules } from '../../network/security-groups/group-rows.ts';
import { listGroups } from '../../network/security-groups/list-groups.ts';
import { showGroup } from '../../network/security-groups/show-group.ts';
import { updateGroup } from '../../network/security-groups/update-group.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { last, numberIn, PAGE_MAX } from '../http/paging.ts';
import { booleanWord, NAME_CHARS_MAX, uuid } from '../http/parameters.ts';
import { checkedBody } from '../http/validate.ts';
import { asNova, untilProxiesEnd } from './network-faults.ts';
import { securityGroupView } from './security-group-view.ts';

/** `/os-security-groups`: networking's groups as Nova showed them until 2.35. */
export const securityGroupRoutes = new Hono<ComputeEnv>();
securityGroupRoutes.use(untilProxiesEnd);

const text = z.string().max(NAME_CHARS_MAX);
const name = text.refine((value) => value.trim() !== '', { error: 'Security group name cannot be empty.' });
export const groupBody = z.strictObject({ security_group: z.strictObject({ name, description: text.nullish() }) });

/** The id in a path. @throws ApiError 400 where it is none */
function idOf(c: ComputeContext): string {
  const id = uuid.safeParse(c.req.param('id'));
  if (!id.success) throw badRequest('Security group id should be uuid.');
  return id.data;
}

/** Names of the groups that rules speak of; the actor sees them all where it sees the rules. */
export const everyGroup = (ctx: ActorContext): Promise<GroupWithRules[]> =>
  listGroups(ctx, {
    where: undefined,
    orderBy: [asc(securityGroups.projectId), asc(securityGroups.name), asc(securityGroups.createdAtMs)],
    limit: PAGE_MAX,
    reverse: false,
    fields: [],
    paged: false,
  });

securityGroupRoutes.get('/', async (c) => {
  const ctx = actorOf(c);
  const query = c.req.queries();
  const groups = await everyGroup(ctx);
  const all = booleanWord(last(query, 'all_tenants'), false) && ctx.actor.roles.includes('admin');
  const own = groups.filter((group) => all || group.projectId === ctx.actor.projectId);
  const from = numberIn(query, 'offset') ?? 0;
  const page = own.slice(from, from + (numberIn(query, 'limit') ?? PAGE_MAX));
  return c.json({ security_groups: page.map((group) => securityGroupView(group, groups)) });
});

securityGroupRoutes.post('/', async (c) => {
  const ctx = requireProject(actorOf(c));
  const { name: wanted, description } = (await checkedBody(c, groupBody)).security_group;
  const [made] = await asNova(async () => {
    const values = createValues(groupAttributes, { name: wanted, description: description ?? '' });
    return createGroups(ctx, [{ ...values, projectId: ctx.actor.projectId }]);
  });
  return c.json({ security_group: securityGroupView(made as GroupWithRules, []) });
});

securityGroupRoutes.get('/:id', async (c) => {
  const ctx = actorOf(c);
  const group = await showGroup(ctx, idOf(c));
  return c.json({ security_group: securityGroupView(group, await everyGroup(ctx)) });
});

securityGroupRoutes.put('/:id', async (c) => {
  const ctx = actorOf(c);
  const { name: wanted, description } = (await checkedBody(c, groupBody)).security_group;
  const changes = { name: wanted, ...(description === undefined || description === null ? {} : { description }) };
  const group = await asNova(() => updateGroup(ctx, { id: idOf(c), changes, expectedRevision: undefined }));
  return c.json({ security_group: securityGroupView(group, await everyGroup(ctx)) });
});

securityGroupRoutes.delete('/:id', async (c) => {
  await asNova(() => deleteGroup(actorOf(c), { id: idOf(c), expectedRevision: undefined }));
  return c.body(null, 202);
});
