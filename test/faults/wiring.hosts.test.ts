import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryFolder } from '../../runner/machine.ts';
import { Inventory } from '../../runner/network/inventory.ts';
import { Names } from '../../runner/network/names.ts';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from '../machine/machine-in-namespace.ts';
import { configure, eventually, fakeGuest, Namespace, plugIn, temporaryFolder } from '../machine/namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf } from '../machine/specs.ts';
import { type CommandFault, FaultyCommands } from './faulty-commands.ts';
import { Flood } from './flood.ts';

/* Whatever breaks while a port is wired, and whenever: no packet comes in that no rule lets in, and it ends as it should. */

const MARK = 'aewire';
const UDP = 17;
const MANY = 1_000;
/** As many as the runner applies side by side. */
const AT_ONCE = 16;
const names = new Names(MARK);
const folder = temporaryFolder();
const options: ServeOptions = { stateDir: `${folder.path}/state`, mark: MARK, images: {} };
let commands: FaultyCommands;
let host: Namespace;
let machine: MachineInNamespace;
let net: NetworkSpec;
const closed = groupOf();
let port: PortSpec;
const wide = networkOf('10.81.0.0/16');
const groups = Array.from({ length: 50 }, (_, at) =>
  groupOf(ruleOf({ protocol: UDP, port_range_min: at + 1, port_range_max: at + 1 })),
);
/** Whose port is wired, and another one that never stops to send to it. */
let guest: Namespace;
let other: Namespace;
let flood: Flood;

beforeAll(async () => {
  commands = new FaultyCommands(folder.path);
  host = await Namespace.make();
  machine = await MachineInNamespace.open(host.name, options);
  net = networkOf('10.80.0.0/24');
  await machine.apply('network', net.id, net);
  for (const group of [closed, ...groups]) await machine.apply('security-group', group.id, group);
  const sender = portOf(net, 12, { security_groups: [closed.id] });
  port = portOf(net, 11, { security_groups: [closed.id] });
  other = await fakeGuest(host, MARK, sender);
  await machine.apply('port', sender.id, sender);
  await configure(other, sender, '10.80.0.1');
  guest = await fakeGuest(host, MARK, port);
  await configure(guest, port, '10.80.0.1');
  await other.sh(`ip neigh add 10.80.0.11 lladdr ${port.mac_address} dev eth0 nud permanent`);
  flood = await Flood.between(other, guest, '10.80.0.11');
});
afterAll(async () => {
  commands.close();
  await machine.kill();
  await teardownIn(host.name, options);
  for (const namespace of [guest, other, host]) await namespace.close();
  folder.remove();
});

async function plugAgain(): Promise<void> {
  await plugIn(guest, host, MARK, port);
  await configure(guest, port, '10.80.0.1');
}

/** Applies the port with a fault at some command of it, and then again; answers whether there was such a command. */
async function applyWithFault(at: number, fault: CommandFault): Promise<boolean> {
  commands.failAt(at, fault);
  await machine.apply('port', port.id, port).catch(() => {});
  const made = commands.wasMade();
  commands.mend();
  if (made && fault === 'killed') {
    await machine.kill();
    machine = await MachineInNamespace.open(host.name, options);
  }
  await machine.apply('port', port.id, port);
  return made;
}

/** Chains with their rules, and whose taps are known. */
const rulesOf = async () => [
  (await host.sh('nft list ruleset'))
    .replace(/elements = \{[^}]*\}/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .sort()
    .join('\n'),
  (await host.sh(`nft list set bridge ${MARK} taps`)).match(/"[^"]+"/g)?.sort(),
];

describe('a port', () => {
  for (const fault of ['killed', 'refused'] as const) {
    it(`is closed and whole in the end, whichever of its commands is ${fault}`, { timeout: 300_000 }, async () => {
      await machine.apply('port', port.id, port);
      const [links, rules] = [await host.sh('ip -br link | wc -l'), await rulesOf()];
      let steps = 0;
      for (let at = 1; ; at++) {
        await machine.remove('port', port.id);
        expect(await host.sh('ip -br link')).not.toContain(names.tap(port.id));
        await plugAgain();
        if (!(await applyWithFault(at, fault))) break;
        steps++;
        expect(await host.sh('ip -br link | wc -l')).toBe(links);
        expect(await rulesOf()).toEqual(rules);
      }
      // Rules, tap, bridge port, forwarding, up: fewer would mean that no fault was made.
      expect(steps).toBeGreaterThan(4);
      expect(flood.heard()).toBe(0);
    });
  }

  it('is reached once a rule says so, so that nothing else kept the flood away', async () => {
    const open = { ...closed, rules: [...closed.rules, ruleOf({ protocol: UDP })] };
    await machine.apply('security-group', closed.id, open, 2);
    await eventually('the flood', async () => flood.heard() > 0);
    await machine.apply('security-group', closed.id, closed, 3);
    expect(await flood.stops()).toBe(true);
  });
});

describe('the machine', () => {
  it(`gives ${MANY} ports other groups at once, and no packet of another's comes in`, {
    timeout: 300_000,
  }, async () => {
    const before = flood.heard();
    // No more faults of commands: what stands before them costs more than they do.
    commands.close();
    await machine.kill();
    const inventory = await Inventory.open(inventoryFolder(options.stateDir));
    const many = Array.from({ length: MANY }, (_, at) => {
      const one = portOf(wide, 0, { security_groups: [closed.id] });
      return {
        ...one,
        fixed_ips: one.fixed_ips.map((ip) => ({ ...ip, ip_address: `10.81.${4 + (at >> 8)}.${at & 255}` })),
      };
    });
    for (const one of many) await inventory.put('port', one.id, one);
    machine = await MachineInNamespace.open(host.name, options);
    await machine.apply('network', wide.id, wide);
    const began = performance.now();
    const left = many.map((one, at) => ({ ...one, security_groups: [groups[at % groups.length]?.id ?? ''] }));
    const lane = async () => {
      for (let one = left.pop(); one; one = left.pop()) await machine.apply('port', one.id, one, 2);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    console.log(`changed_${MANY}_ports`, ((performance.now() - began) / 1000).toFixed(1), 's');
    expect(flood.heard()).toBe(before);
    // As from a load of all of them.
    const changed = await rulesOf();
    await machine.kill();
    machine = await MachineInNamespace.open(host.name, options);
    expect(await rulesOf()).toEqual(changed);
    expect(changed[1]).toHaveLength(MANY + 2);
    const taps = await host.sh(`ip -br link show master ${names.bridge(wide.id)} | wc -l`);
    expect(Number(taps)).toBe(MANY);
  });

  it('lets nothing in while its bridge is deleted by hand and made anew', async () => {
    const before = flood.heard();
    await host.sh(`ip link delete ${names.bridge(net.id)}`);
    await eventually('the bridge with its ports', async () =>
      host.does(`ip -br link show master ${names.bridge(net.id)} | grep -q ${names.tap(port.id)}`),
    );
    expect(flood.heard()).toBe(before);
  });

  it('shuts its guests off while rules that somebody flushed are loaded', async () => {
    await host.sh('nft flush ruleset');
    await eventually('the rules', async () =>
      names.tables.every(async (table) => (await host.sh('nft list tables')).includes(table)),
    );
    expect(await flood.stops()).toBe(true);
    await eventually('the end of the shut', async () => !(await host.sh('nft list tables')).includes(names.shutTable));
    console.log('flushed_rules_packets', flood.heard());
  });
});
