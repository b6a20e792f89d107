import { numberOf } from '../hosts/find-hosts.ts';
import type { Rendering } from '../http/env.ts';
import { novaTime } from '../servers/views.ts';
import type { MigrationRow } from './list-migrations.ts';

const places = (row: MigrationRow) => ({
  source_compute: row.sourceHost,
  source_node: row.sourceHost,
  dest_compute: row.targetHost,
  dest_node: row.targetHost,
  dest_host: row.targetHost,
});
const times = (row: MigrationRow) => ({ created_at: novaTime(row.createdAtMs), updated_at: novaTime(row.updatedAtMs) });
const owner = (row: MigrationRow) => ({ user_id: row.userId, project_id: row.projectId });

/** A migration in the list of all. */
export function migrationView(row: MigrationRow, { version, links }: Rendering) {
  const goesOn = row.type === 'live-migration' && ['preparing', 'running'].includes(row.status);
  const self = `/servers/${row.serverId}/migrations/${row.number}`;
  return {
    id: row.number,
    ...places(row),
    ...times(row),
    status: row.status,
    instance_uuid: row.serverId,
    old_instance_type_id: numberOf(row.oldFlavor.id),
    new_instance_type_id: numberOf(row.newFlavor.id),
    ...(version >= 23 ? { migration_type: row.type } : {}),
    ...(version >= 23 && goesOn
      ? {
          links: [
            { rel: 'self', href: `${links.self}${self}` },
            { rel: 'bookmark', href: `${links.bookmark}${self}` },
          ],
        }
      : {}),
    ...(version >= 59 ? { uuid: row.uuid } : {}),
    ...(version >= 80 ? owner(row) : {}),
  };
}

const PROGRESS = ['total', 'processed', 'remaining'] as const;

/** A live migration of a server, with how far it is. */
export function serverMigrationView(row: MigrationRow, { version }: Rendering) {
  const part = (of: 'memory' | 'disk') =>
    Object.fromEntries(PROGRESS.map((word) => [`${of}_${word}_bytes`, row.progress?.[`${of}_${word}_bytes`] ?? 0]));
  return {
    id: row.number,
    server_uuid: row.serverId,
    status: row.status,
    ...places(row),
    ...times(row),
    ...part('memory'),
    ...part('disk'),
    ...(version >= 59 ? { uuid: row.uuid } : {}),
    ...(version >= 80 ? owner(row) : {}),
  };
}
