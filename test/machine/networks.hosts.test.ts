import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import { autoAddress } from '../../worker/network/ipam/auto-addresses.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { configure, eventually, fakeGuest, Namespace, temporaryFolder } from './namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf, serverOf } from './specs.ts';

/* Real bridges, nftables, dnsmasq and metadata; namespaces stand in for guests, so that it is quick. */

const MARK = 'aenet';
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const WORLD = '203.0.113.1';
/** What should answer may take its time on a loaded machine; silence is waited for only briefly. */
const CURL = 'curl -sS -m 30';
const CURL_BRIEFLY = 'curl -sS -m 1.5';

const folder = temporaryFolder();
const options: ServeOptions = { stateDir: folder.path, mark: MARK, images: {} };
const guests: Namespace[] = [];
/** Prints what a DHCP client was told. */
const leaseScript = join(folder.path, 'lease');
/** Takes the address that a DHCPv6 client was told. */
const leaseScript6 = join(folder.path, 'lease6');
let host: Namespace;
let world: Namespace;
let machine: MachineInNamespace;

beforeAll(async () => {
  writeFileSync(leaseScript, '#!/bin/sh\nenv\n', { mode: 0o755 });
  const take = '[ -z "$new_ip6_address" ] || ip -6 addr replace "$new_ip6_address/128" dev "$interface"';
  writeFileSync(leaseScript6, `#!/bin/sh\n${take}\n`, { mode: 0o755 });
  host = await Namespace.make();
  world = await Namespace.make();
  await host.sh(`ip link add up0 type veth peer name up0 netns ${world.name}`);
  await host.sh(`ip addr add 203.0.113.2/24 dev up0; ip link set up0 up; ip route add default via ${WORLD}`);
  await world.sh(`ip addr add ${WORLD}/24 dev up0; ip link set up0 up`);
  await world.serve(80, 'world');
  await host.serve(8080, 'host');
  await host.sh('nft add table inet theirs; nft add chain inet theirs kept');
  machine = await MachineInNamespace.open(host.name, options);
});

afterAll(async () => {
  await machine.close();
  await teardownIn(host.name, options);
  for (const namespace of [...guests, world, host]) await namespace.close();
  folder.remove();
});

async function network(cidr: string, change: Partial<NetworkSpec> = {}): Promise<NetworkSpec> {
  const spec = networkOf(cidr, change);
  await machine.apply('network', spec.id, spec);
  return spec;
}

async function group(...rules: Parameters<typeof groupOf>): Promise<SecurityGroupSpec> {
  const spec = groupOf(...rules);
  await machine.apply('security-group', spec.id, spec);
  return spec;
}

async function member(groupId: string, port: PortSpec): Promise<void> {
  const addresses = port.fixed_ips.map((fixed) => fixed.ip_address);
  const spec = { group_id: groupId, port_id: port.id, addresses };
  await machine.apply('group-member', `${groupId}:${port.id}`, spec);
}

/** A port with a namespace behind it, which has the port's address. */
async function guest(on: NetworkSpec, offset: number, groups: string[], change: Partial<PortSpec> = {}) {
  const port = portOf(on, offset, { security_groups: groups, ...change });
  const namespace = await fakeGuest(host, MARK, port);
  guests.push(namespace);
  expect(await machine.apply('port', port.id, port)).toEqual({ state: 'applied' });
  await configure(namespace, port, on.subnets[0]?.gateway_ip ?? '');
  return { port, namespace, address: port.fixed_ips[0]?.ip_address ?? '' };
}

