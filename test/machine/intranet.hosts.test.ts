import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import type { DeniedFlow } from '../../shared/specs/intranet.ts';
import type { SpecOf } from '../../shared/specs/kinds.ts';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { configure, eventually, fakeGuest, Namespace, temporaryFolder } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, ruleOf, serverOf } from './specs.ts';

/*
 * The intranet filter with real packets. The world has a public address and two of an intranet; the machine has one of
 * each, too. What should be dropped is waited for briefly, after the same path was seen to work.
 */

const MARK = 'aeintra';
const PUBLIC = '203.0.113.1';
const INTRANET = '10.200.0.1';
const OTHER_INTRANET = '10.200.0.9';
const OWN_INTRANET = '10.200.0.2';
const INTRANET6 = 'fd10::1';
const PREFIXES = ['10.0.0.0/8', 'fd10::/16'];
const KERNEL_COMMAND_LINE =
  'console=ttyS0 quiet panic=1 net.ifnames=0 nokaslr mitigations=off tsc=reliable no_timer_check';
const BOOT_MS = 60_000;
/** Of the runner, under a flood. */
const STARTS = 4;
const CURL = 'curl -sS -m 30';
const CURL_BRIEFLY = 'curl -sS -m 1.5';
const pings = (address: string) => `busybox ping -c1 -W30 ${address}`;
const pingsBriefly = (address: string) => `busybox ping -c1 -W1 ${address}`;

const folder = temporaryFolder();
const options: ServeOptions = {
  stateDir: folder.path,
  mark: MARK,
  images: {},
  adminShell: true,
  physicalNetworks: { office: 'ph0' },
};
const names = new Names(MARK);
const guests: Namespace[] = [];
let host: Namespace;
let world: Namespace;
let machine: MachineInNamespace;
let open: string;
let net: NetworkSpec;
let server: ServerSpec;
let generation = 1;

beforeAll(async () => {
  host = await Namespace.make();
  world = await Namespace.make();
  await host.sh(`ip link add up0 type veth peer name up0 netns ${world.name}`);
  await host.sh(`ip addr add 203.0.113.2/24 dev up0; ip addr add ${OWN_INTRANET}/24 dev up0; ip addr add fd10::2/64 dev up0 nodad
    ip link set up0 up; ip route add default via ${PUBLIC}`);
  await world.sh(`for a in ${PUBLIC} ${INTRANET} ${OTHER_INTRANET}; do ip addr add $a/24 dev up0; done
    ip addr add ${INTRANET6}/64 dev up0 nodad; ip addr add 2001:db8::1/64 dev up0 nodad; ip link set up0 up
    ip -6 route add 2001:db8:30::/64 via fd10::2`);
  await host.sh('ip -6 route add 2001:db8::/64 dev up0');
  await world.serve(80, 'world');
  await world.serve(81, 'other');
  const built = await buildGuest();
  const [image, kernel, ramdisk] = [
    imageOf(built.disk, 'qcow2'),
    imageOf(built.kernel, 'aki'),
    imageOf(built.ramdisk, 'ari'),
  ];
  server = serverOf(image, { kernel, ramdisk, kernel_command_line: KERNEL_COMMAND_LINE });
  options.images = { [image.id]: built.disk, [kernel.id]: built.kernel, [ramdisk.id]: built.ramdisk };
  machine = await MachineInNamespace.open(host.name, options);
  const group = groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' }));
  open = group.id;
  await machine.apply('security-group', open, group);
  net = await network('10.30.0.0/24', '2001:db8:30::/64');
});

afterAll(async () => {
  await machine.close();
  await teardownIn(host.name, options);
  for (const namespace of [...guests, world, host]) await namespace.close();
  folder.remove();
});

beforeEach(() => filter());

const filter = (prefixes = PREFIXES, dry_run = false) =>
  machine.apply('intranet', 'filter', { dry_run, prefixes }, generation++);

async function network(cidr: string, cidr6?: string, change: Partial<NetworkSpec> = {}): Promise<NetworkSpec> {
  const spec = networkOf(cidr, change);
  const [subnet] = spec.subnets;
  if (cidr6 && subnet) {
    const gateway_ip = cidr6.replace('/64', '1');
    spec.subnets.push({ ...subnet, id: randomUUID(), ip_version: 6, cidr: cidr6, gateway_ip, enable_dhcp: false });
  }
  await machine.apply('network', spec.id, spec);
  return spec;
}

