import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import { type CheapGuest, type JoinedHosts, WORLD } from './joined-hosts.ts';
import { CURL, JoinedRouters, SNAT } from './joined-routers.ts';
import { eventually, type Namespace } from './namespaces.ts';

/* What ends with a floating IP, and what comes back when somebody takes it from the machine by hand. */

const MARK = 'aecare';

let routers: JoinedRouters;
let joined: JoinedHosts;
let open: string;
beforeAll(async () => {
  routers = await JoinedRouters.open(MARK, 2);
  joined = routers.joined;
  open = routers.open.id;
});
afterAll(() => joined.close());

/** Listens to letters without end; answers whether they still come after what is done. */
async function stillHears(from: Namespace, url: string, what: () => Promise<unknown>): Promise<boolean> {
  const listener = from.start('curl', '-sSN', url);
  let heard = 0;
  listener.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  await eventually('ticks', async () => heard > 5);
  await what();
  // What is under way arrives first.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = heard;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  listener.kill('SIGKILL');
  return heard > before;
}

describe('connections', () => {
  it('through a floating IP end when it is taken away, both ways, and those of others go on', async () => {
    const address = '203.0.113.170';
    const { net, routerId } = await routers.tenant('10.60.0.0/24');
    const [a, other] = [await joined.guest(0, net, 11, [open]), await joined.guest(0, net, 12, [open])];
    await a.namespace.serveTicks(81);
    await other.namespace.serveTicks(81);
    await joined.outside.serveTicks(81);
    await routers.float('203.0.113.171', other, routerId);
    for (const [from, url, goesOn] of [
      [joined.outside, `http://${address}:81/`, false],
      [a.namespace, `http://${WORLD}:81/`, false],
      [joined.outside, 'http://203.0.113.171:81/', true],
    ] as const) {
      const id = await routers.float(address, a, routerId);
      expect(await stillHears(from, url, () => joined.host(0).machine.remove('floating-ip', id))).toBe(goesOn);
    }
  });

  it('through a floating IP end when it goes to another guest of the same machine', async () => {
    const address = '203.0.113.172';
    const { net, routerId } = await routers.tenant('10.61.0.0/24');
    const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(0, net, 12, [open])];
    await a.namespace.serveTicks(81);
    await b.namespace.serve(80, 'b');
    const id = await routers.float(address, a, routerId);
    const move = () => routers.float(address, b, routerId, { id });
    expect(await stillHears(joined.outside, `http://${address}:81/`, move)).toBe(false);
    expect(await joined.outside.sh(`${CURL} ${address}`)).toBe(`b ${WORLD}`);
  });

  it('of guests begin with the floating IP where they would have been translated to the machine’s address', async () => {
    const { net, routerId } = await routers.tenant('10.62.0.0/24');
    const a = await joined.guest(0, net, 11, [open]);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${SNAT[0]}`);
    await routers.float('203.0.113.173', a, routerId);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe('world 203.0.113.173');
  });
});

describe('by hand', () => {
  it('removed routes, rules, addresses and neighbors come back', async () => {
    const [one, two] = [await routers.network('10.63.0.0/24'), await routers.network('10.64.0.0/24')];
    const routerId = await routers.router([one, two]);
    const a = await joined.guest(0, one, 11, [open]);
    const b = await joined.guest(1, two, 12, [open]);
    const names = new Names(MARK);
    const [inner, beyond, outer] = [one, two, routers.outside].map(({ id }) => names.bridge(id));
    await routers.float('203.0.113.174', a, routerId);
    await a.namespace.serve(80, 'a');
    const all = async (guest: CheapGuest) =>
      (await guest.namespace.does(`busybox ping -c1 -W1 ${b.address}`)) &&
      (await guest.namespace.does(`curl -sS -m 2 ${WORLD}`)) &&
      (await joined.outside.does('curl -sS -m 2 203.0.113.174'));
    await eventually('all ways', () => all(a));
    const ours = (what: string) => `ip ${what} show | grep -oE 'lookup (17|18)[0-9]+' | cut -d' ' -f2 | sort -u`;
    for (const deed of [
      `ip addr del 10.63.0.1/24 dev ${inner}`,
      `ip addr del 203.0.113.174/32 dev ${outer}`,
      `for t in $(${ours('rule')}); do ip route flush table $t; done`,
      `for t in $(${ours('rule')}); do while ip rule del lookup $t; do :; done; done`,
      `ip neigh flush dev ${beyond} nud permanent; ip neigh del ${b.address} dev ${beyond}`,
      `bridge fdb del ${b.port.mac_address} dev ${names.segment(two.id)} self`,
    ]) {
      const { machine, namespace } = joined.host(0);
      const cut = await machine.whileStopped(async () => {
        await namespace.sh(`${deed} 2>/dev/null; true`);
        await a.namespace.sh('ip neigh flush dev eth0');
        await joined.outside.sh('ip neigh flush dev cable');
        return !(await all(a));
      });
      expect({ deed, cut }).toEqual({ deed, cut: true });
      await eventually(`all ways after ${deed}`, () => all(a));
    }
  });
});
