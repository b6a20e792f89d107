import { eq } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/** Takes the policies of a thing that goes. */
export const dropPolicies = (ctx: Context, objectId: string): Statement =>
  ctx.db.delete(rbacPolicies).where(eq(rbacPolicies.objectId, objectId));
