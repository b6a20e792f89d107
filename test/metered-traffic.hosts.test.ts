import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../home/until.ts';
import { type ScenarioCloud, startScenarioCloud } from './conformance/scenario-cloud.ts';

/*
 * A real guest exchanges packets with the world through a floating IP, while its runner is killed, its line is cut and the
 * edge is killed. The world's own kernel counts beside.
 */

const BOOT_TIMEOUT_MS = 120_000;
const METERED_TIMEOUT_MS = 120_000;
const PINGS = 20;
const DATA_BYTES = 1000;

let scenario: ScenarioCloud;
beforeAll(async () => {
  scenario = await startScenarioCloud(1);
});
afterAll(() => scenario?.close());

const call = <T>(service: string, method: string, path: string, body?: unknown) =>
  scenario.cloud.admin.call<T>(service, method, path, body);

/** A guest of a network behind a router of its own, and the floating IP that leads to it. */
async function guestWithFloatingIp(): Promise<{ server: string; id: string; address: string }> {
  const { compute, network: told } = scenario.tempest;
  const outside = told?.public_network_id;
  const { network } = await call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', { network: {} });
  const cidr = { network_id: network.id, ip_version: 4, cidr: '10.91.0.0/24' };
  const { subnet } = await call<{ subnet: { id: string } }>('network', 'POST', '/v2.0/subnets', { subnet: cidr });
  const gateway = { external_gateway_info: { network_id: outside } };
  const { router } = await call<{ router: { id: string } }>('network', 'POST', '/v2.0/routers', { router: gateway });
  await call('network', 'PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const group = { name: 'pings' };
  const { security_group } = await call<{ security_group: { id: string } }>(
    'network',
    'POST',
    '/v2.0/security-groups',
    { security_group: group },
  );
  const rule = { security_group_id: security_group.id, direction: 'ingress', ethertype: 'IPv4', protocol: 'icmp' };
  await call('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule });
  const { port } = await call<{ port: { id: string } }>('network', 'POST', '/v2.0/ports', {
    port: { network_id: network.id, security_groups: [security_group.id] },
  });
  const { server } = await call<{ server: { id: string } }>('compute', 'POST', '/servers', {
    server: {
      ...{ name: 'metered', imageRef: compute?.image_ref, flavorRef: compute?.flavor_ref },
      networks: [{ port: port.id }],
    },
  });
  const { floatingip } = await call<{ floatingip: { id: string; floating_ip_address: string } }>(
    'network',
    'POST',
    '/v2.0/floatingips',
    { floatingip: { floating_network_id: outside, port_id: port.id } },
  );
  return { server: server.id, id: floatingip.id, address: floatingip.floating_ip_address };
}

/** Whether the guest is up and the world reaches it, without a packet that would be counted. */
async function isReached(server: string, address: string): Promise<boolean> {
  const body = { 'os-getConsoleOutput': {} };
  const { output } = await call<{ output: string }>('compute', 'POST', `/servers/${server}/action`, body);
  if (!output.includes('ready hostname=')) return false;
  await inTheWorld(`arping -c1 -w1 -i cable ${address}`);
  return true;
}

const inTheWorld = async (line: string) => (await scenario.outside.run('sh', ['-c', line])).stdout;

/** What the world's kernel has exchanged with an address, in bytes of IP packets. */
async function counted(): Promise<{ from: number; to: number }> {
  const listed = JSON.parse(await inTheWorld('nft -j list counters table inet world')) as {
    nftables: { counter?: { name: string; bytes: number } }[];
  };
  const bytes = (name: string) => listed.nftables.find(({ counter }) => counter?.name === name)?.counter?.bytes ?? 0;
  return { from: bytes('from'), to: bytes('to') };
}

/** Where a counter of a resource stands, which began at zero: as it was last read. */
async function metered(id: string, meter: string): Promise<number> {
  const now = new Date(Date.now() + 60_000).toISOString();
  const query = `aggregation=last&granularity=10&start=${new Date(Date.now() - 3_600_000).toISOString()}&stop=${now}`;
  const path = `/v1/resource/generic/${id}/metric/${meter}/measures?${query}`;
  const measures = await call<[string, number, number][]>('metric', 'GET', path);
  return measures.at(-1)?.[2] ?? 0;
}

it('counts a guest’s traffic with the world to the last byte, whatever ends meanwhile', async () => {
  const { server, id, address } = await guestWithFloatingIp();
  const [first] = scenario.machines;
  if (!first) throw new Error('no machine');
  const { machine, runner } = first;
  await inTheWorld(`nft -f - <<'END'
table inet world {
  counter from { }
  counter to { }
  chain hears { type filter hook prerouting priority 0; ip saddr ${address} counter name from; }
  chain says { type filter hook output priority 0; ip daddr ${address} counter name to; }
}
END`);
  await until('the guest', BOOT_TIMEOUT_MS, () => isReached(server, address));
  const pings = () => inTheWorld(`busybox ping -q -c${PINGS} -i 0.1 -s ${DATA_BYTES} ${address}`);
  await pings();
  await runner.kill();
  await pings();
  await runner.start();
  machine.line.away();
  await pings();
  process.kill(scenario.cloud.edge.workerd.pid() ?? 0, 'SIGKILL');
  machine.line.back();
  await pings();
  const world = await counted();
  expect(world.to).toBe(4 * PINGS * (DATA_BYTES + 28));
  const bytes = (way: string) => metered(id, `floating_ip.${way}.bytes`);
  const all = async () => ({ from: await bytes('egress'), to: await bytes('ingress') });
  await until('all that was counted', METERED_TIMEOUT_MS, async () => isDeepStrictEqual(await all(), world));
});
