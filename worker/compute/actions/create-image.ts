import { sql } from 'drizzle-orm';
import { servers } from '../../../db/schema/compute.ts';
import { images } from '../../../db/schema/image.ts';
import { requireSolvent } from '../../billing/admission/require-solvent.ts';
import { AssertionFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { checkSettable } from '../../image/image-body.ts';
import { newSnapshot } from '../../image/new-snapshot.ts';
import { typedLimit } from '../../image/usage.ts';
import { Reads } from '../http/reads.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { type ActionName, startAction } from '../servers/actions.ts';
import { askHost } from '../servers/ask-host.ts';
import { hostOf } from '../servers/desired-server.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import type { TaskState } from '../servers/statuses.ts';
import { beginTask, TASK_DEADLINES_MS } from '../servers/tasks.ts';
import { commitTransition, type Transition } from '../servers/transition.ts';

/** What is asked for: an image of a server's disk, in Nova's words. */
interface Snapshot {
  verb: string;
  policyAction: ComputeAction;
  action: ActionName;
  task: TaskState;
  /** The image's, or how it is made of the server's. */
  name: string | ((server: string) => string);
  /** What the image says of itself, beside what every snapshot does; it wins. */
  properties: Record<string, string>;
  /** Arguments for the end of the operation. */
  args?: Record<string, unknown>;
  /** Nova takes images of locked servers. */
  evenLocked: boolean;
  /** Whether the image is kept for its own sake, and so must be paid for; what only shelves a server never is refused for that. */
  pays?: boolean;
  statements?: Transition['statements'];
}

/** States whose disks stand still, or can be copied as they are at one moment. */
const COPIED = ['active', 'stopped', 'paused', 'suspended'] as const;

/**
 * Begins an image of a server's disk. It says where it comes from, and keeps what the server's own image says of itself.
 * @param name - the image's
 * @returns the image's id
 * @throws ApiError 403 metadata that images keep for the service itself, or nobody could pay for it; 404; 409 in another state, or busy; 413 too much of it
 */
export function createServerImage(
  ctx: ActorContext,
  id: string,
  of: { name: string; metadata: Record<string, string> },
): Promise<string> {
  return takeSnapshot(ctx, id, {
    verb: 'createImage',
    policyAction: 'os_compute_api:servers:create_image',
    action: 'createImage',
    task: 'image_snapshot_pending',
    name: of.name,
    properties: of.metadata,
    evenLocked: true,
    pays: true,
  });
}

/**
 * Begins a backup. Once it is there, the oldest of its kind are deleted until only `rotation` are left.
 * @returns the image's id
 * @throws ApiError as `createServerImage`
 */
export function createBackup(
  ctx: ActorContext,
  id: string,
  of: { name: string; backupType: string; rotation: number; metadata: Record<string, string> },
): Promise<string> {
  return takeSnapshot(ctx, id, {
    verb: 'createBackup',
    policyAction: 'os_compute_api:os-create-backup',
    action: 'createBackup',
    task: 'image_backup',
    name: of.name,
    properties: { ...of.metadata, backup_type: of.backupType, image_type: 'backup' },
    args: { rotation: of.rotation },
    evenLocked: true,
    pays: true,
  });
}

/** Has a server's host copy its disk into a new image. */
export async function takeSnapshot(ctx: ActorContext, id: string, snapshot: Snapshot): Promise<string> {
  authorize(ctx, policy, snapshot.policyAction);
  Object.keys(snapshot.properties).forEach(checkSettable);
  const { verb, policyAction, action, task, evenLocked } = snapshot;
  const server = await readServer(ctx, id);
  const foreign = server.projectId !== ctx.actor.projectId;
  const { row, statements } = newSnapshot(ctx, {
    projectId: foreign ? (ctx.actor.projectId ?? server.projectId) : server.projectId,
    name: typeof snapshot.name === 'string' ? snapshot.name : snapshot.name(server.name),
    visibility: foreign ? 'shared' : 'private',
    inherited: server.inherited,
    properties: {
      base_image_ref: server.imageId,
      instance_uuid: id,
      user_id: ctx.actor.userId,
      image_type: 'snapshot',
      ...(foreign ? { instance_owner: server.projectId } : {}),
      ...snapshot.properties,
    },
    minDiskGib: server.diskGib,
    minRamMib: server.minRamMib,
  });
  await commitTransition(ctx, {
    id,
    verb,
    policyAction,
    allowed: { vmStates: COPIED, launched: true },
    evenLocked,
    statements: [
      ...(snapshot.pays ? requireSolvent(ctx, row.projectId) : []),
      ...statements,
      beginTask(ctx, id, task),
      ...(snapshot.statements ?? []),
      askHost(ctx, id, {
        kind: 'snapshot',
        args: { image_id: row.id, ...snapshot.args },
        deadlineMs: ctx.clock.nowMs() + TASK_DEADLINES_MS.image_uploading,
      }),
      ...startAction(ctx, { serverId: id, action }),
    ],
    touches: hostOf(id),
    detail: { imageId: row.id, name: row.name },
    refusals: { image_count_total: () => typedLimit(new AssertionFailed('image_count_total'), row.projectId) },
  });
  return row.id;
}

interface SnapshotSource {
  name: string;
  projectId: string;
  imageId: string;
  diskGib: number;
  minRamMib: number;
  /** Properties of the image that the server was made from; none where that is gone. */
  inherited: Record<string, string>;
}

async function readServer(ctx: ActorContext, id: string): Promise<SnapshotSource> {
  const reads = new Reads();
  const ofServer = reads.add(
    ctx.db
      .select({
        name: servers.name,
        projectId: servers.projectId,
        imageId: servers.imageId,
        flavor: servers.flavor,
        claimedDiskGib: servers.claimedDiskGib,
      })
      .from(servers)
      .where(ownServer(ctx, id, 'servers')),
  );
  const ofImage = reads.add(
    ctx.db
      .select({ properties: images.properties, minRamMib: images.minRamMib })
      .from(images)
      .where(sql`images.id = (SELECT image_id FROM servers WHERE id = ${id}) AND images.status <> 'deleted'`),
  );
  await reads.run(ctx.db);
  const [server] = ofServer()[0] as {
    name: string;
    projectId: string;
    imageId: string;
    flavor: { diskGib: number };
    claimedDiskGib: number;
  }[];
  if (!server) throw serverNotFound(id);
  const [image] = ofImage()[0] as { properties: Record<string, string>; minRamMib: number }[];
  return {
    name: server.name,
    projectId: server.projectId,
    imageId: server.imageId,
    diskGib: server.flavor.diskGib || server.claimedDiskGib,
    minRamMib: image?.minRamMib ?? 0,
    inherited: image?.properties ?? {},
  };
}
