import { type SQL, sql } from 'drizzle-orm';
import { rbacPolicies } from '../../../db/schema/rbac.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { policyToAll, type Shareable, shareWithAll } from './share-with-all.ts';
import { EVERYONE, type PolicyAction } from './shared-with.ts';

/*
 * `shared` and `router:external` of a network are words for policies towards everyone. The columns of these names follow the
 * policies, and are written by nothing else once a network is there.
 */

/** Statements that give new networks the policies that their attributes stand for. */
export function shareNew(ctx: Context, rows: (Shareable & { shared?: boolean; external?: boolean })[]): Statement[] {
  const policies = rows.flatMap((row) => [
    ...(row.shared ? [policyToAll(ctx, 'network', row)] : []),
    ...(row.external ? [policyToAll(ctx, 'network', row, 'access_as_external')] : []),
  ]);
  return policies.length > 0 ? [ctx.db.insert(rbacPolicies).values(policies)] : [];
}

/** Statements that make a network shared with everyone, or not; for before `followPolicies`. */
export const setShared = (ctx: Context, row: Shareable, shared: boolean): Statement =>
  shared ? shareWithAll(ctx, 'network', row) : revoke(ctx, row, 'access_as_shared', sql`target_project = ${EVERYONE}`);

/** Statements that let everyone have a network as a router's gateway, or nobody; for before `followPolicies`. */
export const setExternal = (ctx: Context, row: Shareable, external: boolean): Statement =>
  external ? shareWithAll(ctx, 'network', row, 'access_as_external') : revoke(ctx, row, 'access_as_external', sql`1`);

/** Brings networks' columns in line with their policies; for after the policies are written. @param where - on `networks` */
export function followPolicies(ctx: Context, where: SQL): Statement {
  const any = (condition: SQL) =>
    sql`EXISTS (SELECT 1 FROM rbac_policies p WHERE p.object_id = networks.id AND ${condition})`;
  return ctx.db.run(sql`UPDATE networks SET
    shared = ${any(sql`p.action = 'access_as_shared' AND p.target_project = ${EVERYONE}`)},
    external = ${any(sql`p.action = 'access_as_external'`)}
    WHERE ${where}`);
}

const revoke = (ctx: Context, row: Shareable, action: PolicyAction, targets: SQL): Statement =>
  ctx.db.run(sql`DELETE FROM rbac_policies WHERE object_id = ${row.id} AND action = ${action} AND ${targets}`);
