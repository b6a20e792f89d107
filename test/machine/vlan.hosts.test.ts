import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import { inDebianKernel } from './debian-kernel.ts';

/* 802.1Q under a kernel that has it: two machines on one cable, each with two tenants' networks of the same addresses. */

const names = new Names('aevlan');
const SERVE = join(import.meta.dirname, 'serve-vlans.ts');
const MODULES = ['8021q', 'bridge', 'veth', 'af_packet'];

it('802.1Q networks join guests of one id across machines, keep others apart, and say the id on the cable', async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const guest = (name: string, host: string, network: string, address: string) => `
    ip netns add ${name}; ip -n ${host} link add ${name} type veth peer name eth0 netns ${name}
    ip -n ${host} link set ${name} master ${names.bridge(network)} up
    ip -n ${name} addr add ${address}/24 dev eth0; ip -n ${name} link set eth0 up`;
  const output = await inDebianKernel(
    `export PATH=/usr/sbin:/usr/bin:/sbin:/bin
    set -e
    mkdir -p /run/netns
    ip netns add cables; ip -n cables link add cable type bridge; ip -n cables link set cable up
    for h in h1 h2; do
      ip netns add $h; ip -n $h link set lo up
      ip -n $h link add ph0 type veth peer name $h netns cables; ip -n $h link set ph0 up; ip -n cables link set $h master cable up
      ip netns exec $h ${process.execPath} ${SERVE} ${mine} 100 ${theirs} 200
    done
    ${guest('mine1', 'h1', mine, '10.0.0.11')}
    ${guest('mine2', 'h2', mine, '10.0.0.12')}
    ${guest('theirs1', 'h1', theirs, '10.0.0.11')}
    ${guest('theirs2', 'h2', theirs, '10.0.0.13')}
    (timeout 60 ip netns exec cables tcpdump -lnne -c 8 -i cable icmp or vlan and icmp > /tmp/frames) &
    until ip -n cables -d link show cable | grep -q 'promiscuity 1'; do sleep 0.2; done
    ping() { ip netns exec $1 busybox ping -c1 -W"$3" "$2" >/dev/null && echo "$1 reaches $2" || echo "$1 misses $2"; }
    ping mine1 10.0.0.12 20
    ping theirs1 10.0.0.13 20
    ping mine1 10.0.0.13 2
    ping theirs1 10.0.0.12 2
    until [ $(wc -l </tmp/frames) -ge 4 ]; do sleep 0.2; done; cat /tmp/frames`,
    MODULES,
  );
  expect(output).toContain('vlan capability: true');
  for (const line of ['mine1 reaches 10.0.0.12', 'theirs1 reaches 10.0.0.13']) expect(output).toContain(line);
  for (const line of ['mine1 misses 10.0.0.13', 'theirs1 misses 10.0.0.12']) expect(output).toContain(line);
  expect(output).toMatch(/ethertype 802\.1Q \(0x8100\).* vlan 100,.*10\.0\.0\.11 > 10\.0\.0\.12: ICMP echo request/);
  expect(output).toMatch(/ethertype 802\.1Q \(0x8100\).* vlan 200,.*10\.0\.0\.11 > 10\.0\.0\.13: ICMP echo request/);
  expect(output).not.toMatch(/> [0-9a-f:]{17}, ethertype IPv4/);
});
