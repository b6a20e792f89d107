import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cpuNsOf } from '../../runner/host/processes.ts';
import { NaiveReceiver } from '../../runner/testing/naive-receiver.ts';
import type { ServerSpec } from '../../shared/specs/server.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace, temporaryFolder } from './namespaces.ts';
import { imageOf, serverOf } from './specs.ts';

/* What a real guest uses. It is a boot sector: it reads and writes a known number of bytes, and then is busy for ever. */

const MARK = 'aegmet';
const MIB = 1024 * 1024;
const NS_PER_S = 1e9;
const SECTOR_BYTES = 512;
const ROUNDS = 200;
const SECTORS = 16;
const MOVED = ROUNDS * SECTORS * SECTOR_BYTES;
/** What its BIOS reads to find out how to boot. */
const BIOS_BYTES_MAX = 64 * 1024;

const folder = temporaryFolder();
const told = new NaiveReceiver();
let options: ServeOptions;
let host: Namespace;
let machine: MachineInNamespace;
let server: ServerSpec;
let generation = 1;

/** A disk whose boot sector reads 16 sectors by the BIOS and writes them back, 200 times. */
function disk(): Buffer {
  const image = Buffer.alloc(MIB);
  const u16 = (value: number) => [value & 0xff, value >> 8];
  const packet = 0x7c40;
  const call = (what: number) => [0xbe, ...u16(packet), 0xb8, 0x00, what, 0xb2, 0x80, 0xcd, 0x13];
  // xor ax,ax; mov ds,ax; mov ss,ax; mov sp,0x7c00; mov cx,ROUNDS
  const begin = [0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xb9, ...u16(ROUNDS)];
  // push cx; int 13h: read, write; pop cx
  const round = [0x51, ...call(0x42), ...call(0x43), 0x59];
  // loop; jmp $
  const end = [0xe2, 0x100 - round.length - 2, 0xeb, 0xfe];
  image.set([...begin, ...round, ...end]);
  image.set([0x10, 0, ...u16(SECTORS), ...u16(0x8000), ...u16(0), 64, 0, 0, 0, 0, 0, 0, 0], packet - 0x7c00);
  image.set([0x55, 0xaa], SECTOR_BYTES - 2);
  return image;
}

beforeAll(async () => {
  host = await Namespace.make();
  const path = join(folder.path, 'boot-sector');
  writeFileSync(path, disk());
  const image = imageOf(path, 'raw');
  server = serverOf(image);
  const own = { stateDir: join(folder.path, 's'), mark: MARK, images: { [image.id]: path } };
  options = { ...own, bootId: 'boot-1', powerdownGrace_ms: 500 };
  machine = await MachineInNamespace.open(host.name, options);
  await apply({ power: 'on' });
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
const usedNs = async (): Promise<number> => cpuNsOf(readFileSync(`/proc/${pidOf()}/stat`, 'utf8'));

/** Takes a sample, and keeps it. @returns the guest's part of it, its meters together */
async function sample(): Promise<Record<string, number>> {
  const samples = await machine.collect();
  told.take(samples);
  await machine.kept();
  return Object.assign({}, ...samples.filter((one) => one.id === server.id).map((one) => one.values));
}
const written = () => told.sum(server.id, 'disk.write.bytes');
const hasWritten = (bytes: number) => eventually('all writes', async () => (await sample()) && written() >= bytes);

it('is exactly what it asked of its disk', async () => {
  await hasWritten(MOVED);
  const now = await sample();
  expect(now['disk.write.bytes']).toBe(MOVED);
  expect(now['disk.write.requests']).toBe(ROUNDS);
  const byBios = (now['disk.read.bytes'] ?? 0) - MOVED;
  expect(byBios).toBeGreaterThanOrEqual(SECTOR_BYTES);
  expect(byBios).toBeLessThan(BIOS_BYTES_MAX);
  expect(now['disk.read.requests']).toBeGreaterThan(ROUNDS);
});

it('is the time that its process had, and the memory that it has', async () => {
  const before = await sample();
  const busy = async () => ((await sample())['cpu.time'] ?? 0) - (before['cpu.time'] ?? 0) > NS_PER_S;
  const began = performance.now();
  await eventually('a second of its processor', busy);
  // One processor, and some of QEMU's own: no faster than time goes by twice.
  expect(performance.now() - began).toBeGreaterThan(400);
  expect(before['memory.usage']).toBeGreaterThan(16 * MIB);
  expect(before['memory.usage']).toBeLessThan(2048 * MIB);
});

it('goes on in its epoch when the runner ends, and a guest that hangs costs its own meters alone', async () => {
  await machine.kill();
  machine = await MachineInNamespace.open(host.name, options);
  await sample();
  expect(told.epochs(server.id, 'disk.read.bytes')).toBe(1);
  expect(written()).toBe(MOVED);
  process.kill(pidOf(), 'SIGSTOP');
  try {
    const hung = await sample();
    expect(Object.keys(hung).sort()).toEqual(['cpu.time', 'memory.usage']);
  } finally {
    process.kill(pidOf(), 'SIGCONT');
  }
  await eventually('its monitor', async () => 'disk.read.bytes' in (await sample()));
  expect(written()).toBe(MOVED);
});

it('is read a last time when it is turned off, and begins from zero when it is turned on', async () => {
  await apply({ power: 'off' });
  await sample();
  expect(await sample()).toEqual({});
  await apply({ power: 'on' });
  await hasWritten(2 * MOVED);
  const before = told.sum(server.id, 'cpu.time');
  await eventually(
    'a second of its processor',
    async () => (await sample())['cpu.time'] && told.sum(server.id, 'cpu.time') - before > NS_PER_S,
  );
  // It is busy until its end; what it used since the last sample is in no sample but the last reading.
  const known = told.sum(server.id, 'cpu.time');
  const used = await usedNs();
  await eventually('more of its processor', async () => (await usedNs()) - used > NS_PER_S / 2);
  await apply({ power: 'off' });
  await sample();
  expect(told.sum(server.id, 'cpu.time')).toBeGreaterThan(known);
  expect(written()).toBe(2 * MOVED);
  expect(told.epochs(server.id, 'cpu.time')).toBe(2);
  expect(told.epochs(server.id, 'disk.write.bytes')).toBe(2);
});
