import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { description, diskConfig, domainHostname, hostname, ipv6Address, name } from '../http/parameters.ts';
import { hostOf, patchDesiredServer } from './desired-server.ts';
import { ownServer, serverNotFound } from './find-server.ts';
import { type ServerRow, selectServers, serverRows } from './server-rows.ts';
import { commitTransition } from './transition.ts';

const server = z.strictObject({
  name: name.optional(),
  'OS-DCF:diskConfig': diskConfig.optional(),
  accessIPv4: z.union([z.ipv4(), z.literal('')]).optional(),
  accessIPv6: z.union([ipv6Address, z.literal('')]).optional(),
});
const server19 = server.extend({ description: description.optional() });
const server90 = server19.extend({ hostname: hostname.optional() });
const server94 = server90.extend({ hostname: domainHostname.optional() });
export type ServerPatch = z.infer<typeof server90>;

const bodies = [server, server19, server90, server94].map((one) => z.strictObject({ server: one }));

/** The body of an update, by version. */
export function updateServerBody(version: Microversion): z.ZodType<{ server: ServerPatch }> {
  return bodies[version >= 94 ? 3 : version >= 90 ? 2 : version >= 19 ? 1 : 0] as z.ZodType<{ server: ServerPatch }>;
}

/** Columns by the member that changes them. */
const COLUMNS: Readonly<Record<keyof ServerPatch, string>> = {
  name: 'name',
  description: 'description',
  hostname: 'hostname',
  accessIPv4: 'access_ip_v4',
  accessIPv6: 'access_ip_v6',
  'OS-DCF:diskConfig': 'disk_config',
};

/**
 * Changes what a server is called and how it is reached. Its guest reads a new name or hostname from the metadata service.
 * @throws ApiError 404
 */
export async function updateServer(
  ctx: ActorContext,
  id: string,
  patch: ServerPatch,
  version: Microversion,
): Promise<ServerRow> {
  const sets: SQL[] = [sql`updated_at_ms = ${ctx.clock.nowMs()}`];
  for (const [member, column] of Object.entries(COLUMNS)) {
    const value = patch[member as keyof ServerPatch];
    if (value !== undefined) sets.push(sql`${sql.raw(column)} = ${value}`);
  }
  const told = (['name', 'hostname'] as const).flatMap((member) => {
    const value = patch[member];
    return value === undefined
      ? []
      : [patchDesiredServer(ctx.db, id, { path: `$.metadata.${member}`, value: sql`${value}` })];
  });
  const results = await commitTransition(ctx, {
    id,
    verb: 'update',
    policyAction: 'os_compute_api:servers:update',
    statements: [
      ...told,
      ctx.db.run(sql`UPDATE servers SET ${sql.join(sets, sql`, `)} WHERE id = ${id}`),
      selectServers(ctx.db, {
        where: ownServer(ctx, id),
        userData: isAdmin(ctx) && version >= 75,
        serverGroups: version >= 71,
      }),
    ],
    ...(told.length > 0 ? { touches: hostOf(id) } : {}),
  });
  const row = serverRows(results.at(-1))[0];
  if (!row) throw serverNotFound(id);
  return row;
}