/** A guest that is let send and receive all, as far as tenants can say. */
async function guest(on: NetworkSpec, offset: number, change: Partial<PortSpec> = {}) {
  const port = portOf(on, offset, { security_groups: [open], project_id: randomUUID(), ...change });
  const subnet6 = on.subnets[1];
  const address6 = `${subnet6?.cidr.replace('/64', '')}${offset}`;
  if (subnet6) port.fixed_ips.push({ subnet_id: subnet6.id, ip_address: address6 });
  const namespace = await fakeGuest(host, MARK, port);
  guests.push(namespace);
  expect(await machine.apply('port', port.id, port)).toEqual({ state: 'applied' });
  await configure(namespace, port, on.subnets[0]?.gateway_ip ?? '');
  if (subnet6)
    await namespace.sh(`ip addr add ${address6}/64 dev eth0 nodad; ip -6 route add default via ${subnet6.gateway_ip}`);
  return { port, namespace, address: port.fixed_ips[0]?.ip_address ?? '', address6 };
}

type Source = SpecOf<'intranet-exception'>['source'];

async function exception(source: Source, change: Partial<SpecOf<'intranet-exception'>> = {}): Promise<string> {
  const id = randomUUID();
  await machine.apply('intranet-exception', id, {
    id,
    source,
    destination: `${INTRANET}/32`,
    protocol: 6,
    port_range_min: 80,
    port_range_max: 80,
    expires_at_ms: null,
    ...change,
  });
  return id;
}

const denied = async (of: Record<string, string> = {}) =>
  (
    await machine.call<{ flows: DeniedFlow[] }>({
      method: 'query',
      operation: 'denied',
      id: 'x',
      kind: 'intranet',
      args: of,
    })
  ).flows;

