import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Names } from '../../runner/network/names.ts';
import { qosOf } from '../../runner/testing/specs.ts';
import { shellBlocks } from '../readme-blocks.ts';
import { type JoinedHosts, WORLD } from './joined-hosts.ts';
import { CURL, JoinedRouters, SNAT } from './joined-routers.ts';

/* The commands of docs/networks.md, on a machine whose guests talk meanwhile. */

const DOCUMENT = join(import.meta.dirname, '../../docs/networks.md');
const THIS = 'test/machine/networks-document.hosts.test.ts';

let routers: JoinedRouters;
let joined: JoinedHosts;
beforeAll(async () => {
  routers = await JoinedRouters.open('aedocs', 2);
  joined = routers.joined;
});
afterAll(() => joined.close());

it('finds what it says it finds', async () => {
  const { net, routerId } = await routers.tenant('10.70.0.0/24');
  const qos = qosOf({ egress_kbps: 80_000, ingress_kbps: 80_000, dscp_mark: 46 });
  const [a, b] = [
    await joined.guest(0, net, 11, [routers.open.id], { qos }),
    await joined.guest(1, net, 12, [routers.open.id]),
  ];
  const [floating, shared] = ['203.0.113.180', '203.0.113.181'];
  await routers.float(floating, a, routerId, { qos });
  await routers.forward(shared, 0, b, routerId, { external_ports: [8080, 8080], internal_ports: [80, 80] });
  await a.namespace.serve(80, 'a');
  expect(await joined.outside.sh(`${CURL} ${floating}`)).toBe(`a ${WORLD}`);
  a.namespace.start('busybox', 'ping', '-i', '0.2', b.address);
  const blocks = shellBlocks(DOCUMENT).filter(({ marker }) => marker === THIS);
  const script = blocks.map(({ code }) => code).join('\necho ======\n');
  const variables = `NETWORK=${net.id} GUEST=${a.address} ADDRESS=${floating}`;
  const said = await joined.host(0).namespace.sh(`export ${variables}; set -eu\n${script}`);
  const [bridge, tunnel, out, float, forwards, limits, metadata, trace] = said.split('======');
  expect(bridge).toContain('10.70.0.1/24');
  expect(tunnel).toContain(`${b.port.mac_address} dst ${joined.host(1).tunnelIp}`);
  expect(tunnel).toContain(`${b.address} lladdr ${b.port.mac_address}`);
  expect(tunnel).toMatch(/192\.0\.2\.1\.\d+ > 192\.0\.2\.2\.4789/);
  expect(out).toContain(`default via ${WORLD}`);
  expect(out).toContain('local 10.70.0.1');
  expect(out).toMatch(/198\.51\.100\.7 from 10\.70\.0\.11 via 203\.0\.113\.1/);
  expect(out).toContain(SNAT[0]);
  expect(float).toContain(`${floating} : ${a.address}`);
  expect(float).toContain(`dst=${floating}`);
  expect(forwards).toContain(`${shared} . tcp . 8080 : ${b.address} . 80`);
  const tap = new Names('aedocs').tap(a.port.id);
  expect(limits).toContain(`"${tap}" : goto egress-10000000-0`);
  expect(limits).toContain(`"${tap}" : goto dscp-46`);
  expect(limits).toContain(`${floating} : goto floating_ingress-10000000-0`);
  expect(metadata).toContain('169.254.169.254');
  expect(trace).toContain('verdict accept');
  const holder = await joined.host(1).namespace.sh('nft list map bridge aedocs holders');
  expect(holder).toContain(`${b.address} . tcp . 80`);
});
