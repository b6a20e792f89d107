import { eq, or, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { serverActionEvents, serverActions, servers } from '../../db/schema/compute.ts';
import { desired, operations, runners } from '../../db/schema/fleet.ts';
import { ports } from '../../db/schema/network.ts';
import type { MessageOf, Observation } from '../../shared/protocol/messages.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';
import { EdgeRunner, enrol } from '../../test/edge-runner.ts';

const STATES: Observation['state'][] = ['applied', 'running', 'stopped', 'failed', 'absent', 'working'];

/** Everything the database holds of a machine and the server on it. */
async function rowsOf(cloud: ComputeCloud, runnerId: string, serverId: string) {
  const { db } = cloud.ctx;
  return db.batch([
    db.select().from(runners).where(eq(runners.id, runnerId)),
    db.select().from(desired).where(eq(desired.runnerId, runnerId)).orderBy(desired.kind, desired.id),
    db.select().from(operations).where(eq(operations.runnerId, runnerId)),
    db.select().from(servers).where(eq(servers.id, serverId)),
    db.select().from(serverActions).where(eq(serverActions.serverId, serverId)).orderBy(sql`rowid`),
    db.select().from(serverActionEvents).where(sql`server_id = ${serverId}`).orderBy(sql`rowid`),
    db
      .select()
      .from(ports)
      .where(or(eq(ports.deviceId, serverId), eq(ports.runnerId, runnerId))),
  ]);
}

it('the stolen key of one machine can do nothing to the guests of another', async () => {
  const cloud = await ComputeCloud.open();
  const victim = await cloud.addRunner();
  const { networkId } = await cloud.addNetwork();
  const serverId = await cloud.createActive({ networks: [{ uuid: networkId }] });
  await cloud.act(serverId, { reboot: { type: 'SOFT' } });
  const before = await rowsOf(cloud, victim, serverId);
  const [, wishes, [operation], , , , itsPorts] = before;
  expect(wishes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['network', 'port', 'server']));
  expect([operation?.state, itsPorts.length]).toEqual(['queued', 1]);

  const { runner } = await enrol();
  await cloud.ctx.db.update(runners).set({ region: cloud.region }).where(eq(runners.id, runner.id));
  const thief = await EdgeRunner.connect(runner);
  const { token } = thief.welcome as MessageOf<'welcome'>;
  for (const { kind, id, generation } of wishes) {
    const observations = STATES.map((state) => ({
      kind,
      id,
      generation,
      state,
      fault: { code: 500, message: 'mine' },
    }));
    thief.send({ type: 'observed', complete: false, observations });
  }
  thief.send({ type: 'operation-update', op_id: operation?.opId ?? '', state: 'accepted' });
  thief.send({ type: 'operation-update', op_id: operation?.opId ?? '', state: 'failed' });
  thief.send({ type: 'unknown', objects: wishes.map(({ kind, id }) => ({ kind, id })) });
  thief.send({ type: 'resync', reason: 'what else is there?' });
  const told = await thief.next((message) => message.type === 'desired' && message.complete && message.full);
  await thief.settled();

  expect(await rowsOf(cloud, victim, serverId)).toEqual(before);
  expect((told as MessageOf<'desired'>).objects).toEqual([]);
  expect(thief.received.filter(({ body }) => body.type === 'operation')).toEqual([]);
  const image = await call('GET', `/aerostat/v1/runner/images/${cloud.imageId}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(image.status).toBe(404);
  // A machine's bearer is no token of a user.
  expect((await call('GET', '/aerostat/v1/runners', { token })).status).toBe(401);
});
