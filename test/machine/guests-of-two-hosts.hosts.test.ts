import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { KERNEL_ARGUMENTS } from '../guest/kernel.ts';
import { JoinedHosts, neighborOf, WORLD } from './joined-hosts.ts';
import { eventually } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, ruleOf, serverOf } from './specs.ts';

/* Guests of real QEMU on two machines: each gets its address, its metadata and its way to the world from its own. */

const MARK = 'aetwo';
const SERVERS = ['one', 'two'];
let joined: JoinedHosts;
let images: {
  image: ReturnType<typeof imageOf>;
  kernel: ReturnType<typeof imageOf>;
  ramdisk: ReturnType<typeof imageOf>;
};
let groupId: string;

beforeAll(async () => {
  const built = await buildGuest();
  images = {
    image: imageOf(built.disk, 'qcow2'),
    kernel: imageOf(built.kernel, 'aki'),
    ramdisk: imageOf(built.ramdisk, 'ari'),
  };
  const files = { [images.image.id]: built.disk, [images.kernel.id]: built.kernel, [images.ramdisk.id]: built.ramdisk };
  joined = await JoinedHosts.open(MARK, 2, { images: files, adminShell: true });
  const group = groupOf(ruleOf());
  groupId = group.id;
  await joined.applyEverywhere('security-group', groupId, group);
});
afterAll(() => joined.close());

/** A guest on each machine, and how to run a command in it. */
async function guestsOn(net: NetworkSpec): Promise<{ port: PortSpec; run(command: string): Promise<string> }[]> {
  await joined.applyEverywhere('network', net.id, net);
  const { image, kernel, ramdisk } = images;
  const command = { kernel_command_line: KERNEL_ARGUMENTS, memory_mib: 96 };
  const ports = SERVERS.map((hostname, index) => portOf(net, 11 + index, { hostname, security_groups: [groupId] }));
  return Promise.all(
    ports.map(async (port, index) => {
      const { machine, options } = joined.host(index);
      const server = serverOf(image, { kernel, ramdisk, ...command, ports: [port.id] });
      server.metadata.hostname = port.hostname ?? '';
      await machine.apply('port', port.id, { ...port, server_id: server.id });
      const other = ports[1 - index];
      if (other && net.segment.type === 'vxlan') {
        await machine.apply('neighbor', other.id, neighborOf(other, joined.host(1 - index).tunnelIp));
      }
      await machine.apply('server', server.id, server);
      const shell = join(options.stateDir, 'guests', server.id, 'run', 'ttyS1');
      const run = async (line: string) => (await runInGuest(shell, line, { timeout_ms: 60_000 })).output.trim();
      await eventually(`the address of ${port.hostname}`, () =>
        run('ip -4 addr show eth0').then((text) => text.includes(port.fixed_ips[0]?.ip_address ?? '?')),
      );
      return { port, run };
    }),
  );
}

for (const segment of [{ type: 'vxlan', id: 4711 } as const, { type: 'flat', physical_network: 'cables' } as const]) {
  it(`serves guests of a ${segment.type} network on each machine, and lets them reach each other`, async () => {
    const guests = await guestsOn(networkOf('10.40.0.0/24', { segment }));
    for (const [index, { port, run }] of guests.entries()) {
      const other = guests[1 - index]?.port.fixed_ips[0]?.ip_address;
      expect(await run(`ping -c3 -W10 ${other}`)).toContain('3 packets received');
      expect(await run(`timeout 10 wget -q -O - http://${WORLD}`)).toBe(`world ${joined.host(index).address}`);
      const metadata = 'http://169.254.169.254/openstack/latest/meta_data.json';
      expect(await run(`timeout 10 wget -q -O - ${metadata}`)).toContain(`"hostname":"${port.hostname}"`);
    }
  });
}
