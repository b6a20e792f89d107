import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../runner/host/run.ts';
import { planBridgeTable } from '../../runner/network/firewall/plan-bridge-table.ts';
import { planInetTable } from '../../runner/network/firewall/plan-inet-table.ts';
import { changeScript, fullScript, type Ruleset } from '../../runner/network/firewall/ruleset.ts';
import { Inventory } from '../../runner/network/inventory.ts';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import { Namespace, temporaryFolder } from './namespaces.ts';
import { randomOf } from './random.ts';
import { groupOf, networkOf, portOf, ruleOf } from './specs.ts';

/* Whatever changes, in whatever order: small changes lead the kernel to the same rules as loading all of them anew. */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 40;
const names = new Names('aernd');
const folder = temporaryFolder();
let changed: Namespace;
let loaded: Namespace;

beforeAll(async () => {
  changed = await Namespace.make();
  loaded = await Namespace.make();
});
afterAll(async () => {
  await changed.close();
  await loaded.close();
  folder.remove();
});

const load = (namespace: Namespace, script: string) =>
  run('ip', ['netns', 'exec', namespace.name, 'nft', '-f', '-'], { input: script });

/** Rules keep their order; elements of sets and the order of chains have none. */
async function listed(namespace: Namespace): Promise<string[]> {
  const text = await namespace.sh('nft list ruleset');
  const joined = text.replace(/,\n\s+/g, ', ');
  const elements = (line: string) =>
    line.replace(/elements = \{ (.*) \}/, (_, list: string) => `elements = { ${list.split(', ').sort().join(', ')} }`);
  return joined
    .split(/\n\t(?=chain|set|map)/)
    .map((block) =>
      block
        .split('\n')
        .map(elements)
        .join('\n')
        .replace(/\n\}[\s\S]*$/, '')
        .trim(),
    )
    .sort();
}

it(`leads to the same rules by changes as by a full load (SEED=${SEED})`, async () => {
  const random = randomOf(SEED);
  const pick = <T>(list: readonly T[]): T | undefined => list[random(list.length)];
  const inventory = await Inventory.open(folder.path);
  const metadataPorts = new Map<string, number>();
  const networks: NetworkSpec[] = [];
  const groups: SecurityGroupSpec[] = [];
  const ports: PortSpec[] = [];
  const members: string[] = [];
  const randomRule = () =>
    ruleOf({
      direction: random(2) ? 'ingress' : 'egress',
      ethertype: random(4) ? 'IPv4' : 'IPv6',
      ...(random(2) ? { protocol: 6, port_range_min: random(60_000), port_range_max: 60_000 + random(5_000) } : {}),
      ...(random(2) ? { remote_group_id: pick(groups)?.id ?? null } : {}),
    });
  const steps: (() => Promise<unknown>)[] = [
    async () => {
      const network = networkOf(`10.${networks.length}.0.0/24`, { snat: random(2) === 1 });
      networks.push(network);
      metadataPorts.set(network.id, 1024 + random(60_000));
      await inventory.put('network', network.id, network);
    },
    async () => {
      const old = random(2) ? pick(groups) : undefined;
      const group = { ...groupOf(...Array.from({ length: random(6) }, randomRule)), ...(old ? { id: old.id } : {}) };
      if (!old) groups.push(group);
      await inventory.put('security-group', group.id, group);
    },
    async () => {
      const network = pick(networks);
      if (!network) return;
      const chosen = groups.filter(() => random(3) === 0).map((group) => group.id);
      const old = random(2) ? pick(ports) : undefined;
      const change = { security_groups: chosen, port_security_enabled: random(5) > 0 };
      const port = old ? { ...old, ...change } : portOf(network, 10 + ports.length, change);
      if (!old) ports.push(port);
      await inventory.put('port', port.id, port);
    },
    async () => {
      const [group, port] = [pick(groups), pick(ports)];
      if (!group || !port) return;
      const id = `${group.id}:${port.id}`;
      members.push(id);
      const addresses = [port.fixed_ips[0]?.ip_address ?? '', `2001:db8::${random(999) + 1}`];
      await inventory.put('group-member', id, { group_id: group.id, port_id: port.id, addresses });
    },
    async () => {
      const port = pick(ports);
      if (!port) return;
      ports.splice(ports.indexOf(port), 1);
      await inventory.drop('port', port.id);
    },
    async () => {
      const group = pick(groups);
      if (group && random(2)) {
        groups.splice(groups.indexOf(group), 1);
        await inventory.drop('security-group', group.id);
      } else await inventory.drop('group-member', pick(members) ?? `${randomUUID()}:${randomUUID()}`);
    },
  ];
  const plan = (): Ruleset => [planBridgeTable(names, inventory), planInetTable(names, inventory, metadataPorts)];
  let before = plan();
  await load(changed, fullScript(before));
  for (let step = 0; step < STEPS; step++) {
    // Some come together, as a burst does.
    for (let burst = 0; burst <= random(3); burst++) await pick(steps)?.();
    const after = plan();
    const script = changeScript(before, after);
    if (script !== '') await load(changed, script);
    before = after;
  }
  await load(loaded, fullScript(before));
  expect(await listed(changed)).toEqual(await listed(loaded));
  expect((await listed(changed)).length).toBeGreaterThan(20);
});
