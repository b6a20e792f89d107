import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheapGuest, type JoinedHosts, WORLD } from './joined-hosts.ts';
import { CURL, CURL_BRIEFLY, JoinedRouters, SNAT } from './joined-routers.ts';
import { eventually } from './namespaces.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Routers with a gateway, and floating IPs, on two machines on a cable to the world. */

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: JoinedRouters['open'];
beforeAll(async () => {
  routers = await JoinedRouters.open('aeflip', 2);
  ({ joined, open } = routers);
});
afterAll(() => joined.close());

const tenant = (cidr: string) => routers.tenant(cidr);
const float = (...args: Parameters<JoinedRouters['float']>) => routers.float(...args);

describe('a gateway', () => {
  it('translates what guests send to the address of their machine', async () => {
    const { net } = await tenant('10.20.0.0/24');
    const a = await joined.guest(0, net, 11, [open.id]);
    const b = await joined.guest(1, net, 12, [open.id]);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[0]}`);
    expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[1]}`);
    await a.namespace.serve(80, 'a');
    expect(await joined.outside.does(`${CURL_BRIEFLY} ${SNAT[0]}`)).toBe(false);
    // Nobody routes into tenants' networks through a machine.
    await joined.outside.sh(`ip route add 10.20.0.0/24 via ${SNAT[0]}`);
    expect(await joined.outside.does(`${CURL_BRIEFLY} ${a.address}`)).toBe(false);
  });

  it('leaves tenants with the same addresses apart', async () => {
    const tenants = [await tenant('10.21.0.0/24'), await tenant('10.21.0.0/24')];
    const guests = [];
    for (const { net } of tenants) guests.push(await joined.guest(0, net, 11, [open.id]));
    const answers = await Promise.all(guests.map((guest) => guest.namespace.sh(`${CURL} --local-port 5555 ${WORLD}`)));
    expect(answers).toEqual([`world ${SNAT[0]}`, `world ${SNAT[0]}`]);
  });
});

describe('a floating IP', () => {
  it('leads from the world to its guest and back, and from other guests wherever they are', async () => {
    const [one, two] = [await tenant('10.22.0.0/24'), await tenant('10.22.0.0/24')];
    const a = await joined.guest(0, one.net, 11, [open.id]);
    const sibling = await joined.guest(0, one.net, 12, [open.id]);
    const far = await joined.guest(1, one.net, 13, [open.id]);
    const other = await joined.guest(0, two.net, 11, [open.id]);
    const otherFar = await joined.guest(1, two.net, 12, [open.id]);
    await a.namespace.serve(80, 'a');
    const id = await float('203.0.113.101', a, one.routerId);
    expect(await joined.outside.sh(`${CURL} 203.0.113.101`)).toBe(`a ${WORLD}`);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe('world 203.0.113.101');
    expect(await sibling.namespace.sh(`${CURL} 203.0.113.101`)).toBe(`a ${SNAT[0]}`);
    expect(await far.namespace.sh(`${CURL} 203.0.113.101`)).toBe(`a ${SNAT[1]}`);
    expect(await other.namespace.sh(`${CURL} 203.0.113.101`)).toBe(`a ${SNAT[0]}`);
    expect(await otherFar.namespace.sh(`${CURL} 203.0.113.101`)).toBe(`a ${SNAT[1]}`);
    await joined.host(0).machine.remove('floating-ip', id);
    expect(await joined.outside.does(`${CURL_BRIEFLY} 203.0.113.101`)).toBe(false);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[0]}`);
  });

  it('leads its guest back to itself, which else hears nothing of what it says', async () => {
    const { net, routerId } = await tenant('10.25.0.0/24');
    const a = await joined.guest(0, net, 11, [open.id]);
    await a.namespace.serve(80, 'a');
    await float('203.0.113.105', a, routerId);
    const own = a.namespace.start('tcpdump', '-lnQ', 'in', '-i', 'eth0', `ether src ${a.port.mac_address}`);
    let heard = '';
    own.stdout?.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await eventually('what comes back', async () => {
      await a.namespace.does('arping -c1 -w1 -i eth0 10.25.0.77');
      expect(await a.namespace.sh(`${CURL} 203.0.113.105`)).toBe('a 203.0.113.105');
      return heard.includes('IP 203.0.113.105');
    });
    expect(heard).not.toContain('ARP');
  });

  it('is reached from networks whose guests leave by the machine itself, on its own machine and on others', async () => {
    const { net, routerId } = await tenant('10.26.0.0/24');
    const a = await joined.guest(0, net, 11, [open.id]);
    await a.namespace.serve(80, 'a');
    await float('203.0.113.106', a, routerId);
    // One whose addresses are those of the asked, too.
    for (const cidr of ['10.27.0.0/24', '10.26.0.0/24']) {
      const shared = networkOf(cidr);
      await joined.applyEverywhere('network', shared.id, shared);
      const near = await joined.guest(0, shared, 11, [open.id]);
      const far = await joined.guest(1, shared, 12, [open.id]);
      expect(await near.namespace.sh(`${CURL} 203.0.113.106`)).toBe(`a ${SNAT[0]}`);
      expect(await far.namespace.sh(`${CURL} 203.0.113.106`)).toBe(`a ${joined.host(1).address}`);
    }
  });

  it('is judged by the address that its guest sees, not by one that the sender has at home', async () => {
    const [one, two] = [await tenant('10.23.0.0/24'), await tenant('10.23.0.0/24')];
    const home = groupOf(ruleOf({ remote_ip_prefix: '10.23.0.0/24' }));
    await joined.applyEverywhere('security-group', home.id, home);
    const a = await joined.guest(0, one.net, 11, [home.id]);
    const stranger = await joined.guest(0, two.net, 12, [open.id]);
    await a.namespace.serve(80, 'a');
    await float('203.0.113.103', a, one.routerId);
    expect(await stranger.namespace.does(`${CURL_BRIEFLY} 203.0.113.103`)).toBe(false);
  });

  it('moves to a guest of another machine, and answers from there alone', async () => {
    const { net, routerId } = await tenant('10.24.0.0/24');
    const a = await joined.guest(0, net, 11, [open.id]);
    const b = await joined.guest(1, net, 12, [open.id]);
    const guests = [a, b];
    await a.namespace.serve(80, 'a');
    await b.namespace.serve(80, 'b');
    const address = '203.0.113.104';
    const id = await float(address, a, routerId);
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const pings = joined.outside.start('busybox', 'ping', '-i', '0.1', address);
      let said = '';
      await new Promise<void>((resolve) =>
        pings.stdout?.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          resolve();
        }),
      );
      await joined.host(from).machine.remove('floating-ip', id);
      await float(address, guests[to] as CheapGuest, routerId, { id });
      expect(await joined.outside.sh(`${CURL} ${address}`)).toBe(`${['a', 'b'][to]} ${WORLD}`);
      const owners = await joined.outside.sh(`arping -c3 -w5 -i cable ${address}`);
      expect(new Set(owners.match(/(..:){5}../g))).toHaveLength(1);
      pings.kill('SIGINT');
      await new Promise((resolve) => pings.once('exit', resolve));
      process.stderr.write(`pings at a move: ${/.*packets received/.exec(said)?.[0]}\n`);
    }
  });
});