describe('guests', () => {
  it('reach the world and nothing of the intranet, by either version', async () => {
    await filter([]);
    const a = await guest(net, 11);
    for (const address of [PUBLIC, INTRANET]) expect(await a.namespace.does(`${CURL} ${address}`)).toBe(true);
    for (const address of ['2001:db8::1', INTRANET6]) expect(await a.namespace.does(pings(`-6 ${address}`))).toBe(true);
    await filter();
    expect(await a.namespace.does(`${CURL} ${PUBLIC}`)).toBe(true);
    expect(await a.namespace.does(pings('-6 2001:db8::1'))).toBe(true);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${INTRANET}`)).toBe(false);
    expect(await a.namespace.does(pingsBriefly(INTRANET))).toBe(false);
    expect(await a.namespace.does(pingsBriefly(`-6 ${INTRANET6}`))).toBe(false);
  });

  it('reach no intranet address of the machine itself, but its gateway, DHCP and metadata', async () => {
    await filter([]);
    const image = { id: randomUUID(), sha256: '0'.repeat(64), size_bytes: 1, disk_format: 'raw' as const };
    const server = serverOf(image, { power: 'off' });
    const a = await guest(net, 12, { server_id: server.id });
    await machine.apply('server', server.id, { ...server, ports: [a.port.id] });
    expect(await a.namespace.does(pings(OWN_INTRANET))).toBe(true);
    // All of the world, even: metadata and the own network are no prefix's.
    await filter(['0.0.0.0/0', '::/0']);
    expect(await a.namespace.does(pingsBriefly(OWN_INTRANET))).toBe(false);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${PUBLIC}`)).toBe(false);
    expect(await a.namespace.does(pings('10.30.0.1'))).toBe(true);
    expect(await a.namespace.does(pings('-6 2001:db8:30::1'))).toBe(true);
    const metadata = await a.namespace.sh(`${CURL} http://169.254.169.254/openstack/latest/meta_data.json`);
    expect(JSON.parse(metadata).uuid).toBe(server.id);
    const lease = 'busybox udhcpc -f -q -n -t 3 -T 1 -i eth0 -s /bin/true 2>&1';
    expect(await a.namespace.sh(lease)).toContain(`lease of ${a.address} obtained`);
  });

  it('of one network reach each other, whatever is declared around it', async () => {
    await filter(['0.0.0.0/0', '::/0']);
    const [a, b] = [await guest(net, 14), await guest(net, 15)];
    await b.namespace.serve(80, 'b');
    expect(await a.namespace.sh(`${CURL} ${b.address}`)).toContain('b ');
    expect(await a.namespace.does(pings(`-6 ${b.address6}`))).toBe(true);
  });

  it('send to another guest of theirs whatever they like, as through a tunnel of its own', async () => {
    await filter(['0.0.0.0/0', '::/0']);
    const a = await guest(net, 18);
    const b = await guest(net, 19, { port_security_enabled: false, security_groups: [] });
    await b.namespace.sh('ip addr add 10.250.0.1/32 dev eth0');
    await a.namespace.sh(`ip route add 10.250.0.1/32 via ${b.address}`);
    expect(await a.namespace.does(pings('10.250.0.1'))).toBe(true);
  });

  it('are let by no port security, and by no address of others, to what is closed', async () => {
    await filter([]);
    const a = await guest(net, 16, { port_security_enabled: false, security_groups: [] });
    await a.namespace.sh('ip addr add 10.30.0.99/24 dev eth0');
    expect(await a.namespace.does(`${CURL} --interface 10.30.0.99 ${INTRANET}`)).toBe(true);
    await filter();
    for (const from of [a.address, '10.30.0.99'])
      expect(await a.namespace.does(`${CURL_BRIEFLY} --interface ${from} ${INTRANET}`)).toBe(false);
  });

  it('of a network that covers the intranet gain nothing by it, where the way leads out all the same', async () => {
    const { subnets } = networkOf('10.200.0.0/24');
    const gateway = '10.200.0.254';
    const change = { host_access: false, subnets: subnets.map((subnet) => ({ ...subnet, gateway_ip: gateway })) };
    const shadow = await network('10.200.0.0/24', undefined, change);
    const a = await guest(shadow, 77);
    const table = names.routingTable(numberOf(shadow));
    await host.sh(`ip route add ${OTHER_INTRANET}/32 via ${PUBLIC} dev up0 table ${table}`);
    await a.namespace.sh(`ip route add ${OTHER_INTRANET}/32 via ${gateway}`);
    await filter([]);
    expect(await a.namespace.does(`${CURL} ${OTHER_INTRANET}`)).toBe(true);
    await filter();
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${OTHER_INTRANET}`)).toBe(false);
    expect(await denied({ port_id: a.port.id })).toMatchObject([{ destination: OTHER_INTRANET, protocol: 6 }]);
    await exception({ type: 'port', id: a.port.id }, { destination: `${OTHER_INTRANET}/32` });
    expect(await a.namespace.does(`${CURL} ${OTHER_INTRANET}`)).toBe(true);
    await machine.remove('port', a.port.id);
    await machine.remove('network', shadow.id);
  });

  it('reach nothing closed by an address that is translated to it', async () => {
    await host.sh(`nft add table ip theirs; nft 'add chain ip theirs pre { type nat hook prerouting priority -101; }'
      nft add rule ip theirs pre ip daddr 203.0.113.99 dnat to ${INTRANET}`);
    const a = await guest(net, 17);
    await filter([]);
    expect(await a.namespace.does(`${CURL} 203.0.113.99`)).toBe(true);
    await filter();
    expect(await a.namespace.does(`${CURL_BRIEFLY} 203.0.113.99`)).toBe(false);
    // Nor by the one that is closed, translated to one that is not.
    await host.sh(`nft flush chain ip theirs pre; nft add rule ip theirs pre ip daddr 10.99.0.1 dnat to ${PUBLIC}`);
    expect(await a.namespace.does(`${CURL_BRIEFLY} 10.99.0.1`)).toBe(false);
    await filter([]);
    expect(await a.namespace.does(`${CURL} 10.99.0.1`)).toBe(true);
    // Nor an address of the machine.
    await host.sh(
      `nft flush chain ip theirs pre; nft add rule ip theirs pre ip daddr 203.0.113.99 dnat to ${OWN_INTRANET}`,
    );
    expect(await a.namespace.does(pings('203.0.113.99'))).toBe(true);
    await filter();
    expect(await a.namespace.does(pingsBriefly('203.0.113.99'))).toBe(false);
    await host.sh('nft delete table ip theirs');
  });
});

/** The number that the machine gave a network: they count up. */
const numberOf = (network: NetworkSpec): number => {
  const { number } = JSON.parse(
    readFileSync(join(folder.path, 'inventory', 'network', `${network.id}.json`), 'utf8'),
  ) as { number: number };
  return number;
};

describe('a cable', () => {
  it('takes no frame whose tag hides from the rules where it goes', async () => {
    const segment = { type: 'flat', physical_network: 'office' } as const;
    const cable = await Namespace.make();
    guests.push(cable);
    await host.sh(`ip link add ph0 type veth peer name ph0 netns ${cable.name}; ip link set ph0 up`);
    const flat = await network('10.60.0.0/24', undefined, { segment });
    await cable.sh('ip link set ph0 up');
    const a = await guest(flat, 11, { port_security_enabled: false, security_groups: [] });
    const heard = cable.start('tcpdump', '-l', '-n', '-e', '-i', 'ph0', 'vlan');
    let text = '';
    heard.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const send = (tag: number) =>
      a.namespace.sh(`python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
s.send(b"\\xff" * 6 + bytes.fromhex("${a.port.mac_address.replaceAll(':', '')}8100${tag.toString(16).padStart(4, '0')}0800") + b"E" + bytes(60))'`);
    await filter([]);
    await eventually('a tagged frame', async () => {
      await send(7);
      return text.includes('vlan 7');
    });
    await filter();
    await send(8);
    await filter([]);
    await eventually('another', async () => {
      await send(9);
      return text.includes('vlan 9');
    });
    expect(text).not.toContain('vlan 8');
    await machine.remove('port', a.port.id);
    await machine.remove('network', flat.id);
  });
});

