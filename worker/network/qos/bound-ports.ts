import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { runnersWith } from '../desired/drops.ts';
import { holds, putPorts } from '../desired/puts.ts';
import { knowingForwards, placeAddresses } from '../edge/floating-ips-on.ts';

/** Holds for a port that a policy is in force on: its own, or its network's where it has none. */
const governed = (policyId: string): SQL =>
  sql`(ports.qos_policy_id = ${policyId} OR (ports.qos_policy_id IS NULL
    AND ports.network_id IN (SELECT n.id FROM networks n WHERE n.qos_policy_id = ${policyId})))`;

/** What a change of a policy's rules changes on hosts; the statements stand after the change. */
export function onGovernedPorts(ctx: Context, policyId: string): { touches: SQL; statements: Statement[] } {
  const floating = sql`SELECT f.id FROM floating_ips f WHERE f.qos_policy_id = ${policyId}`;
  return {
    touches: sql`(EXISTS (SELECT 1 FROM ports WHERE ${governed(policyId)} AND ${holds('port', sql`ports.id`)})
      OR ${runnersWith('floating-ip', floating)} OR ${knowingForwards(floating)})`,
    statements: [
      putPorts(ctx.db, sql`${governed(policyId)} AND ${holds('port', sql`ports.id`)}`),
      ...placeAddresses(ctx.db, floating),
    ],
  };
}
