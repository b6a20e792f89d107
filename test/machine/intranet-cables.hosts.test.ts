import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CheapGuest, JoinedHosts } from './joined-hosts.ts';
import { Namespace } from './namespaces.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* The intranet filter between machines: through tunnels, and on cables that machines of the intranet are on, too. */

const WIDE = '10.0.0.0/8';
/** Of the flat network's own subnet. */
const WITHIN = '10.60.0.128/25';
const SERVER = '10.60.0.200';
const BESIDE = '10.61.0.1';
const CURL = 'curl -sS -m 30';
const CURL_BRIEFLY = 'curl -sS -m 1.5';

let joined: JoinedHosts;
let open: string;
let office: Namespace;
beforeAll(async () => {
  joined = await JoinedHosts.open('aeicab', 2);
  const group = groupOf(ruleOf());
  open = group.id;
  await joined.applyEverywhere('security-group', open, group);
  office = await Namespace.make();
  await joined.cables.sh(
    `ip link add office type veth peer name eth0 netns ${office.name}; ip link set office master cable up`,
  );
  await office.sh(
    `ip addr add ${SERVER}/24 dev eth0; ip addr add ${BESIDE}/24 dev eth0; ip link set eth0 up; ip route add 10.60.0.0/25 dev eth0`,
  );
  await office.serve(80, 'office');
});
afterAll(async () => {
  await joined.close();
  await office.close();
});

const filter = (...prefixes: string[]) => joined.applyEverywhere('intranet', 'filter', { dry_run: false, prefixes });
const exception = async (guest: CheapGuest, destination: string) => {
  const id = randomUUID();
  const any = { protocol: null, port_range_min: null, port_range_max: null, expires_at_ms: null };
  await joined.applyEverywhere('intranet-exception', id, {
    id,
    source: { type: 'port', id: guest.port.id },
    destination,
    ...any,
  });
};

it('leaves guests of one VXLAN to each other, whatever is declared', async () => {
  await filter('0.0.0.0/0', '::/0');
  const net = networkOf('10.1.0.0/24', { segment: { type: 'vxlan', id: 77 } });
  await joined.applyEverywhere('network', net.id, net);
  const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(1, net, 12, [open])];
  await b.namespace.serve(80, 'b');
  expect(await a.namespace.sh(`${CURL} ${b.address}`)).toContain('b ');
});

it('closes what is beside a flat network and within it, and leaves the rest of it to its guests', async () => {
  await filter();
  const segment = { type: 'flat', physical_network: 'cables' } as const;
  const net = networkOf('10.60.0.0/24', { segment });
  await joined.applyEverywhere('network', net.id, net);
  const [a, b] = [await joined.guest(0, net, 11, [open]), await joined.guest(1, net, 12, [open])];
  const c = await joined.guest(1, net, 201, [open]);
  for (const one of [a, b, c]) await one.namespace.serve(80, 'guest');
  await a.namespace.sh(`ip route add ${BESIDE}/32 dev eth0`);
  for (const to of [SERVER, BESIDE]) expect(await a.namespace.sh(`${CURL} ${to}`)).toContain('office');

  await filter(WIDE);
  expect(await a.namespace.sh(`${CURL} ${b.address}`)).toContain('guest');
  expect(await a.namespace.does(`${CURL} ${SERVER}`)).toBe(true);
  expect(await a.namespace.does(`${CURL_BRIEFLY} ${BESIDE}`)).toBe(false);

  await filter(WIDE, WITHIN);
  expect(await a.namespace.sh(`${CURL} ${b.address}`)).toContain('guest');
  for (const to of [SERVER, BESIDE, c.address]) expect(await a.namespace.does(`${CURL_BRIEFLY} ${to}`)).toBe(false);
  // Who is on the cable may ask, and is answered.
  expect(await office.sh(`${CURL} --interface ${SERVER} ${a.address}`)).toContain('guest');
  await exception(a, `${SERVER}/32`);
  expect(await a.namespace.does(`${CURL} ${SERVER}`)).toBe(true);
  // What one machine has let go, the other takes.
  await exception(a, `${c.address}/32`);
  expect(await a.namespace.sh(`${CURL} ${c.address}`)).toContain('guest');
});
