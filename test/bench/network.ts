import { inventoryFolder } from '../../runner/machine.ts';
import { Inventory } from '../../runner/network/inventory.ts';
import { RULES_PER_GROUP_MAX } from '../../shared/limits.ts';
import { Refusal } from '../../shared/refusal.ts';
import type { NetworkSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';
import { type CheapGuest, type Host, JoinedHosts } from '../machine/joined-hosts.ts';
import { eventually } from '../machine/namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf } from '../machine/specs.ts';
import { figure, note } from './figures.ts';
import { linearChain } from './linear-chain.ts';
import { ruleEverywhere } from './rule-everywhere.ts';
import { packetRate, roundTrip, throughput } from './wire-speed.ts';

const MARK = 'aenet';
const ROUNDS = 3;
const SMALLEST = { rules: 10, ports: 10 };
const LARGEST = { rules: 10_000, ports: 4_000 };
/** Rules of the groups of the measured guests, and ports of each machine. */
const SIZES = [SMALLEST, { rules: 1_000, ports: 10 }, { rules: 10_000, ports: 10 }, { rules: 10, ports: 1_000 }];
const ALL_SIZES = [...SIZES, { rules: 10, ports: 4_000 }, LARGEST];
/** What one group may hold, less those that it begins with. */
const RULES_OF_GROUP_MAX = RULES_PER_GROUP_MAX - 10;
const OTHER_GROUPS = 100;
const RULES_OF_OTHERS = 10;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
/** Which the measured packets go to: the last rule that a linear chain looks at. */
const SERVED_PORT = 5201;

/** Best values of a way of filtering, by path and measure. */
type Speeds = Map<string, number>;

interface Lab {
  joined: JoinedHosts;
  net: NetworkSpec;
  /** Who asks, who answers on the same machine, and on the other one. */
  asker: CheapGuest;
  near: CheapGuest;
  far: CheapGuest;
  /** Of the guests; each holds a part of the rules. */
  groups: SecurityGroupSpec[];
}

/**
 * What the filter of groups costs on the whole way between two guests, of one machine and of two: throughput, small
 * packets and round trip, by how many rules and ports there are, against no filter and against one linear chain of
 * iptables. Best of some rounds, in turn, so that all have whatever else the machine does.
 */
export async function network(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Refusal('namespaces need root. Try: sudo npm run bench:network');
  await ruleEverywhere();
  const lab = await openLab();
  try {
    const best = new Map<string, Speeds>();
    for (let round = 1; round <= ROUNDS; round++) {
      note(`round ${round} of ${ROUNDS}`);
      for (const size of ALL_SIZES) {
        await load(lab, size);
        await measure(lab, bestOf(best, nameOf(size)));
      }
      await withoutFilter(lab);
      await measure(lab, bestOf(best, 'none'));
      for (const { rules } of SIZES.slice(0, 3)) {
        await linearChain(hostsOf(lab), rulesOf(rules));
        await measure(lab, bestOf(best, `linear_${rules}`));
        await linearChain(hostsOf(lab), null);
      }
    }
    print(best);
  } finally {
    await lab.joined.close();
  }
}

const nameOf = ({ rules, ports }: typeof SMALLEST) => `${rules}_rules_${ports}_ports`;
const hostsOf = ({ joined }: Lab): Host[] => [joined.host(0), joined.host(1)];

function bestOf(all: Map<string, Speeds>, name: string): Speeds {
  const speeds: Speeds = all.get(name) ?? new Map();
  all.set(name, speeds);
  return speeds;
}

/** An allow list of addresses for one port, and as many ports of one address; last what is measured. */
function rulesOf(count: number): SecurityGroupSpec['rules'] {
  const half = Math.floor((count - 3) / 2);
  const listed = Array.from({ length: half }, (_, at) =>
    ruleOf({
      protocol: TCP,
      port_range_min: 443,
      port_range_max: 443,
      remote_ip_prefix: `11.${at >> 8}.${at & 255}.0/25`,
    }),
  );
  const ports = Array.from({ length: half }, (_, at) =>
    ruleOf({
      protocol: TCP,
      port_range_min: 10_000 + 2 * at,
      port_range_max: 10_000 + 2 * at,
      remote_ip_prefix: '12.0.0.0/8',
    }),
  );
  const served = (protocol: number) =>
    ruleOf({ protocol, port_range_min: SERVED_PORT, port_range_max: SERVED_PORT, remote_ip_prefix: '10.9.0.0/16' });
  return [...listed, ...ports, served(TCP), served(UDP), ruleOf({ protocol: ICMP, remote_ip_prefix: '10.9.0.0/16' })];
}

async function openLab(): Promise<Lab> {
  const joined = await JoinedHosts.open(MARK, 2);
  const net = networkOf('10.9.0.0/16', { segment: { type: 'vxlan', id: 9 } });
  const groups = Array.from({ length: Math.ceil(LARGEST.rules / RULES_OF_GROUP_MAX) }, () => groupOf());
  await joined.applyEverywhere('network', net.id, net);
  for (const group of groups) await joined.applyEverywhere('security-group', group.id, group);
  const ids = groups.map((group) => group.id);
  const guest = (host: number, offset: number) => joined.guest(host, net, offset, ids);
  const lab = { joined, net, groups, asker: await guest(0, 11), near: await guest(0, 12), far: await guest(1, 13) };
  for (const { namespace, address } of [lab.near, lab.far]) namespace.start('iperf3', '-s', '-B', address);
  return lab;
}

/** Makes both machines hold so many rules and ports, as a runner that starts finds them. */
async function load(lab: Lab, { rules, ports }: typeof SMALLEST): Promise<void> {
  for (const [index, { machine, options }] of hostsOf(lab).entries()) {
    await machine.kill();
    const inventory = await Inventory.open(inventoryFolder(options.stateDir));
    const all = rulesOf(rules);
    for (const [at, group] of lab.groups.entries()) {
      const part = all.slice(at * RULES_OF_GROUP_MAX, (at + 1) * RULES_OF_GROUP_MAX);
      const own = group.rules.filter((rule) => rule.direction === 'egress');
      await inventory.put('security-group', group.id, { ...group, rules: [...own, ...part] });
    }
    const security_groups = lab.groups.slice(0, Math.ceil(rules / RULES_OF_GROUP_MAX)).map((group) => group.id);
    for (const { host, port } of [lab.asker, lab.near, lab.far]) {
      if (host.machine === machine) await inventory.put('port', port.id, { ...port, security_groups });
    }
    await fill(inventory, lab, ports);
    await lab.joined.reopen(index);
  }
}

/** Ports of guests that are silent, in groups of their own. */
async function fill(inventory: Inventory, { net, groups: measured }: Lab, ports: number): Promise<void> {
  const others = [...inventory.ports.values()].filter(({ spec }) => spec.hostname === 'silent');
  for (const { spec } of others.slice(ports)) await inventory.drop('port', spec.id);
  const groups = [...inventory.groups.keys()].filter((id) => measured.every((group) => group.id !== id));
  for (let at = groups.length; at < OTHER_GROUPS; at++) {
    const rules = Array.from({ length: RULES_OF_OTHERS }, (_, rule) =>
      ruleOf({
        protocol: TCP,
        port_range_min: 20_000 + 100 * at + 2 * rule,
        port_range_max: 20_000 + 100 * at + 2 * rule,
      }),
    );
    const group = groupOf(...rules);
    await inventory.put('security-group', group.id, group);
    groups.push(group.id);
  }
  for (let at = others.length; at < ports; at++) {
    const port = portOf(net, 0, { hostname: 'silent', security_groups: groups.slice(at % OTHER_GROUPS).slice(0, 1) });
    const ip_address = `10.9.${128 + (at >> 8)}.${at & 255}`;
    const fixed_ips = port.fixed_ips.map((fixed) => ({ ...fixed, ip_address }));
    await inventory.put('port', port.id, { ...port, fixed_ips });
  }
}

/** The same cables and bridges without any rules; the runners are dead, who would bring them back. */
async function withoutFilter(lab: Lab): Promise<void> {
  for (const { machine, namespace } of hostsOf(lab)) {
    await machine.kill();
    await namespace.sh('nft flush ruleset');
  }
}

async function measure({ asker, near, far }: Lab, best: Speeds): Promise<void> {
  for (const [path, { address }] of Object.entries({ one_host: near, two_hosts: far })) {
    await eventually(`the way to ${address}`, async () => asker.namespace.does(`ping -c 1 -W 1 ${address}`));
    const keep = (name: string, value: number) => {
      const key = `${path}_${name}`;
      best.set(key, Math.max(best.get(key) ?? 0, value));
    };
    keep('throughput', await throughput(asker.namespace, address));
    keep('packets', await packetRate(asker.namespace, address));
    keep('round_trips', 1 / (await roundTrip(asker.namespace, address)));
  }
}

/** Ratios first: what they are of differs from machine to machine. */
function print(best: Map<string, Speeds>): void {
  const value = (way: string, key: string) => best.get(way)?.get(key) ?? Number.NaN;
  for (const key of best.get('none')?.keys() ?? []) {
    for (const size of ALL_SIZES) {
      figure(`${key}_${nameOf(size)}_of_no_filter`, value(nameOf(size), key) / value('none', key), 'x');
    }
    figure(`${key}_largest_of_smallest`, value(nameOf(LARGEST), key) / value(nameOf(SMALLEST), key), 'x');
    for (const size of SIZES.slice(0, 3)) {
      const linear = `linear_${size.rules}`;
      figure(`${key}_${linear}_of_no_filter`, value(linear, key) / value('none', key), 'x');
      figure(`${key}_${size.rules}_rules_of_linear`, value(nameOf(size), key) / value(linear, key), 'x');
    }
    figure(`${key}_no_filter`, value('none', key), key.endsWith('throughput') ? 'bit/s' : '/s');
  }
}
