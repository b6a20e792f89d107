import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NaiveReceiver } from '../../runner/testing/naive-receiver.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace, temporaryFolder } from './namespaces.ts';
import { groupOf, imageOf, networkOf, portOf, serverOf } from './specs.ts';

/* What a real guest uses, as its own kernel and the machine's count it. The tests follow one another. */

const MARK = 'aegmet';
const KERNEL_COMMAND_LINE =
  'console=ttyS0 quiet panic=1 net.ifnames=0 nokaslr mitigations=off tsc=reliable no_timer_check';
const BOOT_MS = 120_000;
const MIB = 1024 * 1024;
const SECTOR_BYTES = 512;
const NS_PER_S = 1e9;

const folder = temporaryFolder();
const told = new NaiveReceiver();
let options: ServeOptions;
let host: Namespace;
let machine: MachineInNamespace;
let server: ServerSpec;
let generation = 1;

beforeAll(async () => {
  const built = await buildGuest();
  host = await Namespace.make();
  const image = imageOf(built.disk, 'qcow2');
  const kernel = imageOf(built.kernel, 'aki');
  const ramdisk = imageOf(built.ramdisk, 'ari');
  server = serverOf(image, { kernel, ramdisk, kernel_command_line: KERNEL_COMMAND_LINE });
  const images = { [image.id]: built.disk, [kernel.id]: built.kernel, [ramdisk.id]: built.ramdisk };
  options = { stateDir: join(folder.path, 's'), mark: MARK, images, adminShell: true, bootId: 'boot-1' };
  machine = await MachineInNamespace.open(host.name, options);
  const network = networkOf('10.20.0.0/24');
  const group = groupOf();
  const port = portOf(network, 5, { server_id: server.id, security_groups: [group.id] });
  await machine.apply('network', network.id, network);
  await machine.apply('security-group', group.id, group);
  await machine.apply('port', port.id, port);
  await apply({ power: 'on', ports: [port.id] });
});
afterAll(async () => {
  await machine.kill();
  await teardownIn(host.name, options);
  await host.close();
  folder.remove();
});

const apply = (change: Partial<ServerSpec>) => {
  server = { ...server, ...change };
  return machine.apply('server', server.id, server, generation++);
};
const pidOf = (): number =>
  JSON.parse(readFileSync(join(options.stateDir, 'guests', server.id, 'guest.json'), 'utf8')).process.pid;
const inGuest = (command: string) =>
  runInGuest(`/proc/${pidOf()}/cwd/run/ttyS1`, command, { timeout_ms: BOOT_MS }).then((result) => result.output.trim());
const booted = () =>
  eventually(
    'a boot',
    async () => {
      const said = { method: 'query', operation: 'console', id: server.id, args: { length_lines: null } } as const;
      const { output } = await machine.call<{ output: string }>(said);
      if (process.env.SHOW) console.log(output.slice(-300), await inGuest.length);
      return output.includes('ready hostname=');
    },
    BOOT_MS,
  );

/** Takes a sample, and keeps it. @returns the guest's part of it, its meters together */
async function sample(): Promise<Record<string, number>> {
  const samples = await machine.collect();
  told.take(samples);
  await machine.kept();
  return Object.assign({}, ...samples.filter((one) => one.id === server.id).map((one) => one.values));
}
/** Of its disk, as the guest's own kernel counts: requests and bytes read, and written. */
async function countsInGuest(): Promise<number[]> {
  const [reads, , readSectors, , writes, , writtenSectors] = (await inGuest('cat /sys/block/vda/stat'))
    .split(/\s+/)
    .map(Number);
  return [reads, (readSectors ?? 0) * SECTOR_BYTES, writes, (writtenSectors ?? 0) * SECTOR_BYTES].map(Number);
}
const disk = (of: Record<string, number>) =>
  ['disk.read.requests', 'disk.read.bytes', 'disk.write.requests', 'disk.write.bytes'].map((meter) => of[meter] ?? 0);
const less = (after: number[], before: number[]) => after.map((value, index) => value - (before[index] ?? 0));

it('is what the guest itself counts of its disk', async () => {
  await booted();
  // Nothing is written but what is asked for here.
  await inGuest('sync; sleep 1');
  const [before, own] = [await sample(), await countsInGuest()];
  await inGuest('dd if=/dev/zero of=/meter bs=64k count=32 2>/dev/null; sync; echo 3 >/proc/sys/vm/drop_caches');
  await inGuest('cat /meter >/dev/null; sync');
  const [after, ownAfter] = [await sample(), await countsInGuest()];
  const moved = less(disk(after), disk(before));
  expect(moved).toEqual(less(ownAfter, own));
  expect(moved[1]).toBeGreaterThanOrEqual(2 * MIB);
  expect(moved[3]).toBeGreaterThanOrEqual(2 * MIB);
});

it('is the time that its process had, and the memory that it has', async () => {
  const before = await sample();
  await inGuest(
    'end=$(( $(cut -d. -f1 /proc/uptime) + 3 )); while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do :; done',
  );
  const after = await sample();
  const spent = (after['cpu.time'] ?? 0) - (before['cpu.time'] ?? 0);
  expect(spent).toBeGreaterThan(0.2 * NS_PER_S);
  expect(after['memory.usage']).toBeGreaterThan(32 * MIB);
  expect(after['memory.usage']).toBeLessThan(2048 * MIB);
});

it('goes on in its epoch when the runner ends, and a guest that hangs costs its own meters alone', async () => {
  await machine.kill();
  machine = await MachineInNamespace.open(host.name, options);
  await sample();
  expect(told.epochs(server.id, 'disk.read.bytes')).toBe(1);
  process.kill(pidOf(), 'SIGSTOP');
  try {
    const hung = await sample();
    expect(Object.keys(hung).sort()).toEqual(['cpu.time', 'memory.usage']);
  } finally {
    process.kill(pidOf(), 'SIGCONT');
  }
  await eventually('its monitor', async () => 'disk.read.bytes' in (await sample()));
});

it('is read a last time when it is turned off, and begins from zero when it is turned on', async () => {
  await inGuest('dd if=/dev/zero of=/meter bs=64k count=16 2>/dev/null; sync');
  const writtenBefore = told.sum(server.id, 'disk.write.bytes');
  await booted();
  expect(await apply({ power: 'off' })).toEqual({ state: 'stopped' });
  const last = await sample();
  expect(told.sum(server.id, 'disk.write.bytes') - writtenBefore).toBeGreaterThanOrEqual(MIB);
  expect(await sample()).toEqual({});
  await apply({ power: 'on' });
  const first = await sample();
  expect(first['cpu.time']).toBeLessThan(last['cpu.time'] ?? 0);
  expect(told.epochs(server.id, 'cpu.time')).toBe(2);
  expect(told.epochs(server.id, 'disk.write.bytes')).toBe(2);
});
