import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SEED_IMAGE, seed } from '../../home/seed.ts';
import { run } from '../../runner/host/run.ts';
import { type Cloud, type RunnerProcess, startCloud } from '../cloud.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { type Machine, openMachine } from '../machine.ts';
import type { Sections } from './tempest-config.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../../runner/main.ts');
/** The outside: a host of it runs tempest, and is the machines' way to the world. */
const OUTSIDE = '203.0.113.1';
const PUBLIC = '203.0.113.0/24';
/** A guest boots for seconds without KVM, while others do. */
const BUILD_TIMEOUT_S = 180;

/** A control plane with real machines, whose guests are reached by floating IPs from a namespace outside. */
export interface ScenarioCloud {
  cloud: Cloud;
  /** Where tempest is: it reaches the API and the floating IPs, nothing else. */
  outside: Machine;
  /** What tempest must be told of it. */
  tempest: Sections;
  machines: { machine: Machine; runner: RunnerProcess }[];
  close(): Promise<void>;
}

/** @param count - machines, each with its cables: `up0` with its own address outside, `ext0` for floating IPs */
export async function startScenarioCloud(count: number): Promise<ScenarioCloud> {
  const cloud = await startCloud();
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-scenario-'));
  const port = Number(new URL(cloud.url).port);
  const outside = await openMachine({ port, as: port });
  await outside.run('sh', [
    '-c',
    `ip link add cable type bridge stp_state 0 forward_delay 0 mcast_snooping 0; ip link set cable up
    ip addr add ${OUTSIDE}/24 dev cable`,
  ]);
  const machines: ScenarioCloud['machines'] = [];
  for (let index = 0; index < count; index++) {
    const machine = await openMachine({ port });
    await connect(machine, 'up0', outside, index);
    await connect(machine, 'ext0', outside, index);
    const address = `203.0.113.${10 + index}`;
    await machine.run('sh', ['-c', `ip addr add ${address}/24 dev up0; ip route add default via ${OUTSIDE}`]);
    const { netns, edgeUrl } = machine;
    const args = ['--tunnel-address', address, '--physical-network', 'public=ext0'];
    const name = `scenario-${index + 1}`;
    const runner = await cloud.runners({
      hypervisor: 'qemu',
      ...{ name, netns, edgeUrl, args },
      stateDir: join(folder, name),
    });
    machines.push({ machine, runner });
  }
  return {
    cloud,
    outside,
    tempest: await sections(cloud),
    machines,
    async close() {
      for (const { machine, runner } of machines) {
        await runner.kill();
        await machine.run(process.execPath, [RUNNER_MAIN, 'teardown', '--state', runner.stateDir]);
      }
      await cloud.stop();
      for (const { machine } of machines) await machine.close();
      await outside.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function connect({ netns }: Machine, name: string, outside: Machine, index: number): Promise<void> {
  const end = `h${index}${name}`;
  await run('ip', ['-n', netns, 'link', 'add', name, 'type', 'veth', 'peer', 'name', end, 'netns', outside.netns]);
  await run('ip', ['-n', netns, 'link', 'set', name, 'up']);
  await run('ip', ['-n', outside.netns, 'link', 'set', end, 'master', 'cable', 'up']);
}

/** Makes the network outside and the guest's image, and says them in tempest's words. */
async function sections(cloud: Cloud): Promise<Sections> {
  const { admin } = cloud;
  const { imageId, flavorId } = await seed(admin, { cidr: '10.71.0.0/24', guest: await buildGuest() });
  const { flavor } = await admin.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', {
    flavor: { name: 'larger', ram: 256, vcpus: 1, disk: 1 },
  });
  const { network } = await admin.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: {
      name: 'outside',
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
    },
  });
  await admin.call('network', 'POST', '/v2.0/subnets', {
    subnet: {
      ...{
        name: 'outside',
        network_id: network.id,
        ip_version: 4,
        cidr: PUBLIC,
        gateway_ip: OUTSIDE,
        enable_dhcp: false,
      },
      allocation_pools: [{ start: '203.0.113.100', end: '203.0.113.250' }],
    },
  });
  return {
    auth: { create_isolated_networks: true },
    compute: {
      image_ref: imageId,
      image_ref_alt: imageId,
      flavor_ref: flavorId,
      flavor_ref_alt: flavor.id,
      fixed_network_name: '',
      build_timeout: BUILD_TIMEOUT_S,
    },
    network: {
      public_network_id: network.id,
      floating_network_name: 'outside',
      project_network_cidr: '10.100.0.0/16',
      project_network_mask_bits: 24,
    },
    validation: {
      run_validation: true,
      connect_method: 'floating',
      image_ssh_user: 'root',
      image_alt_ssh_user: 'root',
      ssh_timeout: BUILD_TIMEOUT_S,
      ping_timeout: 60,
      network_for_ssh: 'outside',
    },
    scenario: { dhcp_client: 'udhcpc', img_file: SEED_IMAGE },
  };
}
