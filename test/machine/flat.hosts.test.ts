import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayMac, Names } from '../../runner/network/names.ts';
import type { NetworkSpec } from '../../shared/specs/network.ts';
import { type CheapGuest, JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually, temporaryFolder } from './namespaces.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Flat networks of two machines: their bridges are on one cable. Namespaces stand in for guests. */

const MARK = 'aeflat';
const names = new Names(MARK);
const pings = (address: string) => `busybox ping -c1 -W30 ${address}`;
const pingsBriefly = (address: string) => `busybox ping -c1 -W1 ${address}`;
const CURL = 'curl -sS -m 30';

const folder = temporaryFolder();
const leaseScript = join(folder.path, 'lease');
let joined: JoinedHosts;
let open: string;
let closed: string;

beforeAll(async () => {
  writeFileSync(leaseScript, '#!/bin/sh\nenv\n', { mode: 0o755 });
  joined = await JoinedHosts.open(MARK, 2);
  const [openGroup, closedGroup] = [groupOf(ruleOf(), ruleOf({ ethertype: 'IPv6' })), groupOf()];
  [open, closed] = [openGroup.id, closedGroup.id];
  await joined.applyEverywhere('security-group', open, openGroup);
  await joined.applyEverywhere('security-group', closed, closedGroup);
});
afterAll(async () => {
  await joined.close();
  folder.remove();
});

const flat = (cidr: string, change: Partial<NetworkSpec> = {}) =>
  networkOf(cidr, { segment: { type: 'flat', physical_network: 'cables' }, mtu: 1500, ...change });

/** What tcpdump sees on the cable while something happens, and then with a ping of 999 bytes between the guests that it answers. */
async function onTheCable(what: () => Promise<[from: CheapGuest, to: CheapGuest]>): Promise<string> {
  const ear = await joined.cables.tcpdump('-i', 'cable');
  const [from, to] = await what();
  await from.namespace.sh(`${pings(to.address)} -s 999`);
  await eventually('the last answer', async () => /reply.*length 1007/.test(ear.text()));
  ear.stop();
  return ear.text();
}

async function removeEverywhere(network: NetworkSpec): Promise<void> {
  for (const guest of joined.guests.filter((one) => one.on.id === network.id)) await joined.removeGuest(guest);
  for (const { machine } of joined.hosts) await machine.remove('network', network.id);
}

describe('a flat network', () => {
  it('with a gateway on each machine: guests reach each other, and the world by their own machine alone', async () => {
    const net = flat('10.20.0.0/24');
    const seen = await onTheCable(async () => {
      await joined.applyEverywhere('network', net.id, net);
      const a = await joined.guest(0, net, 11, [open]);
      const b = await joined.guest(1, net, 12, [open]);
      const shut = await joined.guest(1, net, 13, [closed]);
      await a.namespace.sh(pings(b.address));
      expect(await a.namespace.does(pingsBriefly(shut.address))).toBe(false);
      await shut.namespace.sh(pings(a.address));
      await a.namespace.sh(pings('10.20.0.1'));
      await a.namespace.sh('arping -c1 -w5 -i eth0 10.20.0.1');
      await a.namespace.does('arping -c1 -w1 -i eth0 -P -S 10.20.0.1 10.20.0.12');
      await joined.host(0).namespace.does(pingsBriefly(b.address));
      const lease = await a.namespace.sh(`busybox udhcpc -i eth0 -n -q -t 20 -T 1 -s ${leaseScript}`);
      expect(lease).toContain(`ip=${a.address}`);
      expect(await a.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(0).address}`);
      expect(await b.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${joined.host(1).address}`);
      return [a, b];
    });
    expect(seen).toContain('10.20.0.11 > 10.20.0.12');
    expect(seen).not.toContain(gatewayMac(net.id));
    expect(seen).not.toMatch(/10\.20\.0\.1[ ,:]|bootp|DHCP|router advertisement/i);
    await removeEverywhere(net);
    expect(await joined.host(0).namespace.sh('ip -o link show ph0')).not.toContain('master');
  });

  it('is refused where this machine cannot carry it, and says why', async () => {
    const { machine, namespace } = joined.host(0);
    const refusal = async (spec: NetworkSpec) => {
      const error = await machine.apply('network', spec.id, spec).then(String, String);
      await machine.remove('network', spec.id);
      return error;
    };
    const elsewhere = flat('10.22.0.0/24', { segment: { type: 'flat', physical_network: 'nowhere' } });
    expect(await refusal(elsewhere)).toContain('no interface on the physical network nowhere');
    await namespace.sh('ip addr add 198.51.100.1/24 dev ph0');
    expect(await refusal(flat('10.22.0.0/24'))).toContain('Interface ph0 of the physical network cables has addresses');
    expect(await namespace.sh('ip -o addr show dev ph0; ip -o link show ph0')).toContain('198.51.100.1/24');
    await namespace.sh('ip addr del 198.51.100.1/24 dev ph0');
    const first = flat('10.22.0.0/24');
    await machine.apply('network', first.id, first);
    expect(await refusal(flat('10.23.0.0/24'))).toContain(`Interface ph0 is on ${names.bridge(first.id)}`);
    await machine.remove('network', first.id);
    const vlan = flat('10.24.0.0/24', { segment: { type: 'vlan', id: 7, physical_network: 'cables' } });
    // Where the kernel makes them, the machine says so and serves it.
    if (machine.capabilities.includes('vlan')) await machine.apply('network', vlan.id, vlan);
    else expect(await refusal(vlan)).toContain('This machine makes no interface of type vlan');
    await machine.remove('network', vlan.id);
    expect(await namespace.sh('ip -o link')).not.toContain(names.segment(vlan.id));
  });
});

