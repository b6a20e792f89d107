import { and, eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { desired, runners } from '../../../db/schema/fleet.ts';
import {
  inOwnRegion,
  type NetActor,
  net,
  newMember,
  newNetwork,
  runnerRow,
  testDatabase,
} from '../../../test/edge-network.ts';
import { boot, contextOf, held, observe, run } from '../../../test/edge-server-ports.ts';
import { mintActor } from '../../../test/edge-tokens.ts';
import { commitEffects } from '../../fleet/link/record-observed.ts';
import { observers } from '../../fleet/observers.ts';
import { dropServerPorts, releaseServerPorts } from '../server-ports.ts';

const db = testDatabase();

/** An admin in an actor's region. */
const adminBeside = async (actor: NetActor) => inOwnRegion(await mintActor('admin'), actor.region);

const port = async (actor: NetActor, id: string | undefined) => (await net(actor, 'GET', `/ports/${id}`)).body.port;

describe('what a host holds', () => {
  it('follows its networks, subnets and ports', async () => {
    const actor = inOwnRegion(await newMember());
    const { networkId, subnetId } = await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    const spec = async (key: string) => (await held(runnerId)).live.get(key) as Record<string, never> | undefined;
    await net(actor, 'PUT', `/networks/${networkId}`, { network: { mtu: 1400 } });
    expect((await spec(`network ${networkId}`))?.mtu).toBe(1400);
    expect((await spec(`port ${portIds[0]}`))?.mtu).toBe(1400);
    await net(actor, 'PUT', `/subnets/${subnetId}`, { subnet: { dns_nameservers: ['1.1.1.1'] } });
    expect(await spec(`network ${networkId}`)).toMatchObject({ subnets: [{ dns_nameservers: ['1.1.1.1'] }] });
    const second = await net(actor, 'POST', '/subnets', {
      subnet: { network_id: networkId, ip_version: 6, cidr: 'fd00:9::/64' },
    });
    expect(await spec(`network ${networkId}`)).toMatchObject({
      subnets: [{ id: subnetId }, { id: second.body.subnet.id }],
    });
    await net(actor, 'DELETE', `/subnets/${second.body.subnet.id}`);
    expect((await spec(`network ${networkId}`))?.subnets).toHaveLength(1);
    await net(actor, 'PUT', `/ports/${portIds[0]}`, { port: { admin_state_up: false } });
    expect((await spec(`port ${portIds[0]}`))?.admin_state_up).toBe(false);
    const before = (await held(runnerId)).generations;
    await net(actor, 'PUT', `/networks/${networkId}`, { network: { name: 'only a name' } });
    expect((await held(runnerId)).generations).toEqual(before);
  });

  it('a bound port keeps its device and its MAC', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const { portIds } = await boot(contextOf(actor), await runnerRow());
    const admin = await adminBeside(actor);
    const change = async (value: Record<string, unknown>) => {
      const answer = await net(admin, 'PUT', `/ports/${portIds[0]}`, { port: value });
      return [answer.status, answer.body.NeutronError?.type];
    };
    expect(await change({ device_id: '' })).toEqual([409, 'PortInUse']);
    expect(await change({ device_owner: 'network:x' })).toEqual([409, 'PortInUse']);
    expect(await change({ mac_address: '02:00:00:00:00:99' })).toEqual([409, 'PortBound']);
  });

  it('a port becomes ACTIVE when its host says so, of the wish it has now', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    const id = portIds[0] ?? '';
    const stale = { kind: 'port', id, generation: 99, state: 'applied' } as const;
    await commitEffects(ctx, [observers.port(ctx, runnerId, stale)]);
    expect((await port(actor, id)).status).toBe('DOWN');
    await observe(runnerId, id, 'applied');
    expect(await port(actor, id)).toMatchObject({ status: 'ACTIVE', revision_number: 2 });
    await observe(runnerId, id, 'applied');
    expect((await port(actor, id)).revision_number).toBe(2);
    await observe(runnerId, id, 'failed');
    expect((await port(actor, id)).status).toBe('ERROR');
    await observe(await runnerRow(), id, 'applied');
    expect((await port(actor, id)).status).toBe('ERROR');
  });

  it('goes with the last port that needs it, and not before', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const [a, b] = [await boot(ctx, runnerId), await boot(ctx, runnerId)];
    const end = async (server: typeof a) => {
      await run(ctx, dropServerPorts(ctx, server.serverId));
      await run(ctx, releaseServerPorts(ctx, server.serverId));
      await observe(runnerId, server.portIds[0] ?? '', 'absent');
    };
    await end(a);
    expect((await net(actor, 'GET', `/ports/${a.portIds[0]}`)).status).toBe(404);
    let state = await held(runnerId);
    expect([
      state.kinds('network').length,
      state.kinds('security-group').length,
      state.kinds('group-member').length,
    ]).toEqual([1, 1, 1]);
    await end(b);
    state = await held(runnerId);
    expect(state.live.size).toBe(0);
    expect(state.gone.map((key) => key.split(' ')[0]).sort()).toEqual([
      'group-member',
      'group-member',
      'network',
      'security-group',
    ]);
    expect(Math.max(...state.generations.values())).toBe(state.generation);
    const again = await boot(ctx, runnerId);
    state = await held(runnerId);
    expect(state.live.has(`port ${again.portIds[0]}`)).toBe(true);
    expect([
      state.kinds('network').length,
      state.kinds('security-group').length,
      state.kinds('group-member').length,
    ]).toEqual([1, 1, 1]);
  });

  it('stays while a guest that is being removed still has its port', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const [a, b] = [await boot(ctx, runnerId), await boot(ctx, runnerId)];
    await run(ctx, dropServerPorts(ctx, a.serverId));
    await run(ctx, dropServerPorts(ctx, b.serverId));
    await run(ctx, releaseServerPorts(ctx, a.serverId));
    await observe(runnerId, a.portIds[0] ?? '', 'absent');
    expect((await held(runnerId)).kinds('network')).toHaveLength(1);
    expect((await net(actor, 'GET', `/ports/${b.portIds[0]}`)).status).toBe(200);
  });

  it('a deleted port leaves its server, its host and the members', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const ctx = contextOf(actor);
    const [runnerId, other] = [await runnerRow(), await runnerRow()];
    const { serverId, portIds } = await boot(ctx, runnerId);
    await boot(ctx, other);
    await db
      .insert(desired)
      .values({ runnerId, kind: 'server', id: serverId, generation: 0, spec: { ports: ['x', portIds[0]] } });
    const [groupId] = (await port(actor, portIds[0])).security_groups;
    expect((await net(actor, 'DELETE', `/ports/${portIds[0]}`)).status).toBe(204);
    const rows = await db
      .select()
      .from(desired)
      .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'server')));
    const [runner] = await db.select().from(runners).where(eq(runners.id, runnerId));
    expect(rows.map((row) => [row.spec, row.generation])).toEqual([[{ ports: ['x'] }, runner?.generation]]);
    await db.delete(desired).where(eq(desired.kind, 'server'));
    expect((await held(runnerId)).gone).toContain(`port ${portIds[0]}`);
    expect((await held(other)).gone).toEqual([`group-member ${groupId}:${portIds[0]}`]);
    await observe(runnerId, portIds[0] ?? '', 'absent');
    expect((await held(runnerId)).live.size).toBe(0);
  });
});
