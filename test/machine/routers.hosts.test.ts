import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import type { RouterSpec } from '../../shared/specs/router.ts';
import { type CheapGuest, JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Routers between networks of guests on one machine: who reaches whom, and who does not. */

const MARK = 'aerout';
const ICMP = 1;
const PING = 'busybox ping -c1 -W30';
/** Silence is waited for only briefly. */
const PING_BRIEFLY = 'busybox ping -c1 -W1';

let joined: JoinedHosts;
const open = groupOf(ruleOf());
const closed = groupOf();
beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  for (const group of [open, closed]) await joined.applyEverywhere('security-group', group.id, group);
});
afterAll(() => joined.close());

async function network(cidr: string, change: Partial<NetworkSpec> = {}): Promise<NetworkSpec> {
  const spec = networkOf(cidr, { snat: false, host_access: false, ...change });
  await joined.applyEverywhere('network', spec.id, spec);
  return spec;
}

/** A router that is the gateway of each network's first subnet. */
async function router(networks: NetworkSpec[], change: Partial<RouterSpec> = {}): Promise<RouterSpec> {
  const interfaces = networks.flatMap((net) =>
    net.subnets.slice(0, 1).map((subnet) => ({
      network_id: net.id,
      subnet_id: subnet.id,
      ip_address: subnet.gateway_ip ?? '',
    })),
  );
  const spec = { id: randomUUID(), admin_state_up: true, interfaces, routes: [], gateway: null, ...change };
  await joined.applyEverywhere('router', spec.id, spec);
  return spec;
}

const reaches = (from: CheapGuest, to: CheapGuest) => from.namespace.does(`${PING} ${to.address}`);
const isCutFrom = async (from: CheapGuest, to: CheapGuest) =>
  !(await from.namespace.does(`${PING_BRIEFLY} ${to.address}`));

describe('a router', () => {
  it('joins networks both ways, under the rules of sender and receiver, until it is down or gone', async () => {
    const [one, two] = [await network('10.1.0.0/24'), await network('10.2.0.0/24')];
    const only = groupOf(ruleOf({ protocol: ICMP, remote_ip_prefix: '10.1.0.11/32' }));
    await joined.applyEverywhere('security-group', only.id, only);
    const a = await joined.guest(0, one, 11, [open.id]);
    const a2 = await joined.guest(0, one, 12, [open.id]);
    const b = await joined.guest(0, two, 11, [only.id]);
    expect(await isCutFrom(a, b)).toBe(true);
    const spec = await router([one, two]);
    expect(await reaches(a, b)).toBe(true);
    expect(await reaches(b, a)).toBe(true);
    expect(await isCutFrom(a2, b)).toBe(true);
    // Its addresses answer on either side, also those of the other network.
    expect(await a.namespace.does(`${PING} 10.1.0.1`)).toBe(true);
    expect(await a.namespace.does(`${PING} 10.2.0.1`)).toBe(true);

    await joined.applyEverywhere('router', spec.id, { ...spec, admin_state_up: false });
    expect(await isCutFrom(a, b)).toBe(true);
    expect(await isCutFrom(b, a)).toBe(true);
    await joined.applyEverywhere('router', spec.id, spec);
    expect(await reaches(a, b)).toBe(true);
    await joined.host(0).machine.remove('router', spec.id);
    expect(await isCutFrom(a, b)).toBe(true);
    expect(await a.namespace.does(`${PING_BRIEFLY} 10.1.0.1`)).toBe(false);
  });

  it('cuts also who talks already when it is taken away', async () => {
    const [one, two] = [await network('10.3.0.0/24'), await network('10.4.0.0/24')];
    const a = await joined.guest(0, one, 11, [open.id]);
    const b = await joined.guest(0, two, 11, [open.id]);
    const spec = await router([one, two]);
    await b.namespace.serveTicks(81);
    expect(await reaches(a, b)).toBe(true);
    const listener = a.namespace.start('curl', '-sSN', `http://${b.address}:81/`);
    let heard = 0;
    listener.stdout?.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    await eventually('ticks', async () => heard > 5);
    await joined.host(0).machine.remove('router', spec.id);
    await eventually('silence', async () => {
      const before = heard;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return heard === before;
    });
  });

  it('leaves networks apart that none joins, with the same addresses too', async () => {
    const tenants = await Promise.all([0, 1].map(() => Promise.all([network('10.5.0.0/24'), network('10.6.0.0/24')])));
    const guests = [];
    for (const [index, pair] of tenants.entries()) {
      await router(pair);
      const a = await joined.guest(0, pair[0], 11, [open.id]);
      const b = await joined.guest(0, pair[1], 11, [open.id]);
      await b.namespace.serve(80, `tenant${index}`);
      guests.push({ a, b });
    }
    const other = await network('10.7.0.0/24');
    const c = await joined.guest(0, other, 11, [open.id]);
    // The same source port at the same time: only the router tells the two connections apart.
    const answers = await Promise.all(
      guests.map(({ a, b }) => a.namespace.sh(`curl -sS -m 30 --local-port 5555 http://${b.address}/`)),
    );
    expect(answers).toEqual(['tenant0 10.5.0.11', 'tenant1 10.5.0.11']);
    for (const { a } of guests) {
      expect(await isCutFrom(a, c)).toBe(true);
      expect(await isCutFrom(c, a)).toBe(true);
    }
  });

  it('sends on what its routes say, and the guest that routes is judged as receiver', async () => {
    const [one, two] = [await network('10.8.0.0/24'), await network('10.9.0.0/24')];
    const a = await joined.guest(0, one, 11, [open.id]);
    const way = await joined.guest(0, two, 12, [], { port_security_enabled: false });
    await way.namespace.sh('ip addr add 172.20.0.1/32 dev lo');
    const spec = await router([one, two]);
    expect(await a.namespace.does(`${PING_BRIEFLY} 172.20.0.1`)).toBe(false);
    const routes = [{ destination: '172.20.0.0/24', nexthop: way.address }];
    await joined.applyEverywhere('router', spec.id, { ...spec, routes });
    expect(await a.namespace.does(`${PING} 172.20.0.1`)).toBe(true);
    await joined.applyEverywhere('port', way.port.id, {
      ...way.port,
      port_security_enabled: true,
      security_groups: [closed.id],
    });
    expect(await a.namespace.does(`${PING_BRIEFLY} 172.20.0.1`)).toBe(false);
    await joined.applyEverywhere('router', spec.id, spec);
    expect(await joined.host(0).namespace.sh('ip route show table all')).not.toContain('172.20.0.0/24');
  });

  it('without a gateway is no way out, not even by the routes of the machine itself', async () => {
    const [one, two] = [await network('10.10.0.0/24'), await network('10.11.0.0/24', { snat: true })];
    const a = await joined.guest(0, one, 11, [open.id]);
    const b = await joined.guest(0, two, 11, [open.id]);
    expect(await b.namespace.does(`${PING} ${WORLD}`)).toBe(true);
    await joined.outside.sh(`ip route add 10.10.0.0/24 via ${joined.host(0).address}`);
    expect(await a.namespace.does(`${PING_BRIEFLY} ${WORLD}`)).toBe(false);
    await router([one, two]);
    expect(await a.namespace.does(`${PING_BRIEFLY} ${WORLD}`)).toBe(false);
    expect(await reaches(a, b)).toBe(true);
  });
});
