import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import type { ActorContext, AppContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';

/** Resources that one bulk create may make. */
export const BULK_MAX = 200;

type Sent = Record<string, unknown>;

/** What a create sends: one resource under its name, or several under the plural. */
export interface SentBody {
  bulk: boolean;
  items: Sent[];
}

/** A create's body. @throws ApiError 400 without the resource, or with too many */
export async function createBody(c: AppContext, name: string, collection: string): Promise<SentBody> {
  const body = asObject(await parseBody(c, z.unknown()));
  if (!(collection in body)) return { bulk: false, items: [resourceIn(body, name)] };
  const list = body[collection];
  if (!Array.isArray(list)) throw badRequest('Body contains invalid data');
  if (list.length === 0) throw badRequest('Resources required');
  if (list.length > BULK_MAX) throw badRequest(`More than ${BULK_MAX} ${collection} in one request`);
  return {
    bulk: true,
    items: list.map((item) => (isObject(item) && name in item ? resourceIn(item, name) : asObject(item))),
  };
}

/** An update's body. @throws ApiError 400 without the resource */
export async function updateBody(c: AppContext, name: string): Promise<Sent> {
  return withOneOwnerName(resourceIn(asObject(await parseBody(c, z.unknown())), name));
}

/**
 * Whose the new resource is: the actor's project, or another one where an admin says so.
 * @returns what was sent, `tenant_id` made `project_id`, and the owner
 * @throws ApiError 400 two owners, another's project without being admin, or none
 */
export function withOwner(ctx: ActorContext, item: Sent): { sent: Sent; projectId: string } {
  const sent = withOneOwnerName(item);
  const own = ctx.actor.projectId;
  const projectId = sent.project_id ?? own;
  if (typeof projectId !== 'string') {
    throw badRequest('Running without keystone AuthN requires that project_id is specified');
  }
  if (projectId !== own && !isAdmin(ctx)) {
    throw badRequest(
      "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.",
    );
  }
  return { sent, projectId };
}

function withOneOwnerName(item: Sent): Sent {
  const { tenant_id: tenant, ...rest } = item;
  if (tenant === undefined) return item;
  if (rest.project_id !== undefined && rest.project_id !== tenant) {
    throw badRequest("'project_id' and 'tenant_id' do not match");
  }
  return { ...rest, project_id: tenant };
}

function resourceIn(body: Sent, name: string): Sent {
  const resource = body[name];
  if (resource === undefined || resource === null) throw badRequest(`Unable to find '${name}' in request body`);
  if (!isObject(resource)) throw badRequest(`Object '${name}' contains invalid data`);
  return resource;
}

function asObject(value: unknown): Sent {
  if (!isObject(value)) throw badRequest('Body contains invalid data');
  return value;
}

const isObject = (value: unknown): value is Sent =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