describe('answers', () => {
  it('to whom asked from the intranet pass; a guest opens nothing itself', async () => {
    const a = await guest(net, 21);
    await a.namespace.serve(80, 'a');
    expect(await host.sh(`${CURL} --interface ${OWN_INTRANET} ${a.address}`)).toBe(`a ${OWN_INTRANET}`);
    expect(await a.namespace.does(pingsBriefly(OWN_INTRANET))).toBe(false);
  });
});

describe('a connection', () => {
  it('ends when what it leads to is closed, and when what let it ends, with no edge there', async () => {
    await world.serveTicks(82);
    const a = await guest(net, 31);
    await filter([]);
    const heard = listen(a.namespace, `http://${INTRANET}:82/`);
    await eventually('ticks', async () => heard() > 5);
    await filter();
    await silence(heard);
    const end = { expires_at_ms: Date.now() + 6_000, port_range_min: 82, port_range_max: 82 };
    await exception({ type: 'port', id: a.port.id }, end);
    const again = listen(a.namespace, `http://${INTRANET}:82/`);
    await eventually('ticks', async () => again() > 5);
    await silence(again);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${INTRANET}:82`)).toBe(false);
  });
});

function listen(from: Namespace, url: string): () => number {
  const listener = from.start('curl', '-sSN', url);
  let heard = 0;
  listener.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  return () => heard;
}

const silence = (heard: () => number) =>
  eventually('silence', async () => {
    const before = heard();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return heard() === before;
  });

describe('exceptions', () => {
  it.each(['project', 'network', 'security_group', 'server', 'port'] as const)(
    'of a %s let it pass, and nothing else',
    async (type) => {
      const server = randomUUID();
      const mine = groupOf(ruleOf());
      await machine.apply('security-group', mine.id, mine);
      const own = await network('10.40.0.0/24');
      const a = await guest(own, 11, { server_id: server, security_groups: [mine.id] });
      const b = await guest(net, 200 + guests.length);
      const ids = { project: a.port.project_id, network: own.id, security_group: mine.id, server, port: a.port.id };
      const id = await exception({ type, id: ids[type] });
      expect(await a.namespace.does(`${CURL} ${INTRANET}`)).toBe(true);
      const closed = [`${INTRANET}:81`, OTHER_INTRANET].map((to) => a.namespace.does(`${CURL_BRIEFLY} ${to}`));
      const others = [b.namespace.does(`${CURL_BRIEFLY} ${INTRANET}`), a.namespace.does(pingsBriefly(INTRANET))];
      expect(await Promise.all([...closed, ...others])).toEqual([false, false, false, false]);
      await machine.remove('intranet-exception', id);
      expect(await a.namespace.does(`${CURL_BRIEFLY} ${INTRANET}`)).toBe(false);
      await machine.remove('port', a.port.id);
      await machine.remove('port', b.port.id);
      await machine.remove('network', own.id);
    },
  );

  it('lie within each other and overlap, of either version', async () => {
    const a = await guest(net, 51);
    const source = { type: 'port', id: a.port.id } as const;
    await exception(source, { destination: '10.200.0.0/16', port_range_min: 81, port_range_max: 90 });
    await exception(source, { destination: '10.200.0.0/24', port_range_min: 70, port_range_max: 80 });
    await exception(source, { destination: '10.200.0.0/24', port_range_min: 75, port_range_max: 82 });
    await exception(source, { destination: `${INTRANET}/32`, protocol: 1, port_range_min: null, port_range_max: null });
    const any = { protocol: null, port_range_min: null, port_range_max: null };
    await exception(source, { destination: 'fd10::/64', ...any });
    for (const to of [INTRANET, `${INTRANET}:81`, OTHER_INTRANET])
      expect(await a.namespace.does(`${CURL} ${to}`)).toBe(true);
    expect(await a.namespace.does(pings(INTRANET))).toBe(true);
    expect(await a.namespace.does(pingsBriefly(OTHER_INTRANET))).toBe(false);
    expect(await a.namespace.does(pings(`-6 ${INTRANET6}`))).toBe(true);
    await exception(source, { destination: '10.0.0.0/8', ...any });
    expect(await a.namespace.does(pings(OTHER_INTRANET))).toBe(true);
  });
});

describe('a dry run', () => {
  it('lets pass and counts', async () => {
    const a = await guest(net, 61);
    await filter(PREFIXES, true);
    expect(await a.namespace.does(`${CURL} ${INTRANET}`)).toBe(true);
    expect(await a.namespace.does(pings(`-6 ${INTRANET6}`))).toBe(true);
    const flows = (await denied({ port_id: a.port.id })).filter((flow) => flow.destination !== null);
    expect(
      flows.map(({ destination, protocol, port, dropped }) => [destination, protocol, port, dropped]).sort(),
    ).toEqual([
      [INTRANET, 6, 80, false],
      [INTRANET6, 58, null, false],
    ]);
  });
});

describe('what is denied', () => {
  it('is counted by port, destination, protocol and port, and told by whom is asked for', async () => {
    const a = await guest(net, 71, { server_id: randomUUID() });
    const b = await guest(net, 72);
    const from = Date.now();
    for (const to of [INTRANET, `${INTRANET}:81`]) await a.namespace.does(`${CURL_BRIEFLY} ${to}`);
    await a.namespace.does(pingsBriefly(OTHER_INTRANET));
    await b.namespace.does(pingsBriefly(INTRANET));
    const flows = await denied({ server_id: a.port.server_id ?? '' });
    const seen = flows.map(({ destination, protocol, port }) => `${destination} ${protocol} ${port}`).sort();
    expect(seen).toEqual([`${INTRANET} 6 80`, `${INTRANET} 6 81`, `${OTHER_INTRANET} 1 null`, 'null null null']);
    const whose = { port_id: a.port.id, project_id: a.port.project_id, server_id: a.port.server_id, dropped: true };
    for (const flow of flows) expect(flow).toMatchObject(whose);
    const ping = flows.find((flow) => flow.protocol === 1);
    expect(ping).toMatchObject({ packets: 1, bytes: 84 });
    expect(ping?.first_seen_ms).toBeGreaterThanOrEqual(from);
    const sum = flows.filter((flow) => flow.destination !== null).reduce((all, flow) => all + flow.packets, 0);
    expect(flows.find((flow) => flow.destination === null)?.packets).toBe(sum);
    const ofOther = await denied({ project_id: b.port.project_id });
    // Which of the two was read last is a matter of when it was read.
    expect(ofOther.map(({ destination }) => destination).sort()).toEqual([INTRANET, null]);
    await b.namespace.does(pingsBriefly(INTRANET));
    const again = (await denied({ port_id: b.port.id })).find((flow) => flow.destination === INTRANET);
    expect(again?.packets).toBe(2);
  });

  it('of a guest that tries everything takes no room from others', async () => {
    const [a, b] = [await guest(net, 73), await guest(net, 74)];
    await a.namespace.node(`const s = require('node:dgram').createSocket('udp4'); let n = 0;
      const next = () => n === 5000 ? s.close() : s.send('x', 1000 + n % 7, '10.201.' + (n >> 8) + '.' + (n++ & 255), next); next();`);
    await b.namespace.does(pingsBriefly(INTRANET));
    const scan = await denied({ port_id: a.port.id });
    expect(scan.find((flow) => flow.destination === null)?.packets).toBe(5000);
    expect(scan.length).toBeLessThan(500);
    expect((await denied({ port_id: b.port.id })).length).toBe(2);
  });
});

describe('a guest in QEMU', () => {
  it('gets its address and metadata, reaches the world, and nothing of the intranet but by an exception', async () => {
    const port = portOf(net, 91, { security_groups: [open], server_id: server.id });
    await machine.apply('port', port.id, port);
    await machine.apply('server', server.id, { ...server, ports: [port.id] });
    const socket = join(folder.path, 'guests', server.id, 'run', 'ttyS1');
    const inGuest = (command: string) => runInGuest(socket, command, { timeout_ms: BOOT_MS });
    const does = async (command: string) => (await inGuest(command)).exitCode === 0;
    await eventually(
      'the boot',
      () => does('grep -q 10.30.0.91 /proc/net/fib_trie && ip route | grep -q default'),
      BOOT_MS,
    );
    expect(await does('timeout 30 wget -q -O - http://169.254.169.254/openstack/latest/meta_data.json')).toBe(true);
    const fetches = (to: string, s: number) => does(`timeout ${s} wget -q -O - http://${to}/ | grep -q world`);
    expect(await fetches(PUBLIC, 30)).toBe(true);
    expect(await fetches(INTRANET, 3)).toBe(false);
    expect(await does(`ping -c1 -W2 ${OWN_INTRANET}`)).toBe(false);
    await exception({ type: 'server', id: server.id });
    expect(await fetches(INTRANET, 30)).toBe(true);
    const seen = (await denied({ server_id: server.id })).map((flow) => flow.destination);
    expect(seen.filter(Boolean).sort()).toEqual([INTRANET, OWN_INTRANET]);
  });
});

