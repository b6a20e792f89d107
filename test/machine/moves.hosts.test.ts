import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../runner/host/run.ts';
import type { NetworkSpec, PortSpec } from '../../shared/specs/network.ts';
import type { IncomingGuest, ServerSpec } from '../../shared/specs/server.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { COUNT, countingErrors, numbersIn } from './counting-guest.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace, temporaryFolder } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, serverOf } from './specs.ts';

/* Guests of real QEMU between two machines, whose drivers are told what the edge would tell them. The tests follow one another. */

const MARK = 'aemov';
const KERNEL_COMMAND_LINE =
  'console=ttyS0 quiet panic=1 net.ifnames=0 nokaslr mitigations=off tsc=reliable no_timer_check';
const BOOT_MS = 60_000;
const LIMIT_MS = 60_000;
const KEY = '5e'.repeat(32);
const ADDRESSES = ['10.77.0.1', '10.77.0.2'] as const;

interface Host {
  namespace: Namespace;
  options: ServeOptions;
  machine: MachineInNamespace;
}

const folder = temporaryFolder();
const hosts: Host[] = [];
let network: NetworkSpec;
let port: PortSpec;
let server: ServerSpec;
const generations = [0, 0];

beforeAll(async () => {
  const built = await buildGuest();
  const image = imageOf(built.disk, 'qcow2');
  const kernel = imageOf(built.kernel, 'aki');
  const ramdisk = imageOf(built.ramdisk, 'ari');
  const group = groupOf();
  network = networkOf('10.21.0.0/24');
  server = serverOf(image, { kernel, ramdisk, kernel_command_line: KERNEL_COMMAND_LINE, memory_mib: 96 });
  port = portOf(network, 5, { server_id: server.id, security_groups: [group.id] });
  server = { ...server, ports: [port.id] };
  for (const address of ADDRESSES) {
    const namespace = await Namespace.make();
    const options: ServeOptions = {
      stateDir: join(folder.path, address),
      mark: MARK,
      images: { [image.id]: built.disk, [kernel.id]: built.kernel, [ramdisk.id]: built.ramdisk },
      adminShell: true,
      moveAddress: address,
      bootId: 'boot-1',
    };
    hosts.push({ namespace, options, machine: await MachineInNamespace.open(namespace.name, options) });
  }
  const [a, b] = hosts as [Host, Host];
  await run('ip', [
    '-n',
    a.namespace.name,
    'link',
    'add',
    'moves',
    'type',
    'veth',
    'peer',
    'moves',
    'netns',
    b.namespace.name,
  ]);
  for (const [index, { namespace, machine }] of hosts.entries()) {
    await namespace.sh(`ip addr add ${ADDRESSES[index]}/24 dev moves; ip link set moves up`);
    await machine.apply('network', network.id, network);
    await machine.apply('security-group', group.id, group);
    await machine.apply('port', port.id, port);
  }
});

afterAll(async () => {
  for (const { machine, namespace, options } of hosts) {
    await machine.kill();
    await teardownIn(namespace.name, options);
    await namespace.close();
  }
  folder.remove();
});

const at = (index: number) => hosts[index] as Host;
const apply = (index: number, change: Partial<ServerSpec>) => {
  generations[index] = (generations[index] ?? 0) + 1;
  return at(index).machine.apply('server', server.id, { ...server, ...change }, generations[index]);
};
const file = (index: number, name: string) => join(at(index).options.stateDir, 'guests', server.id, name);
const consoleOf = (index: number) => readFileSync(file(index, 'console.log'), 'utf8');
const inGuest = async (index: number, command: string) => {
  const { pid } = JSON.parse(readFileSync(file(index, 'guest.json'), 'utf8')).process;
  return (await runInGuest(`/proc/${pid}/cwd/run/ttyS1`, command, { timeout_ms: BOOT_MS })).output.trim();
};
const incoming = (what: IncomingGuest['what'], move_id = crypto.randomUUID()): IncomingGuest => ({
  move_id,
  what,
  key: KEY,
});

interface Place {
  state: string;
  detail: { incoming: { address: string; disk_port: number; memory_port: number } };
}
/** Has one machine make ready, and the other send. */
const move = (from: number, to: number, epoch: number, kind: 'send-guest' | 'send-disk') => {
  const where = incoming(kind === 'send-guest' ? 'memory' : 'disk');
  return {
    ready: async () => {
      const place = (await apply(to, { epoch, incoming: where })) as unknown as Place;
      expect(place.state).toBe('working');
      return place.detail.incoming;
    },
    send: (place: Place['detail']['incoming']) => {
      const { address, disk_port, memory_port } = place;
      const args = { move_id: where.move_id, epoch, key: KEY, address, disk_port, memory_port, limit_ms: LIMIT_MS };
      return at(from).machine.call({
        method: 'run',
        kind: 'server',
        operation: kind,
        id: server.id,
        epoch: server.epoch,
        args,
      });
    },
  };
};