describe('a network of the world', () => {
  const external = (physical_network: string) =>
    flat('203.0.113.0/24', {
      segment: { type: 'flat', physical_network },
      external: true,
      snat: false,
      host_access: false,
      subnets: [],
    });

  /** Who answers for an address on the outside. */
  const macOf = (address: string) =>
    eventually(`somebody who has ${address}`, async () => {
      await joined.outside.sh(`ip neigh flush all; busybox ping -c1 -W1 ${address} || true`);
      return /lladdr ([0-9a-f:]{17})/.exec(await joined.outside.sh(`ip neigh show ${address}`))?.[1];
    });

  it('has each machine under a MAC address of its own', async () => {
    const net = external('public');
    await joined.applyEverywhere('network', net.id, net);
    const macs = [];
    for (const [index, { namespace }] of joined.hosts.entries()) {
      const mac = (await namespace.sh('cat /sys/class/net/ext0/address')).trim();
      await namespace.sh(`ip addr add 203.0.113.5${index}/32 dev ${names.bridge(net.id)}`);
      expect(await macOf(`203.0.113.5${index}`)).toBe(mac);
      macs.push(mac);
    }
    expect(new Set(macs).size).toBe(2);
    await removeEverywhere(net);
  });

  it("shares a machine's only interface, which keeps its addresses and routes", async () => {
    const host = joined.host(0);
    await host.machine.kill();
    host.options.physicalNetworks = { public: 'up0' };
    await joined.reopen(0);
    const net = external('public');
    await host.machine.apply('network', net.id, net);
    await host.namespace.sh(`ip addr add 203.0.113.60/32 dev ${names.bridge(net.id)}`);
    const own = (await host.namespace.sh('cat /sys/class/net/up0/address')).trim();
    expect(await macOf(host.address)).toBe(own);
    expect(await macOf('203.0.113.60')).not.toBe(own);
    expect(await host.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${host.address}`);
    const tenants = flat('10.25.0.0/24', { segment: { type: 'flat', physical_network: 'public' } });
    await expect(host.machine.apply('network', tenants.id, tenants)).rejects.toThrow(
      'has addresses or routes of this machine',
    );
    await host.machine.remove('network', tenants.id);
    await host.machine.remove('network', net.id);
    expect(await host.namespace.sh(`${CURL} ${WORLD}`)).toBe(`world ${host.address}`);
    expect(await host.namespace.sh('ip -o link')).not.toContain(names.segment(net.id));
  });
});
