import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Cgroups, limitFiles, parseHierarchies, parseMounts } from './cgroups.ts';

const limits = { cpu_milli: 1500, memory_bytes: 1024, pids: 7 };

it('writes the limits of either version', () => {
  expect(limitFiles(2, ['cpu', 'memory', 'pids'], limits)).toEqual([
    ['cpu.max', '150000 100000'],
    ['memory.max', '1024'],
    ['pids.max', '7'],
  ]);
  expect(limitFiles(1, ['cpu'], limits)).toEqual([
    ['cpu.cfs_period_us', '100000'],
    ['cpu.cfs_quota_us', '150000'],
  ]);
});

it('finds controllers among mounts', () => {
  const text = [
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw',
    'garbage',
  ].join('\n');
  expect(parseMounts(text)).toEqual([
    { type: 'cgroup', path: '/sys/fs/cgroup/cpu,cpuacct', options: ['rw', 'cpu', 'cpuacct'] },
    { type: 'cgroup2', path: '/sys/fs/cgroup/unified', options: ['rw'] },
  ]);
});

it('knows which controllers are mounted together', () => {
  const text =
    '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\ncpuacct\t1\t1\t1\nmemory\t4\t2\t1\npids\t0\t1\t1\nblkio\t2\t1\t0\n';
  expect(parseHierarchies(text)).toEqual([['cpu', 'cpuacct'], ['memory']]);
});

it('has no groups where none can be made, and says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aerocgroups-'));
  try {
    writeFileSync(join(folder, 'file'), '');
    const { cgroups, reason } = await Cgroups.open({ version: 2, root: join(folder, 'file') }, 'ae');
    expect(reason).toContain('ENOTDIR');
    expect(cgroups.controllers).toEqual([]);
    await cgroups.put('guest', process.pid, limits);
    await cgroups.remove('guest');
    expect((await Cgroups.open({ version: 0 }, 'ae')).reason).toBe('no controllers are mounted');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('turns the controllers on for the groups below, in version 2', async () => {
  const root = mkdtempSync(join(tmpdir(), 'aerocgroups-'));
  try {
    mkdirSync(join(root, 'ae'));
    await new Cgroups({ version: 2, root }, 'ae').put('guest', 77, limits);
    expect(readFileSync(join(root, 'ae', 'cgroup.subtree_control'), 'utf8')).toBe('+cpu +memory +pids');
    expect(readFileSync(join(root, 'ae', 'guest', 'memory.max'), 'utf8')).toBe('1024');
    expect(readFileSync(join(root, 'ae', 'guest', 'cgroup.procs'), 'utf8')).toBe('77');
  } finally {
    rmSync(root, { recursive: true });
  }
});