describe('security groups', () => {
  it('let nothing in until a rule says so, and answers back at once', async () => {
    const net = await network('10.1.0.0/24');
    const closed = await group();
    const web = await group(ruleOf({ protocol: TCP, port_range_min: 80, port_range_max: 80 }));
    const a = await guest(net, 11, [closed.id]);
    const b = await guest(net, 12, [closed.id]);
    await b.namespace.serve(80, 'b');
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
    expect(await host.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
    await machine.apply('port', b.port.id, { ...b.port, security_groups: [closed.id, web.id] }, 2);
    expect(await a.namespace.sh(`${CURL} ${b.address}`)).toBe(`b ${a.address}`);
    expect(await host.sh(`${CURL} ${b.address}`)).toContain('b ');
    expect(await a.namespace.does(`busybox ping -c1 -W1 ${b.address}`)).toBe(false);
    await machine.apply('security-group', web.id, { ...web, rules: [] }, 2);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
  });

  it('end a connection when the rule that let it in is taken away', async () => {
    const net = await network('10.17.0.0/24');
    const ticks = await group(ruleOf({ protocol: TCP, port_range_min: 81, port_range_max: 81 }));
    const a = await guest(net, 11, [ticks.id]);
    const b = await guest(net, 12, [ticks.id]);
    await b.namespace.serveTicks(81);
    const listener = a.namespace.start('curl', '-sSN', `http://${b.address}:81/`);
    let heard = 0;
    listener.stdout?.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    await eventually('ticks', async () => heard > 5);
    await machine.apply('security-group', ticks.id, { ...ticks, rules: ticks.rules.slice(0, 2) }, 2);
    await eventually('silence', async () => {
      const before = heard;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return heard === before;
    });
  });

  it('let in the members of a remote group, and follow who joins and leaves', async () => {
    const net = await network('10.2.0.0/24');
    const friends = await group();
    const inside = await group(ruleOf({ protocol: ICMP, remote_group_id: friends.id }));
    const a = await guest(net, 11, [friends.id]);
    const b = await guest(net, 12, [inside.id]);
    expect(await a.namespace.does(`busybox ping -c1 -W1 ${b.address}`)).toBe(false);
    await member(friends.id, a.port);
    expect(await a.namespace.does(`busybox ping -c1 -W30 ${b.address}`)).toBe(true);
    await machine.remove('group-member', `${friends.id}:${a.port.id}`);
    // Another flow: what is established may go on.
    expect(await a.namespace.does(`busybox ping -c1 -W1 ${b.address}`)).toBe(false);
  });

  it('hold back what a guest may not send', async () => {
    const net = await network('10.3.0.0/24');
    const nothing = {
      ...groupOf(),
      rules: [ruleOf({ direction: 'egress', protocol: TCP, remote_ip_prefix: '10.99.0.0/16' })],
    };
    await machine.apply('security-group', nothing.id, nothing);
    const a = await guest(net, 11, [nothing.id]);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${WORLD}`)).toBe(false);
    await machine.apply('security-group', nothing.id, groupOfEgress(nothing.id, '203.0.113.0/24'), 2);
    expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toContain('world');
  });

  it('let a guest without port security do as it likes', async () => {
    const net = await network('10.4.0.0/24');
    const a = await guest(net, 11, [], { port_security_enabled: false });
    await a.namespace.serve(80, 'a');
    expect(await host.sh(`${CURL} ${a.address}`)).toContain('a ');
    await a.namespace.sh('ip addr add 10.4.0.77/24 dev eth0');
    expect(await a.namespace.does('busybox ping -c1 -W30 -I 10.4.0.77 10.4.0.1')).toBe(true);
  });
});

const groupOfEgress = (id: string, prefix: string): SecurityGroupSpec => ({
  id,
  stateful: true,
  rules: [ruleOf({ direction: 'egress', protocol: TCP, remote_ip_prefix: prefix })],
});

describe('anti-spoofing', () => {
  it('drops other addresses, other hardware addresses, and lies in ARP', async () => {
    const net = await network('10.5.0.0/24');
    const open = await group(ruleOf());
    const a = await guest(net, 11, [open.id]);
    const b = await guest(net, 12, [open.id]);
    expect(await a.namespace.does(`busybox ping -c1 -W30 ${b.address}`)).toBe(true);
    expect(await a.namespace.does('busybox ping -c1 -W30 10.5.0.1')).toBe(true);

    await a.namespace.sh('ip addr add 10.5.0.99/24 dev eth0');
    expect(await a.namespace.does('busybox ping -c1 -W1 -I 10.5.0.99 10.5.0.1')).toBe(false);
    expect(await a.namespace.does(`busybox ping -c1 -W1 -I 10.5.0.99 ${b.address}`)).toBe(false);
    await a.namespace.sh('ip addr del 10.5.0.99/24 dev eth0');

    // A claim on the neighbour's address reaches neither the gateway nor a third.
    await a.namespace.does('ip addr add 10.5.0.12/32 dev eth0; busybox arping -A -c 2 -I eth0 -s 10.5.0.12 10.5.0.1');
    expect(await host.sh(`ip neigh show 10.5.0.12`)).not.toContain(a.port.mac_address);
    await a.namespace.sh('ip addr del 10.5.0.12/32 dev eth0');

    await a.namespace.sh('ip link set eth0 address 02:00:00:00:00:99; ip neigh flush all');
    expect(await a.namespace.does('busybox ping -c1 -W1 10.5.0.1')).toBe(false);
    await a.namespace.sh(`ip link set eth0 address ${a.port.mac_address}; ip neigh flush all`);
    expect(await a.namespace.does('busybox ping -c1 -W30 10.5.0.1')).toBe(true);
  });

  it('drops what only a DHCP server says', async () => {
    const net = await network('10.6.0.0/24');
    const open = await group(ruleOf({ protocol: UDP }));
    const a = await guest(net, 11, [open.id]);
    const b = await guest(net, 12, [open.id]);
    const listener = await b.namespace.listenUdp(68);
    const send = (sourcePort: number, word: string) =>
      a.namespace.node(
        `const s = require('node:dgram').createSocket('udp4'); s.bind(${sourcePort}, () => s.send('${word}', 68, '${b.address}', () => s.close()))`,
      );
    await send(67, 'forged');
    await send(6767, 'plain');
    await eventually('the datagram', async () => listener.heard().includes('plain'));
    expect(listener.heard()).not.toContain('forged');
  });

  it('drops everything from an interface on a bridge that has no port', async () => {
    const net = await network('10.7.0.0/24');
    const open = await group();
    const stray = portOf(net, 66, { security_groups: [open.id] });
    const namespace = await fakeGuest(host, MARK, stray);
    guests.push(namespace);
    const names = new Names(MARK);
    await host.sh(`ip link set ${names.tap(stray.id)} master ${names.bridge(net.id)} up`);
    await configure(namespace, stray, '10.7.0.1');
    expect(await namespace.does('busybox ping -c1 -W1 10.7.0.1')).toBe(false);
    await machine.apply('port', stray.id, stray);
    expect(await namespace.does('busybox ping -c1 -W30 10.7.0.1')).toBe(true);
  });
});

describe('IPv6', () => {
  it('passes by the same rules, neighbours are found, and no address is forged', async () => {
    const subnet = networkOf('10.18.0.0/24').subnets[0];
    if (!subnet) throw new Error('no subnet');
    const ipv6 = { ...subnet, ip_version: 6 as const, cidr: '2001:db8:18::/64', gateway_ip: '2001:db8:18::1' };
    const net = await network('10.18.0.0/24', { subnets: [ipv6] });
    const pings = await group(ruleOf({ ethertype: 'IPv6', protocol: ICMP, port_range_min: 128 }));
    const closed = await group();
    const make = async (host_: number, groups: string[]) => {
      const port = portOf(net, host_, {
        security_groups: groups,
        fixed_ips: [{ subnet_id: ipv6.id, ip_address: `2001:db8:18::${host_}` }],
      });
      const namespace = await fakeGuest(host, MARK, port);
      guests.push(namespace);
      await machine.apply('port', port.id, port);
      await namespace.sh(
        `ip addr add 2001:db8:18::${host_}/64 dev eth0 nodad; ip route add default via 2001:db8:18::1`,
      );
      return namespace;
    };
    const [a, b] = [await make(11, [closed.id]), await make(12, [pings.id])];
    expect(await a.does('busybox ping -6 -c1 -W30 2001:db8:18::12')).toBe(true);
    expect(await a.does('busybox ping -6 -c1 -W30 2001:db8:18::1')).toBe(true);
    expect(await b.does('busybox ping -6 -c1 -W1 2001:db8:18::11')).toBe(false);
    await a.sh('ip addr add 2001:db8:18::99/64 dev eth0 nodad');
    expect(await a.does('busybox ping -6 -c1 -W1 -I 2001:db8:18::99 2001:db8:18::12')).toBe(false);
    // Nor may it answer for its neighbour's: an unsolicited advertisement would, as does a real one.
    await a.sh('ip addr add 2001:db8:18::12/128 dev eth0 nodad');
    await host.sh('ip -6 neigh flush all');
    expect(await host.does('busybox ping -6 -c1 -W30 2001:db8:18::12')).toBe(true);
    expect(await host.sh('ip -6 neigh show 2001:db8:18::12')).not.toContain(
      await a.sh('cat /sys/class/net/eth0/address'),
    );
  });
});

describe('networks', () => {
  it('keep tenants with the same addresses apart, to the world, to the metadata and from each other', async () => {
    const open = await group(ruleOf());
    const image = { id: crypto.randomUUID(), sha256: '0'.repeat(64), size_bytes: 1, disk_format: 'raw' as const };
    const tenants = await Promise.all(
      [0, 1].map(async (index) => {
        const net = await network('10.8.0.0/24');
        const spec = serverOf(image, { power: 'off' });
        const made = await guest(net, 11, [open.id], { server_id: spec.id });
        await machine.apply('server', spec.id, { ...spec, ports: [made.port.id] });
        return { ...made, net, spec, index };
      }),
    );
    // The same source port at the same time: only the network tells the two connections apart.
    const answers = await Promise.all(
      tenants.map((tenant) => tenant.namespace.sh(`${CURL} --local-port 5555 http://${WORLD}/`)),
    );
    expect(answers).toEqual(['world 203.0.113.2', 'world 203.0.113.2']);
    const names = await Promise.all(
      tenants.map((tenant) =>
        tenant.namespace.sh(`${CURL} --local-port 5556 http://169.254.169.254/openstack/latest/meta_data.json`),
      ),
    );
    expect(names.map((text) => JSON.parse(text).uuid)).toEqual(tenants.map((tenant) => tenant.spec.id));
    for (const tenant of tenants) await tenant.namespace.serve(80, `tenant${tenant.index}`);
    for (const tenant of tenants) {
      const bridge = new Names(MARK).bridge(tenant.net.id);
      expect(await host.sh(`${CURL} --interface ${bridge} http://10.8.0.11/`)).toContain(`tenant${tenant.index}`);
    }
  });

  it('do not reach each other through the machine, nor the machine itself', async () => {
    const open = await group(ruleOf());
    const one = await network('10.9.0.0/24');
    const two = await network('10.10.0.0/24');
    const a = await guest(one, 11, [open.id]);
    const b = await guest(two, 11, [open.id]);
    await b.namespace.serve(80, 'b');
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
    expect(await a.namespace.does(`${CURL_BRIEFLY} 10.9.0.1:8080`)).toBe(false);
    expect(await a.namespace.does(`${CURL_BRIEFLY} 203.0.113.2:8080`)).toBe(false);
    expect(await a.namespace.does(`${CURL} ${WORLD}`)).toBe(true);
    expect(await world.does(`${CURL} 203.0.113.2:8080`)).toBe(true);
  });

  it('of a tenant cover nothing that the machine itself needs', async () => {
    const { subnets } = networkOf('203.0.113.0/24');
    const change = { host_access: false, subnets: subnets.map((subnet) => ({ ...subnet, gateway_ip: null })) };
    const shadow = await network('203.0.113.0/24', change);
    expect(await host.sh(`${CURL} ${WORLD}`)).toBe('world 203.0.113.2');
    await machine.apply('network', shadow.id, { ...shadow, host_access: true });
    expect(await host.sh('ip route get 203.0.113.9')).not.toContain('up0');
    await machine.apply('network', shadow.id, shadow);
    expect(await host.sh('ip route get 203.0.113.9')).toContain('up0');
  });

  it('lease a port its address, routes, names and MTU, and nobody else anything', async () => {
    const net = await network('10.12.0.0/24');
    const port = portOf(net, 31, { hostname: 'named' });
    const namespace = await fakeGuest(host, MARK, port);
    guests.push(namespace);
    await machine.apply('port', port.id, port);
    const ask = `busybox udhcpc -f -q -n -t 3 -T 1 -i eth0 -s ${leaseScript} -O mtu -O staticroutes -O hostname 2>&1`;
    const lease = await namespace.sh(ask);
    for (const line of ['ip=10.12.0.31', 'router=10.12.0.1', 'dns=192.0.2.53', 'mtu=1450', 'hostname=named']) {
      expect(lease).toContain(line);
    }
    expect(lease).toContain('staticroutes=169.254.169.254/32 10.12.0.1 0.0.0.0/0 10.12.0.1');
    await namespace.sh('ip link set eth0 address 02:00:00:00:00:77');
    expect(await namespace.does(ask)).toBe(false);
  });

  it('lease options of a port of its own before those of its subnet, whatever a tenant writes', async () => {
    const net = await network('10.17.0.0/24');
    const extra_dhcp_opts = [
      { name: 'nonsense-of-a-tenant', value: '"', ip_version: 4 as const },
      { name: 'ntp-server', value: '192.0.2.123', ip_version: 4 as const },
      { name: 'dns-server', value: '192.0.2.54', ip_version: 4 as const },
    ];
    const [special, plain] = [portOf(net, 31, { extra_dhcp_opts }), portOf(net, 32)];
    const lease = async (port: PortSpec) => {
      const namespace = await fakeGuest(host, MARK, port);
      guests.push(namespace);
      await machine.apply('port', port.id, port);
      return namespace.sh(`busybox udhcpc -f -q -n -t 10 -T 1 -i eth0 -s ${leaseScript} -O ntpsrv 2>&1`);
    };
    const options = await lease(special);
    expect(options).toContain('ntpsrv=192.0.2.123');
    expect(options).toContain('dns=192.0.2.54');
    const others = await lease(plain);
    expect(others).toContain('dns=192.0.2.53');
    expect(others).not.toContain('192.0.2.123');
  });

  it('advertise IPv6 as their subnets say, and only where they are the router', async () => {
    const subnet = (cidr6: string, mode: 'slaac' | 'dhcpv6-stateful') => {
      const plain = networkOf('10.18.0.0/24').subnets[0];
      if (!plain) throw new Error('no subnet');
      const gateway_ip = cidr6.replace('/64', '1');
      return { ...plain, ip_version: 6 as const, cidr: cidr6, gateway_ip, ipv6_ra_mode: mode, ipv6_address_mode: mode };
    };
    const made = async (cidr6: string, mode: 'slaac' | 'dhcpv6-stateful', snat = true) => {
      const net = await network('10.18.0.0/24', { subnets: [subnet(cidr6, mode)], snat });
      const port = portOf(net, 5, {
        fixed_ips: [{ subnet_id: net.subnets[0]?.id ?? '', ip_address: cidr6.replace('/64', '5') }],
      });
      const namespace = await fakeGuest(host, MARK, port);
      guests.push(namespace);
      await machine.apply('port', port.id, port);
      return { namespace, mac: port.mac_address };
    };
    const { namespace: slaac, mac } = await made('2001:db8:18::/64', 'slaac');
    // As the edge writes it into a port with this MAC.
    const { ipAddress } = autoAddress({ id: '', cidr: '2001:db8:18::/64' }, mac);
    await eventually('an address', () => slaac.does(`ip -6 addr show dev eth0 scope global | grep ${ipAddress}/64`));
    expect(await slaac.sh('ip -6 route')).toMatch(/default via fe80::/);
    const { namespace: stateful } = await made('2001:db8:19::/64', 'dhcpv6-stateful');
    await eventually('a router', () => stateful.does('ip -6 route | grep "default via fe80::"'));
    expect(await stateful.sh('ip -6 addr show dev eth0 scope global')).toBe('');
    const files = ['-lf', join(folder.path, 'leases6'), '-pf', join(folder.path, 'pid6'), '-sf', leaseScript6];
    stateful.start('dhclient', '-6', '-d', '-q', '-cf', '/dev/null', ...files, 'eth0');
    await eventually('a lease', () => stateful.does('ip -6 addr show dev eth0 scope global | grep 2001:db8:19::5/128'));
    const { namespace: lonely } = await made('2001:db8:20::/64', 'slaac', false);
    // It has had as much time as the others.
    expect(await lonely.sh('ip -6 route')).not.toContain('default');
  });

  it('without a gateway still lease addresses and serve metadata', async () => {
    const plain = networkOf('10.13.0.0/24');
    const net = await network('10.13.0.0/24', {
      subnets: plain.subnets.map((subnet) => ({ ...subnet, gateway_ip: null })),
    });
    const port = portOf(net, 31);
    const namespace = await fakeGuest(host, MARK, port);
    guests.push(namespace);
    await machine.apply('port', port.id, port);
    const lease = await namespace.sh(
      `busybox udhcpc -f -q -n -t 3 -T 1 -i eth0 -s ${leaseScript} -O staticroutes 2>&1`,
    );
    expect(lease).toContain('ip=10.13.0.31');
    expect(lease).not.toContain('router=');
    await namespace.sh('ip addr add 10.13.0.31/24 dev eth0; ip route add 169.254.169.254 dev eth0');
    // A port without a server is a stranger.
    expect(await namespace.sh(`${CURL} -o /dev/null -w '%{http_code}' http://169.254.169.254/`)).toBe('404');
  });

  it('end with everything that was made for them', async () => {
    const net = await network('10.14.0.0/24');
    const names = new Names(MARK);
    const a = await guest(net, 11, []);
    expect(await machine.call<string[]>({ method: 'list', kind: 'network' })).toContain(net.id);
    expect(await machine.observe('network', net.id)).toEqual({ state: 'applied' });
    await machine.remove('port', a.port.id);
    await machine.remove('network', net.id);
    expect(await machine.observe('network', net.id)).toBe(null);
    expect(await host.sh('ip link; ip rule')).not.toContain(names.bridge(net.id));
    expect(await host.sh('nft list ruleset')).not.toContain(names.bridge(net.id));
    expect(await host.does(`pgrep -f ${net.id}/[c]onfig`)).toBe(false);
    // Twice is fine.
    await machine.remove('network', net.id);
  });
});