describe('a runner', () => {
  it('that is killed and starts again leaves nothing open for a moment', async () => {
    const a = await guest(net, 81);
    const listener = await world.listenUdp(9);
    // As fast as it can: rules that are loaded anew may let something pass for microseconds.
    const send = (word: string) =>
      a.namespace.start(
        'python3',
        '-c',
        `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("${INTRANET}", 9))
while True:
  try: s.send(b"${word}")
  except OSError: pass`,
      );
    await filter([]);
    const probe = send('open');
    await eventually('datagrams', async () => listener.heard().includes('open'));
    probe.kill('SIGKILL');
    await filter();
    send('shut');
    for (let starts = 0; starts < STARTS; starts++) {
      await machine.kill();
      machine = await MachineInNamespace.open(host.name, options);
    }
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${INTRANET}`)).toBe(false);
    for (let round = 0; round < 3; round++) {
      await exception({ type: 'project', id: 'nobody' });
      await filter([...PREFIXES, `192.168.${round}.0/24`]);
    }
    expect(listener.heard().includes('shut')).toBe(false);
    // By hand, as another program would: the whole is loaded again.
    await host.sh(`nft delete table inet ${names.intranetTable}`);
    await eventually('the table', () => host.does(`nft list table inet ${names.intranetTable} | grep -q open4`));
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${INTRANET}`)).toBe(false);
    expect(await a.namespace.does(`${CURL} ${PUBLIC}`)).toBe(true);
  });
});
