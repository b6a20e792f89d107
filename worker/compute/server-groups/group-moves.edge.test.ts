import { and, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { desired, operations, runners } from '../../../db/schema/fleet.ts';
import { serverMigrations } from '../../../db/schema/server-migrations.ts';
import type { Observation } from '../../../shared/protocol/messages.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { recordObserved } from '../../fleet/link/record-observed.ts';

let cloud: ComputeCloud;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
});

const newGroup = async (policy: string) => {
  const body = { server_group: { name: 'g', policy } };
  const made = await cloud.answer<{ server_group: { id: string } }>('POST', '/os-server-groups', {
    version: '2.64',
    body,
  });
  return made.server_group.id;
};
/** Asks for a server in a group. @returns its id */
const join = async (group: string, host?: string) => {
  const server = { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId, networks: 'none' };
  const made = await cloud.answer<{ server: { id: string } }>('POST', '/servers', {
    version: '2.74',
    status: 202,
    as: cloud.admin,
    body: { server: { ...server, ...(host ? { host } : {}) }, 'os:scheduler_hints': { group } },
  });
  return made.server.id;
};
const joinActive = async (group: string, host?: string) => {
  const id = await join(group, host);
  await cloud.observe(id, { state: 'running' });
  return id;
};
const hostOf = async (id: string) => (await cloud.row(id)).runnerId;
const faultOf = async (id: string) => (await cloud.show(id, cloud.admin)).fault?.message;

/** A machine reports on its copy of a server. */
const sees = async (runnerId: string, id: string, of: Omit<Observation, 'kind' | 'id' | 'generation'>) => {
  const its = and(eq(desired.runnerId, runnerId), eq(desired.kind, 'server'), eq(desired.id, id));
  const [wish] = await cloud.ctx.db.select().from(desired).where(its);
  await recordObserved(cloud.ctx, runnerId, [{ kind: 'server', id, generation: wish?.generation ?? 0, ...of }]);
};

describe('a group that is to be together', () => {
  it('takes no server in while one of it may be on either of two machines', async () => {
    const [a, b] = [await cloud.addRunner({ name: 'a' }), await cloud.addRunner({ name: 'b' })];
    const group = await newGroup('affinity');
    const first = await joinActive(group, 'a');
    const refused = /2 against the policy affinity of the server group/;
    await cloud.act(first, { migrate: null }, cloud.admin);
    expect(await faultOf(await join(group))).toMatch(refused);

    const [move] = await cloud.ctx.db.select().from(serverMigrations).where(eq(serverMigrations.serverId, first));
    const place = { address: '192.0.2.2', disk_port: 49_152, memory_port: 49_153 };
    await sees(b, first, { state: 'working', detail: { incoming: { move_id: move?.uuid, ...place } } });
    const [asked] = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, first));
    await cloud.ended(a, asked?.opId ?? '', 'done');
    await sees(b, first, { state: 'running' });
    expect(await cloud.show(first, cloud.admin)).toMatchObject({ status: 'VERIFY_RESIZE' });
    expect(await faultOf(await join(group))).toMatch(refused);

    await cloud.act(first, { revertResize: null }, cloud.admin);
    expect([await hostOf(first), await hostOf(await join(group))]).toEqual([a, a]);
  });

  it('is evacuated to one machine', async () => {
    const lost = await cloud.addRunner({ name: 'lost' });
    const group = await newGroup('affinity');
    const members = [await joinActive(group), await joinActive(group), await joinActive(group)];
    for (let at = 0; at < 3; at += 1) await cloud.addRunner();
    await cloud.ctx.db.update(runners).set({ forcedDown: true }).where(eq(runners.id, lost));
    await Promise.all(members.map(evacuated));
    const hosts = new Set(await Promise.all(members.map(hostOf)));
    expect([hosts.size, hosts.has(lost)]).toEqual([1, false]);
  });
});

/** @returns the answer's status */
const evacuated = async (id: string) => {
  const response = await cloud.call('POST', `/servers/${id}/action`, {
    body: { evacuate: {} },
    as: cloud.admin,
    version: '2.90',
  });
  await response.body?.cancel();
  return response.status;
};

describe('a group that is to keep apart', () => {
  it('does so when it is evacuated, however many are at once', async () => {
    const lost = [await cloud.addRunner({ name: 'a' }), await cloud.addRunner({ name: 'b' })];
    const group = await newGroup('anti-affinity');
    const members = [await joinActive(group, 'a'), await joinActive(group, 'b')];
    await cloud.addRunner({ name: 'c' });
    for (const id of lost)
      await cloud.ctx.db.update(runners).set({ forcedDown: true, state: 'disabled' }).where(eq(runners.id, id));
    const answers = await Promise.all(members.map(evacuated));
    expect(answers.toSorted()).toEqual([200, 400]);
  });
});