/** The edge's word that the guest is a machine's, and no longer the other's. */
const belongsTo = async (index: number, epoch: number) => {
  server = { ...server, epoch };
  return apply(index, {});
};

it('moves a guest that counts without losing or doubling a number', async () => {
  await apply(0, {});
  await inGuest(0, 'echo kept >/data/note; sync');
  await inGuest(0, COUNT);
  await eventually('the guest counting', async () => numbersIn([consoleOf(0)]).length > 5);
  const { ready, send } = move(0, 1, 2, 'send-guest');
  await send(await ready());
  // Both stand still until the edge says whose it is.
  for (const { machine } of hosts) expect((await machine.observe('server', server.id))?.state).toBe('working');
  const before = consoleOf(0);
  expect((await belongsTo(1, 2)).state).toBe('running');
  await eventually(
    'the guest counting on',
    async () => numbersIn([before, consoleOf(1)]).length > numbersIn([before]).length + 5,
  );
  expect(consoleOf(0)).toBe(before);
  expect(countingErrors(numbersIn([before, consoleOf(1)]))).toEqual([]);
  expect(await inGuest(1, 'cat /data/note; echo more >>/data/note; sync')).toBe('kept');
});

it('lets nothing run where the guest was given away, whoever asks', async () => {
  // Told the old epoch once more, and to start it over.
  const old = { ...server, epoch: 1 };
  expect((await at(0).machine.apply('server', server.id, old, ++(generations[0] as number))).state).toBe('working');
  const reboot = {
    method: 'run',
    kind: 'server',
    operation: 'reboot',
    id: server.id,
    epoch: 1,
    args: { type: 'HARD' },
  } as const;
  await expect(at(0).machine.call(reboot)).rejects.toThrow(/given to another machine/);
  await at(0).machine.remove('server', server.id);
});

it('goes on where it was when the line is cut in the middle', async () => {
  const { ready, send } = move(1, 0, 3, 'send-guest');
  const place = await ready();
  const counted = numbersIn([consoleOf(1)]).length;
  await at(1).namespace.sh('ip link set moves down');
  await expect(send(place)).rejects.toThrow();
  await at(1).namespace.sh('ip link set moves up');
  await eventually('the guest counting on', async () => numbersIn([consoleOf(1)]).length > counted + 5);
  expect((await belongsTo(1, 4)).state).toBe('running');
  await at(0).machine.remove('server', server.id);
});

it('sends the disk of a guest that is off, keeps the old one, and runs it where the edge says', async () => {
  const { ready, send } = move(1, 0, 5, 'send-disk');
  await send(await ready());
  expect((await at(1).machine.observe('server', server.id))?.state).toBe('working');
  expect((await belongsTo(0, 5)).state).toBe('running');
  expect(await inGuest(0, 'cat /data/note; echo lost >>/data/note; sync')).toBe('kept\nmore');
  // It is given back: the disk is as it was.
  expect((await apply(0, { power: 'off' })).state).toBe('stopped');
  expect((await belongsTo(1, 6)).state).toBe('running');
  expect(await inGuest(1, 'cat /data/note')).toBe('kept\nmore');
});

it('changes its size, and changes it back with the disk as it was', async () => {
  server = { ...server, epoch: 7, memory_mib: 160, disk_gib: 2, old_disk: 'keep' };
  expect((await apply(1, {})).state).toBe('running');
  const memory = async () => Number((await inGuest(1, 'grep MemTotal /proc/meminfo')).replace(/\D+/g, ''));
  const large = await memory();
  expect(await inGuest(1, 'blockdev --getsize64 /dev/vda')).toBe(String(2 * 1024 ** 3));
  await inGuest(1, 'echo lost >>/data/note; sync');
  server = { ...server, epoch: 8, memory_mib: 96, disk_gib: 1, old_disk: 'restore' };
  expect((await apply(1, {})).state).toBe('running');
  expect(await memory()).toBeLessThan(large);
  expect(await inGuest(1, 'cat /data/note; blockdev --getsize64 /dev/vda')).toBe(`kept\nmore\n${1024 ** 3}`);
});
