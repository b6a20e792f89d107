import { afterAll, beforeAll, expect, it } from 'vitest';
import { ip, udp } from './frames.ts';
import { JoinedHosts, neighborOf } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { v4 } from './said.ts';
import { groupOf, networkOf, portOf, ruleOf } from './specs.ts';

/* Tunnels over IPv6: what comes out of them was put in by a neighbor's machine. */

const OWN = 'fd02::1';
const PEER = 'fd02::2';
const STRANGER = 'fd02::99';
const VXLAN_ID = 4242;

let joined: JoinedHosts;
const open = groupOf(ruleOf());
beforeAll(async () => {
  joined = await JoinedHosts.open('aepeer', 1, { tunnelAddress: OWN });
  await joined.host(0).namespace.sh(`ip addr add ${OWN}/64 dev ul0 nodad`);
  await joined.underlay.sh(`sysctl -qw net.ipv6.conf.cable.disable_ipv6=0
    for a in ${PEER} ${STRANGER}; do ip addr add $a/64 dev cable nodad; done`);
  await joined.applyEverywhere('security-group', open.id, open);
});
afterAll(() => joined.close());

it('takes nothing out of a tunnel that no neighbor’s machine put in', async () => {
  const net = networkOf('10.3.0.0/24', { segment: { type: 'vxlan', id: VXLAN_ID } });
  await joined.applyEverywhere('network', net.id, net);
  const { port, namespace, address } = await joined.guest(0, net, 11, [open.id]);
  const far = portOf(net, 12);
  await joined.applyEverywhere('neighbor', far.id, neighborOf(far, PEER));
  const { heard } = await namespace.listenUdp(5000);
  const put = (from: string, word: string) => {
    const source = far.fixed_ips[0]?.ip_address ?? '';
    const packet = ip(source, address, 17, udp(4000, 5000, Buffer.from(`${word} `)));
    const head = Buffer.from([8, 0, 0, 0, VXLAN_ID >> 16, (VXLAN_ID >> 8) & 0xff, VXLAN_ID & 0xff, 0]);
    const frame = Buffer.concat([head, v4({ mac: far.mac_address }, { mac: port.mac_address }, packet)]);
    return joined.underlay.node(`const s = require('node:dgram').createSocket('udp6');
      s.bind(0, '${from}', () => s.send(Buffer.from('${frame.toString('hex')}', 'hex'), 4789, '${OWN}', () => s.close()));`);
  };
  const arrives = async (word: string) => {
    await put(PEER, word);
    await eventually(word, async () => heard().includes(word));
  };
  await arrives('before');
  await put(STRANGER, 'stranger');
  await arrives('afterwards');
  expect(heard()).toBe('listening\nbefore afterwards ');
});
