import { eq, sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { runners } from '../../../db/schema/fleet.ts';
import {
  inOwnRegion,
  type NetActor,
  net,
  newMember,
  newNetwork,
  runnerRow,
  testDatabase,
  unlimited,
} from '../../../test/edge-network.ts';
import { boot, contextOf, held, observe, run } from '../../../test/edge-server-ports.ts';
import { mintActor } from '../../../test/edge-tokens.ts';
import {
  dropServerPorts,
  moveServerPorts,
  putServerPorts,
  releaseServerPorts,
  takePortsFrom,
} from '../server-ports.ts';

const db = testDatabase();

/** Numbers below a limit, the same for the same seed. */
function chance(seed: number) {
  let state = seed;
  return (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * limit);
  };
}

async function tunnelled(at: number): Promise<string> {
  const id = await runnerRow();
  await db
    .update(runners)
    .set({ tunnelIp: `192.0.2.${at}` })
    .where(eq(runners.id, id));
  return id;
}

/** What a runner should know of its neighbors, worked out anew from the rows. */
async function expected(runnerId: string): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`
    SELECT p.id FROM ports p JOIN networks n ON n.id = p.network_id AND n.network_type = 'vxlan'
    JOIN runners peer ON peer.id = p.runner_id AND peer.tunnel_ip IS NOT NULL
    WHERE p.runner_id <> ${runnerId} AND p.network_id IN (SELECT id FROM desired
      WHERE runner_id = ${runnerId} AND kind = 'network' AND deleted = 0) ORDER BY p.id`);
  return rows.map(({ id }) => id);
}

async function deleted(actor: NetActor, server: { serverId: string; portIds: string[] }, runnerId: string) {
  const ctx = contextOf(actor);
  await run(ctx, dropServerPorts(ctx, server.serverId));
  for (const id of server.portIds) await observe(runnerId, id, 'absent');
  await run(ctx, releaseServerPorts(ctx, server.serverId));
}

it('are known on every host of a network, and nowhere else, whatever comes and goes', async () => {
  const random = chance(7);
  const actor = inOwnRegion(await newMember());
  await unlimited(actor);
  const hosts = [await tunnelled(1), await tunnelled(2), await tunnelled(3)];
  const networkIds = [(await newNetwork(actor)).networkId, (await newNetwork(actor)).networkId];
  const ctx = contextOf(actor);
  const servers: { serverId: string; portIds: string[]; at: string }[] = [];
  const pick = <T>(all: T[]): T => all[random(all.length)] as T;
  for (let step = 0; step < 30; step++) {
    const what = random(4);
    const [at, server] = [pick(hosts), servers.length > 0 ? pick(servers) : undefined];
    if (what < 2 || !server) {
      const requests = [{ networkId: pick(networkIds) }];
      servers.push({ ...(await boot(ctx, at, { requests })), at });
    } else if (what === 2) {
      await deleted(actor, server, server.at);
      servers.splice(servers.indexOf(server), 1);
    } else if (at !== server.at) {
      const put = putServerPorts(ctx, server.serverId, at);
      await run(ctx, put);
      const move = [takePortsFrom(ctx, server.serverId, server.at), ...moveServerPorts(ctx, server.serverId, at)];
      await run(ctx, {
        statements: [...put.statements, ...move],
        touches: sql`(runners.id = ${server.at} OR ${put.touches})`,
      });
      for (const id of server.portIds) await observe(server.at, id, 'absent');
      server.at = at;
    }
    for (const host of hosts)
      expect((await held(host)).kinds('neighbor'), `step ${step}`).toEqual(await expected(host));
  }
  expect(servers.length).toBeGreaterThan(3);
});

it('say where frames go, also after an address of the port or of its host changed', async () => {
  const actor = inOwnRegion(await newMember());
  const pools = { allocation_pools: [{ start: '10.20.0.2', end: '10.20.0.99' }] };
  const { networkId, subnetId } = await newNetwork(actor, { subnet: pools });
  const [one, two] = [await tunnelled(1), await tunnelled(2)];
  const ctx = contextOf(actor);
  const a = await boot(ctx, one);
  await boot(ctx, two);
  const neighbor = async () => (await held(two)).live.get(`neighbor ${a.portIds[0]}`);
  const { port } = (await net(actor, 'GET', `/ports/${a.portIds[0]}`)).body;
  expect(await neighbor()).toEqual({
    port_id: a.portIds[0],
    network_id: networkId,
    mac_address: port.mac_address,
    addresses: [port.fixed_ips[0].ip_address],
    tunnel_ip: '192.0.2.1',
  });
  const fixed_ips = [{ subnet_id: subnetId, ip_address: '10.20.0.177' }];
  expect((await net(actor, 'PUT', `/ports/${a.portIds[0]}`, { port: { fixed_ips } })).status).toBe(200);
  expect(await neighbor()).toMatchObject({ addresses: ['10.20.0.177'] });
});

it('are none on networks that no tunnel carries', async () => {
  const actor = inOwnRegion(await newMember());
  const admin = inOwnRegion(await mintActor('admin', actor.projectId), actor.region);
  const { body } = await net(admin, 'POST', '/networks', { network: { 'provider:network_type': 'local' } });
  const subnet = { network_id: body.network.id, ip_version: 4, cidr: '10.20.0.0/24' };
  await net(actor, 'POST', '/subnets', { subnet });
  const [one, two] = [await tunnelled(1), await tunnelled(2)];
  await boot(contextOf(actor), one);
  await boot(contextOf(actor), two);
  expect((await held(two)).kinds('neighbor')).toEqual([]);
});
