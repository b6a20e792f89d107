import { Hono } from 'hono';
import { z } from 'zod';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import { checkedBody } from '../http/validate.ts';
import { policy } from '../policy.ts';

export const snapshotBody = z.strictObject({
  snapshot: z.strictObject({
    volume_id: z.string().min(1).max(255),
    create_info: z.looseObject({}),
  }),
});

/** `/os-assisted-volume-snapshots`: block storage's own call about volumes of servers, which have none here. */
export const volumeSnapshotRoutes = new Hono<ComputeEnv>();

volumeSnapshotRoutes.post('/', async (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:os-assisted-volume-snapshots:create');
  const { snapshot } = await checkedBody(c, snapshotBody);
  throw badRequest(`No volume Block Device Mapping with id ${snapshot.volume_id}.`);
});

volumeSnapshotRoutes.delete('/:id', (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:os-assisted-volume-snapshots:delete');
  throw notFound(`Snapshot ${c.req.param('id')} could not be found.`);
});