describe('the rules', () => {
  it('come back when somebody flushes them, and leave the rules of others alone', async () => {
    const open = await group();
    const net = await network('10.15.0.0/24');
    const a = await guest(net, 11, [open.id]);
    await a.namespace.serve(80, 'a');
    expect(await host.does(`${CURL_BRIEFLY} ${a.address}`)).toBe(false);
    expect(await host.sh('nft list tables')).toContain('table inet theirs');
    // Each table lets nothing pass that the other has not seen.
    for (const table of [`inet ${MARK}`, `bridge ${MARK}`]) {
      await host.sh(`nft delete table ${table}`);
      expect(await host.does(`${CURL_BRIEFLY} ${a.address}`)).toBe(false);
      await eventually('the rules', async () =>
        (await host.sh('nft list tables')).split('\n').includes(`table ${table}`),
      );
    }
    expect(await host.does(`${CURL_BRIEFLY} ${a.address}`)).toBe(false);
  });

  it('hold while the runner is dead, and are the same when it is back', async () => {
    const net = await network('10.16.0.0/24');
    const closed = await group();
    const a = await guest(net, 11, [closed.id]);
    const b = await guest(net, 12, [closed.id]);
    await b.namespace.serve(80, 'b');
    // What the kernel counts, and order within sets, are no difference.
    const rules = async () =>
      (await host.sh('nft list ruleset'))
        .replace(/elements = \{[^}]*(limit rate|ct count)[^}]*\}/g, '')
        .replace(/packets \d+ bytes \d+/g, '')
        .replace(/"[^"]*" : 169.254.169.254 . \d+/g, '')
        .replace(/elements = \{ |,$| \}$/gm, '')
        .replace(/^\s+/gm, '');
    const before = (await rules()).split('\n').sort();
    await machine.kill();
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
    expect(await a.namespace.does(`${CURL} ${WORLD}`)).toBe(true);
    machine = await MachineInNamespace.open(host.name, options);
    expect((await rules()).split('\n').sort()).toEqual(before);
    expect(await a.namespace.does(`${CURL_BRIEFLY} ${b.address}`)).toBe(false);
  });
});
