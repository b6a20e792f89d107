import { and, eq, type SQL, sql } from 'drizzle-orm';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { ConstraintFailed, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { showScope } from '../address-scopes/scope-rows.ts';
import { assertUnchanged } from '../api/races.ts';
import { invalidInput } from '../api/values.ts';
import { meet, rangeOf } from '../ipam/ranges.ts';
import { parsed } from '../subnets/plan-subnet.ts';

interface Scoped {
  id: string;
  ipVersion: number;
  prefixes: string[];
  addressScopeId: string | null;
}

/**
 * What must hold for a pool to be in its address scope.
 * @returns statements that fail the batch where the scope's other pools are not those read
 * @throws ApiError 400 of another IP version, or a network's subnets would be in several scopes; 404 no such scope; 409 another
 *   pool of the scope has some of the addresses
 */
export async function checkScope(ctx: ActorContext, pool: Scoped): Promise<Statement[]> {
  const { addressScopeId: scopeId } = pool;
  if (scopeId === null) return [];
  const scope = await showScope(ctx, scopeId);
  if (scope.ipVersion !== pool.ipVersion) {
    throw badRequest(
      `Illegal subnetpool association: subnetpool ${pool.id} cannot associate with address scope ${scopeId} because subnetpool ip_version is not ${scope.ipVersion}.`,
      'IllegalSubnetPoolIpVersionAssociationToAddressScope',
    );
  }
  const [others, [marks], strangers] = await ctx.db.batch([
    ctx.db
      .select({ id: subnetpools.id, prefixes: subnetpools.prefixes })
      .from(subnetpools)
      .where(and(eq(subnetpools.addressScopeId, scopeId))),
    ctx.db.all<{ mark: string | null }>(sql`SELECT ${mark(scopeId)} AS mark`),
    ctx.db.all(sql`SELECT 1 FROM subnets s WHERE s.ip_version = ${pool.ipVersion} AND s.subnetpool_id IS NOT ${pool.id}
      AND s.network_id IN (SELECT network_id FROM subnets WHERE subnetpool_id = ${pool.id}) LIMIT 1`),
  ]);
  if (strangers.length > 0) {
    throw badRequest(
      'Subnets of the same address family hosted on the same network must all participate in the same address scope.',
      'NetworkAddressScopeAffinityError',
    );
  }
  const ranges = (prefixes: string[]) => prefixes.map((prefix) => rangeOf(parsed(prefix)));
  if (others.some((other) => other.id !== pool.id && meet(ranges(other.prefixes), ranges(pool.prefixes)))) {
    throw conflict(
      'Failed to associate address scope: subnetpools within an address scope must have unique prefixes.',
      'AddressScopePrefixConflict',
    );
  }
  return [
    assertUnchanged(
      ctx,
      sql`EXISTS (SELECT 1 FROM address_scopes WHERE id = ${scopeId}) AND ${mark(scopeId)} IS ${marks?.mark ?? null}`,
    ),
  ];
}

/** Changes with every change of a scope's pools. */
const mark = (scopeId: string): SQL =>
  sql`(SELECT group_concat(id || ':' || revision) FROM (SELECT id, revision FROM subnetpools WHERE address_scope_id = ${scopeId} ORDER BY id))`;

/** A default pool of the IP version is there; other errors as they are. */
export function secondDefault(error: unknown): unknown {
  if (!(error instanceof ConstraintFailed) || !error.constraint.startsWith('subnetpools.')) return error;
  return invalidInput(
    'A default subnetpool for this IP family has already been set. Only one default may exist per IP family',
  );
}
