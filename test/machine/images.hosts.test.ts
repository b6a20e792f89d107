import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRef } from '../../shared/specs/server.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { runInGuest } from '../guest/guest-shell.ts';
import { MachineInNamespace, type ServeOptions, teardownIn } from './machine-in-namespace.ts';
import { eventually, Namespace, temporaryFolder } from './namespaces.ts';
import { imageOf, serverOf } from './specs.ts';

/* What can go wrong between an image at the edge and a guest's disk. No guest here gets far enough to boot. */

const MARK = 'aeimg';
const MIB = 1024 * 1024;

const folder = temporaryFolder();
const files = join(folder.path, 'files');
/** So small that it fills up. */
const stateDir = join(folder.path, 'state');
let options: ServeOptions;
let host: Namespace;
let machine: MachineInNamespace;

beforeAll(async () => {
  mkdirSync(files);
  mkdirSync(stateDir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', stateDir]);
  host = await Namespace.make();
  options = { stateDir, mark: MARK, images: {}, imageCacheBytesMax: 12 * MIB, adminShell: true };
});

afterAll(async () => {
  await teardownIn(host.name, options);
  await host.close();
  execFileSync('umount', [stateDir]);
  folder.remove();
});

function makeFile(name: string, size_mib: number, fill = 7): string {
  const path = join(files, name);
  writeFileSync(path, Buffer.alloc(size_mib * MIB, fill));
  return path;
}

function offer(path: string, format: ImageRef['disk_format'] = 'raw'): ImageRef {
  const image = imageOf(path, format);
  options.images[image.id] = path;
  return image;
}

async function withMachine<T>(task: () => Promise<T>): Promise<T> {
  machine = await MachineInNamespace.open(host.name, options);
  try {
    return await task();
  } finally {
    await machine.kill();
  }
}

const faults = (...list: Record<string, unknown>[]) =>
  machine.call<number>({ method: 'faults', args: { faults: list } });
const cached = () => readdirSync(join(stateDir, 'images')).filter((name) => !name.endsWith('.json'));
const create = async (image: ImageRef, change = {}) => {
  const server = serverOf(image, change);
  const outcome = machine.apply('server', server.id, server);
  return outcome.finally(() => machine.remove('server', server.id));
};

describe('an image', () => {
  it('whose download breaks goes on where it broke', async () => {
    const image = offer(makeFile('broken', 6));
    await withMachine(async () => {
      await faults({ breakAfterBytes: 1 }, { breakAfterBytes: 2 * MIB });
      expect(await create(image)).toEqual({ state: 'running' });
      expect(await faults()).toBe(3);
    });
    expect(cached()).toContain(image.sha256);
  });

  it('that is corrupt is refused and removed, and fetched whole the next time', async () => {
    const image = offer(makeFile('corrupt', 2, 1));
    await withMachine(async () => {
      await faults({ corrupt: true });
      await expect(create(image)).rejects.toThrow(`Image ${image.id} is corrupt: its SHA-256 is`);
      expect(cached().filter((name) => name.startsWith(image.sha256))).toEqual([]);
      expect(await create(image)).toEqual({ state: 'running' });
    });
  });

  it('that went bad in the cache is fetched anew', async () => {
    const image = offer(makeFile('rotten', 2, 2));
    await withMachine(async () => {
      expect(await create(image)).toEqual({ state: 'running' });
      const path = join(stateDir, 'images', image.sha256);
      const good = readFileSync(path);
      writeFileSync(path, Buffer.alloc(good.length, 9));
      expect(await faults()).toBe(1);
      expect(await create(image)).toEqual({ state: 'running' });
      expect(await faults()).toBe(2);
      expect(readFileSync(path)).toEqual(good);
    });
  });

  it('that several guests want at once is fetched once', async () => {
    const image = offer(makeFile('shared', 2, 3));
    await withMachine(async () => {
      const servers = [serverOf(image), serverOf(image), serverOf(image)];
      await Promise.all(servers.map((server) => machine.apply('server', server.id, server)));
      expect(await faults()).toBe(1);
      expect(statSync(join(stateDir, 'images', image.sha256)).nlink).toBe(1 + servers.length);
      await Promise.all(servers.map((server) => machine.remove('server', server.id)));
    });
  });

  it('that nobody has used the longest goes when the cache is full, never one in use', async () => {
    const used = offer(makeFile('used', 5, 4));
    const idle = offer(makeFile('idle', 5, 5));
    const fresh = offer(makeFile('fresh', 8, 6));
    await withMachine(async () => {
      const user = serverOf(used);
      await machine.apply('server', user.id, user);
      await create(idle);
      await create(fresh);
      expect(cached()).toContain(used.sha256);
      expect(cached()).toContain(fresh.sha256);
      expect(cached()).not.toContain(idle.sha256);
      await machine.remove('server', user.id);
    });
  });

  it('that does not fit on the disk is a fault that says so, and leaves nothing behind', async () => {
    const large = offer(makeFile('large', 230));
    const image = offer(makeFile('late', 30, 8));
    await withMachine(async () => {
      await expect(create(large)).rejects.toThrow(`No space is left on the machine for image ${large.id}`);
      expect(cached().filter((name) => name.startsWith(large.sha256))).toEqual([]);
      // The disk fills up while the image comes: it breaks off until then.
      const filler = join(stateDir, 'filler');
      await faults({ breakAfterBytes: 1 }, { breakAfterBytes: 1 }, { breakAfterBytes: 1 });
      const failed = expect(create(image)).rejects.toThrow('No space is left on the machine');
      await eventually('its beginning', async () => cached().includes(`${image.sha256}.part`));
      // More than there is: it takes what there is.
      expect(() => writeFileSync(filler, Buffer.alloc(220 * MIB))).toThrow('ENOSPC');
      await failed;
      expect(cached().filter((name) => name.startsWith(image.sha256))).toEqual([]);
      const server = serverOf(image);
      await expect(machine.apply('server', server.id, server)).rejects.toThrow('No space is left on the machine');
      execFileSync('rm', [filler]);
    });
  });

  it('that names other files, or is not what it says, is refused', async () => {
    const base = makeFile('base', 1);
    const chained = join(files, 'chained.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, chained]);
    const split = join(files, 'split.qcow2');
    execFileSync('qemu-img', [
      'create',
      '-q',
      '-f',
      'qcow2',
      '-o',
      `data_file=${join(files, 'data')},data_file_raw=on`,
      split,
      '1M',
    ]);
    const [chain, data, junk] = [offer(chained, 'qcow2'), offer(split, 'qcow2'), offer(base, 'qcow2')];
    await withMachine(async () => {
      await expect(create(chain)).rejects.toThrow('it has a backing file');
      await expect(create(data)).rejects.toThrow(/data file|not a usable/);
      await expect(create(junk)).rejects.toThrow('not a usable qcow2 image');
    });
  });

  it("larger than the flavor's disk is refused", async () => {
    const wide = join(files, 'wide.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', wide, '3G']);
    const image = offer(wide, 'qcow2');
    await withMachine(async () => {
      await expect(create(image, { disk_gib: 2 })).rejects.toThrow("Flavor's disk is too small for requested image");
      const server = serverOf(image, { disk_gib: 0, power: 'on' as const });
      await machine.apply('server', server.id, server);
      const disk = join(stateDir, 'guests', server.id, 'disk.qcow2');
      const info = JSON.parse(execFileSync('qemu-img', ['info', '-U', '--output=json', disk]).toString());
      expect(info['virtual-size']).toBe(3 * 1024 ** 3);
      await machine.remove('server', server.id);
      expect(existsSync(disk)).toBe(false);
    });
  });
});

describe('a guest', () => {
  it('that fills the disk of the machine halts, says so, and goes on when there is room again', async () => {
    const built = await buildGuest();
    const [image, kernel, ramdisk] = [
      offer(built.disk, 'qcow2'),
      offer(built.kernel, 'aki'),
      offer(built.ramdisk, 'ari'),
    ];
    const server = serverOf(image, { kernel, ramdisk, kernel_command_line: 'console=ttyS0 quiet net.ifnames=0' });
    const shell = join(stateDir, 'guests', server.id, 'run', 'ttyS1');
    const filler = join(stateDir, 'filler');
    await withMachine(async () => {
      await machine.apply('server', server.id, server);
      await runInGuest(shell, 'true', { timeout_ms: 60_000 });
      expect(() => writeFileSync(filler, Buffer.alloc(220 * MIB))).toThrow('ENOSPC');
      const write = 'dd if=/dev/zero of=/dev/vda bs=1M seek=60 count=8 conv=fsync 2>/dev/null; echo $?';
      const written = runInGuest(shell, write, { timeout_ms: 60_000 });
      const halted = await eventually('the halt', async () => {
        const seen = await machine.observe('server', server.id);
        return seen?.fault && seen;
      });
      expect(halted).toMatchObject({ state: 'running', fault: { message: expect.stringContaining('Free space') } });
      execFileSync('rm', [filler]);
      expect((await written).output.trim()).toBe('0');
      expect(await machine.observe('server', server.id)).toEqual({ state: 'running', detail: { status: 'running' } });
      await machine.remove('server', server.id);
    });
  });
});
