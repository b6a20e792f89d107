import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import { addressBytes, hearFrames, ip, sendFrames, udp } from './frames.ts';
import { type CheapGuest, JoinedHosts, WORLD } from './joined-hosts.ts';
import { eventually, type Namespace } from './namespaces.ts';
import { v4 } from './said.ts';
import { groupOf, networkOf, ruleOf } from './specs.ts';

/* Packets that carry a mark which no port gave them, or that a guest addresses to the machine's end of its own cable. */

const MARK = 'aeastr';
const names = new Names(MARK);
let ports = 7000;

let joined: JoinedHosts;
let a: CheapGuest;
let b: CheapGuest;
beforeAll(async () => {
  joined = await JoinedHosts.open(MARK, 1);
  const open = groupOf(ruleOf());
  await joined.applyEverywhere('security-group', open.id, open);
  const net = networkOf('10.90.0.0/24');
  await joined.applyEverywhere('network', net.id, net);
  [a, b] = [await joined.guest(0, net, 11, [open.id]), await joined.guest(0, net, 12, [open.id])];
});
afterAll(() => joined.close());

const onHost = (line: string) => joined.host(0).namespace.sh(line);
const say = (to: string, port: number, word: string) =>
  a.namespace.node(`const s = require('node:dgram').createSocket('udp4');
    s.bind(${port}, () => s.send('${word} ', ${port}, '${to}', () => s.close()));`);

describe('a mark that another program takes from packets', () => {
  it.each([
    ['as they are sent', 'prerouting', -155, 'outside'],
    ['as they are sent to another guest', 'prerouting', -155, 'guest'],
    ['as they are led to another guest', 'forward', -5, 'guest'],
    ['as they are routed', 'forward', -5, 'outside'],
  ] as const)('lets nothing pass: %s', async (_, hook, priority, to) => {
    const [at, address]: [Namespace, string] = to === 'guest' ? [b.namespace, b.address] : [joined.outside, WORLD];
    const port = ports++;
    const { heard } = await at.listenUdp(port);
    const arrives = (word: string) =>
      eventually(word, async () => {
        await say(address, port, word);
        return heard().includes(word);
      });
    await arrives('before');
    await onHost(`nft add table inet theirs
      nft 'add chain inet theirs marks { type filter hook ${hook} priority ${priority}; }'
      nft add rule inet theirs marks iifname ${names.bridge(a.on.id)} meta mark set 0`);
    await say(address, port, 'meanwhile');
    await onHost('nft delete table inet theirs');
    await arrives('afterwards');
    expect(heard()).not.toContain('meanwhile');
  });
});

describe("the machine's end of a guest's cable", () => {
  it('leads nowhere but to the gateway, not even in a connection that stands', async () => {
    const free = { port_security_enabled: false };
    const [c, d] = [await joined.guest(0, a.on, 13, [], free), await joined.guest(0, a.on, 14, [], free)];
    // Addresses that are nobody's but theirs: by the machine's routes they are of the world.
    const [ours, theirs] = ['198.18.5.1', '198.18.5.2'];
    await c.namespace.sh(`ip addr add ${ours}/24 dev eth0`);
    await d.namespace.sh(`ip addr add ${theirs}/24 dev eth0`);
    d.namespace.start(
      process.execPath,
      '-e',
      `const s = require('node:dgram').createSocket('udp4');
      s.on('message', (m, { port, address }) => s.send('answer', port, address)); s.bind(7, '${theirs}');`,
    );
    await c.namespace.node(`const s = require('node:dgram').createSocket('udp4');
      const asks = setInterval(() => s.send('question', 7, '${theirs}'), 100);
      s.on('message', () => { clearInterval(asks); s.close(); }); s.bind(7, '${ours}');`);
    const mac = (await onHost(`cat /sys/class/net/${names.tap(c.port.id)}/address`)).trim();
    const ear = await hearFrames(joined.outside, 'cable');
    const astray = ip(ours, theirs, 17, udp(7, 7, Buffer.from('astray')));
    await sendFrames(c.namespace, [v4({ mac: c.port.mac_address }, { mac }, astray)]);
    await say(WORLD, ports++, 'the last');
    await eventually('the last', async () => ear.heard.some((frame) => frame.includes('the last')));
    ear.stop();
    const led = ear.heard.filter((frame) => frame.includes('astray'));
    expect(led.filter((frame) => frame.includes(addressBytes(ours)))).toEqual([]);
  });
});
