import { join } from 'node:path';
import { MachineInNamespace, type ServeOptions, teardownIn } from '../machine/machine-in-namespace.ts';
import { Namespace, temporaryFolder } from '../machine/namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf } from '../machine/specs.ts';
import { figure } from './figures.ts';

const PORTS = 1_000;
const GROUPS = 100;
const RULES = 10;
const TRIES = 3;
const MARK = 'aebru';
const TCP = 6;
/** Ports are applied so many at a time, as the runner does. */
const AT_ONCE = 16;

/** How soon changes are in force on a machine with many ports, and how long it takes to load all of them: best of some tries. */
export async function benchRules(): Promise<void> {
  const folder = temporaryFolder();
  const options: ServeOptions = { stateDir: join(folder.path, 'state'), mark: MARK, images: {} };
  const host = await Namespace.make();
  let machine = await MachineInNamespace.open(host.name, options);
  try {
    const net = networkOf('10.0.0.0/16', { snat: false });
    await machine.apply('network', net.id, net);
    const groups = Array.from({ length: GROUPS }, (_, group) =>
      groupOf(
        ...Array.from({ length: RULES }, (_, index) =>
          ruleOf({ protocol: TCP, port_range_min: 100 * group + 2 * index, port_range_max: 100 * group + 2 * index }),
        ),
      ),
    );
    for (const group of groups) await machine.apply('security-group', group.id, group);
    const ports = Array.from({ length: PORTS + 1 }, (_, index) => {
      const group = groups[index % GROUPS];
      const port = portOf(net, 0, { security_groups: group ? [group.id] : [] });
      const ip_address = `10.0.${(index + 2) >> 8}.${(index + 2) & 0xff}`;
      return { ...port, fixed_ips: port.fixed_ips.map((fixed) => ({ ...fixed, ip_address })) };
    });
    const [group, extra] = [groups[0], ports.pop()];
    if (!group || !extra) throw new Error('nothing to change');
    const from = performance.now();
    for (let at = 0; at < PORTS; at += AT_ONCE)
      await Promise.all(ports.slice(at, at + AT_ONCE).map((port) => machine.apply('port', port.id, port)));
    figure(`wiring_of_${PORTS}_ports`, (performance.now() - from) / 1000, 's');
    const before = performance.now();
    const left = ports.map((port, at) => ({ ...port, security_groups: [groups[(at + 1) % GROUPS]?.id ?? ''] }));
    const lane = async () => {
      for (let port = left.pop(); port; port = left.pop()) await machine.apply('port', port.id, port, 2);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    figure(`other_groups_of_${PORTS}_ports`, (performance.now() - before) / 1000, 's');
    const rule = ruleOf({ protocol: TCP, port_range_min: 9, port_range_max: 9 });
    const member = { group_id: group.id, port_id: extra.id, addresses: ['10.0.200.1'] };
    const remote = ruleOf({ protocol: TCP, remote_group_id: group.id });
    const id = `${group.id}:${extra.id}`;
    const measured: Record<string, number[]> = {};
    const measure = async (name: string, task: () => Promise<unknown>) => {
      const began = performance.now();
      await task();
      measured[name] = [...(measured[name] ?? []), performance.now() - began];
    };
    const put = (rules: typeof group.rules) => machine.apply('security-group', group.id, { ...group, rules });
    for (let round = 0; round < TRIES; round++) {
      await measure('rule_added', () => put([...group.rules, rule, remote]));
      await measure('member_added', () => machine.apply('group-member', id, member));
      await measure('member_removed', () => machine.remove('group-member', id));
      await measure('rule_removed', () => put(group.rules));
      await measure('port_added', () => machine.apply('port', extra.id, extra));
      await measure('port_removed', () => machine.remove('port', extra.id));
    }
    for (const [name, values] of Object.entries(measured))
      figure(`${name}_at_${PORTS}_ports`, Math.min(...values), 'ms');
    await machine.kill();
    await host.sh('nft flush ruleset');
    const began = performance.now();
    machine = await MachineInNamespace.open(host.name, options);
    figure(`rules_of_${PORTS}_ports_rebuilt`, (performance.now() - began) / 1000, 's');
  } finally {
    await machine.kill();
    await teardownIn(host.name, options);
    await host.close();
    folder.remove();
  }
}
