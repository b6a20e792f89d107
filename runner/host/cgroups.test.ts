import { expect, it } from 'vitest';
import { limitFiles, parseHierarchies, parseMounts } from './cgroups.ts';

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
