import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { type CheapGuest, JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually, type Namespace } from './namespaces.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* A tenant chooses its addresses, so also those of the world, of the machine's peers and of other tenants: nobody else notices. */

const MARK = 'aestra';
const FAR = '198.18.8.8';
const CURL = 'curl -sS -m 20';
const SNAT = '203.0.113.200';

let joined: JoinedHosts;
let outside: NetworkSpec;
const open = groupOf(ruleOf());
beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  await joined.applyEverywhere('security-group', open.id, open);
  outside = networkOf('203.0.113.0/24', {
    external: true,
    snat: false,
    host_access: false,
    mtu: 1500,
    segment: { type: 'flat', physical_network: 'public' },
  });
  outside.subnets = outside.subnets.map((subnet) => ({ ...subnet, enable_dhcp: false }));
  await joined.applyEverywhere('network', outside.id, outside);
  await joined.outside.sh(`ip addr add ${FAR}/32 dev cable`);
});
afterAll(() => joined.close());

/** A network with a router of its own to the world. */
async function tenant(cidr: string, gateway_ip: string): Promise<NetworkSpec> {
  const net = networkOf(cidr, { snat: false, host_access: false });
  net.subnets = net.subnets.map((subnet) => ({ ...subnet, gateway_ip }));
  await joined.applyEverywhere('network', net.id, net);
  const id = randomUUID();
  await joined.applyEverywhere('router', id, {
    id,
    admin_state_up: true,
    interfaces: [{ network_id: net.id, subnet_id: net.subnets[0]?.id ?? '', ip_address: gateway_ip }],
    routes: [],
    gateway: { network_id: outside.id, enable_snat: true, snat_ip: SNAT, next_hops: [WORLD] },
  });
  return net;
}

/** A datagram from a port and address to another, once. */
const datagram = (text: string, from: string, to: string, toPort: number) => `
  const s = require('node:dgram').createSocket('udp4');
  s.bind(53, ${JSON.stringify(from)}, () => s.send(${JSON.stringify(text)}, ${toPort}, ${JSON.stringify(to)}, () => s.close()));`;

/** Asks from a port, and says all that comes back to it for a while. */
const asks = (fromPort: number, to: string, toPort: number) => `
  const s = require('node:dgram').createSocket('udp4');
  s.on('message', (m) => process.stdout.write(m + ' '));
  s.bind(${fromPort}, () => s.send('question', ${toPort}, ${JSON.stringify(to)}, () => process.stdout.write('asked ')));`;

describe('a gateway with an address of the world', () => {
  it('hides that address neither from the machine nor from other tenants', async () => {
    const thief = await tenant('198.18.8.0/24', FAR);
    const own = await joined.guest(0, thief, 11, [open.id]);
    const shared = await joined.guest(0, await sharedNetwork('10.31.0.0/24'), 11, [open.id]);
    const other = await joined.guest(0, await tenant('10.30.0.0/24', '10.30.0.1'), 11, [open.id]);
    const address = joined.host(0).address;
    expect(await joined.host(0).namespace.sh(`${CURL} ${FAR}`)).toBe(`world ${address}`);
    expect(await shared.namespace.sh(`${CURL} ${FAR}`)).toBe(`world ${address}`);
    expect(await other.namespace.sh(`${CURL} ${FAR}`)).toBe(`world ${SNAT}`);
    // All of the range, its broadcast address, too.
    await joined.outside.sh('ip addr add 198.18.8.255/32 dev cable');
    expect(await joined.host(0).namespace.sh(`${CURL} 198.18.8.255`)).toBe(`world ${address}`);
    // And it is a gateway.
    expect(await own.namespace.does(`busybox ping -c1 -W30 ${FAR}`)).toBe(true);
    expect(await own.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT}`);
  });

  it('is no obstacle to a guest of another tenant that has it', async () => {
    await tenant('10.32.0.0/24', '10.32.0.1');
    const other = await joined.guest(0, await tenant('10.32.0.0/24', '10.32.0.254'), 1, [open.id]);
    expect(await other.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT}`);
  });

  it('stays so after the link was down', async () => {
    const net = await tenant('198.18.9.0/24', '198.18.9.9');
    await joined.outside.sh('ip addr add 198.18.9.9/32 dev cable');
    const bridge = (await joined.host(0).namespace.sh('ip -o link')).match(/aestrab[0-9a-f]+/g) ?? [];
    for (const name of bridge) await joined.host(0).namespace.sh(`ip link set ${name} down; ip link set ${name} up`);
    await joined.applyEverywhere('network', net.id, net);
    expect(await joined.host(0).namespace.sh(`${CURL} 198.18.9.9`)).toBe(`world ${joined.host(0).address}`);
  });
});

describe('a guest with an address of the world', () => {
  it('does not answer in its stead, neither the machine nor another tenant', async () => {
    const thief = await tenant('198.18.7.0/24', '198.18.7.1');
    const far = '198.18.7.7';
    await joined.outside.sh(`ip addr add ${far}/32 dev cable`);
    const forger = await joined.guest(0, thief, 7, [open.id]);
    const victim = await joined.guest(0, await tenant('10.33.0.0/24', '10.33.0.1'), 11, [open.id]);
    const askers = [
      { at: joined.host(0).namespace, answered: joined.host(0).address },
      { at: victim.namespace, answered: SNAT },
    ];
    for (const { at, answered } of askers) expect(await heardBy(at, answered, far, forger)).toBe('asked true ');
  });

  it('does not answer its own network’s other guests in its stead', async () => {
    const net = await tenant('10.34.0.0/24', '10.34.0.1');
    const far = '198.18.7.8';
    await joined.outside.sh(`ip addr add ${far}/32 dev cable`);
    const victim = await joined.guest(0, net, 11, [open.id]);
    const forger = await joined.guest(0, net, 12, [], { port_security_enabled: false });
    await forger.namespace.sh(`ip addr add ${far}/32 dev lo`);
    expect(await heardBy(victim.namespace, SNAT, far, forger)).toBe('asked true ');
  });
});

/** Asks a machine of the world, and says all that is heard of it and of who forges its answers; the true one comes last. */
async function heardBy(at: Namespace, answered: string, far: string, forger: CheapGuest): Promise<string> {
  let heard = '';
  const child = at.start(process.execPath, '-e', asks(5300, far, 53));
  await new Promise<void>((resolve) =>
    child.stdout?.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      resolve();
    }),
  );
  await forger.namespace.node(datagram('forged', far, answered, 5300));
  await joined.outside.node(datagram('true', far, answered, 5300));
  await eventually('the true one', async () => heard.includes('true'));
  return heard;
}

/** A network whose guests leave as the machine itself. */
async function sharedNetwork(cidr: string): Promise<NetworkSpec> {
  const net = networkOf(cidr);
  await joined.applyEverywhere('network', net.id, net);
  return net;
}
