import { randomUUID } from 'node:crypto';
import { Refusal } from '../../shared/refusal.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from '../machine/machine-in-namespace.ts';
import { configure, fakeGuest, Namespace, temporaryFolder } from '../machine/namespaces.ts';
import { groupOf, networkOf, portOf, ruleOf } from '../machine/specs.ts';
import { figure } from './figures.ts';
import { packetRate, throughput } from './wire-speed.ts';

const MARK = 'aebint';
const PREFIXES = 1_000;
const EXCEPTIONS = 2_000;
const RUNS = 3;
/** Of the world, of what is closed and let go by an exception. */
const ADDRESSES = { open: '203.0.113.1', excepted: '10.200.0.1' };

const CLOSED = [
  '10.0.0.0/8',
  ...Array.from({ length: PREFIXES - 1 }, (_, at) => `172.${16 + (at >> 7)}.${2 * (at & 127)}.0/24`),
];

interface Speeds {
  [name: string]: number;
}

/**
 * What the intranet filter costs: throughput and small packets from a guest through its machine, with 1,000 prefixes and
 * 2,000 exceptions of the guest's port against none, in one run; and how long it takes to load and to change.
 */
export async function intranet(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Refusal('namespaces need root. Try: sudo npm run bench:intranet');
  const folder = temporaryFolder();
  const options: ServeOptions = { stateDir: folder.path, mark: MARK, images: {} };
  const [host, world] = [await Namespace.make(), await Namespace.make()];
  const machine = await openBetween(host, world, options);
  let guest: Namespace | undefined;
  try {
    const group = groupOf(ruleOf());
    await machine.apply('security-group', group.id, group);
    const net = networkOf('10.30.0.0/24');
    await machine.apply('network', net.id, net);
    const port = portOf(net, 11, { security_groups: [group.id] });
    guest = await fakeGuest(host, MARK, port);
    await machine.apply('port', port.id, port);
    await configure(guest, port, '10.30.0.1');

    await load(machine, port.id);
    const [without, having]: [Speeds, Speeds] = [{}, {}];
    // In turn, so that both have whatever else the machine does.
    for (let run = 0; run < RUNS; run++) {
      await filter(machine, []);
      await speeds(guest, without);
      await filter(machine, CLOSED);
      await speeds(guest, having);
    }
    for (const [name, value] of Object.entries(having))
      figure(`intranet_${name}_of_no_filter`, value / (without[name] ?? Number.NaN), 'x');
    const began = performance.now();
    await machine.apply('intranet-exception', randomUUID(), exceptionOf(port.id, '10.77.0.0/16'));
    figure('intranet_one_more_exception', performance.now() - began, 'ms');
    const asked = performance.now();
    await machine.call({ method: 'query', operation: 'denied', id: 'x', kind: 'intranet', args: {} });
    figure('intranet_read_denied', performance.now() - asked, 'ms');
  } finally {
    await machine.close();
    await teardownIn(host.name, options);
    for (const one of [guest, world, host]) await one?.close();
    folder.remove();
  }
}

async function openBetween(host: Namespace, world: Namespace, options: ServeOptions): Promise<MachineInNamespace> {
  await host.sh(`ip link add up0 type veth peer name up0 netns ${world.name}
    ip addr add 203.0.113.2/24 dev up0; ip link set up0 up; ip route add default via ${ADDRESSES.open}`);
  await world.sh(
    `ip addr add ${ADDRESSES.open}/24 dev up0; ip addr add ${ADDRESSES.excepted}/24 dev up0; ip link set up0 up`,
  );
  // One each: for datagrams it answers from the address that the way back has.
  for (const address of Object.values(ADDRESSES)) world.start('iperf3', '-s', '-B', address);
  return MachineInNamespace.open(host.name, options);
}

async function load(machine: MachineInNamespace, portId: string): Promise<void> {
  const began = performance.now();
  await filter(machine, CLOSED);
  figure('intranet_load_1000_prefixes', performance.now() - began, 'ms');
  const others = Array.from({ length: EXCEPTIONS - 1 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  const from = performance.now();
  // As many at once as the reconciler does.
  const queue = [`${ADDRESSES.excepted}/32`, ...others];
  const lanes = Array.from({ length: 8 }, async () => {
    for (let to = queue.shift(); to !== undefined; to = queue.shift())
      await machine.apply('intranet-exception', randomUUID(), exceptionOf(portId, to));
  });
  await Promise.all(lanes);
  figure('intranet_load_2000_exceptions', performance.now() - from, 'ms');
}

const exceptionOf = (portId: string, destination: string) => ({
  id: randomUUID(),
  source: { type: 'port' as const, id: portId },
  destination,
  protocol: null,
  port_range_min: null,
  port_range_max: null,
  expires_at_ms: null,
});

let generation = 1;
const filter = (machine: MachineInNamespace, prefixes: string[]) =>
  machine.apply('intranet', 'filter', { dry_run: false, prefixes }, generation++);

/** Bits and small packets a second, to either address: takes what is more than it was. */
async function speeds(guest: Namespace, best: Speeds): Promise<void> {
  for (const [name, address] of Object.entries(ADDRESSES)) {
    best[`tcp_${name}`] = Math.max(best[`tcp_${name}`] ?? 0, await throughput(guest, address));
    best[`packets_${name}`] = Math.max(best[`packets_${name}`] ?? 0, await packetRate(guest, address));
  }
}
