import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Random } from '../../network/ipam/random.ts';
import type { Host, Need } from './filters.ts';
import { pickHost } from './pick-host.ts';
import { weigh } from './weighers.ts';

const NOW_MS = 1_000_000;
const host = (of: Partial<Host> = {}): Host => ({
  id: 'h',
  name: 'h',
  zone: 'nova',
  state: 'enabled',
  connected: true,
  leaseExpiresAtMs: NOW_MS + 1,
  vcpusFree: 4,
  memoryMibFree: 4096,
  diskGibFree: 40,
  hypervisor: 'qemu',
  capabilities: [],
  aggregates: [],
  tunnelIp: null,
  physicalNetworks: [],
  ...of,
});
const need = (of: Partial<Need> = {}): Need => ({
  vcpus: 1,
  memoryMib: 512,
  diskGib: 1,
  zone: null,
  host: null,
  within: null,
  without: new Set(),
  group: null,
  demands: [],
  ...of,
});
const first: Random = { below: () => 0 };
const pick = (hosts: Host[], wanted = need(), attempt = 0, random = first) =>
  pickHost(hosts, wanted, { nowMs: NOW_MS, attempt, random });

const anyHost = fc.record({
  id: fc.uuid(),
  name: fc.string(),
  zone: fc.constantFrom('a', 'b'),
  state: fc.constantFrom('enabled' as const, 'draining' as const, 'disabled' as const),
  connected: fc.boolean(),
  leaseExpiresAtMs: fc.option(fc.integer({ min: NOW_MS - 5, max: NOW_MS + 5 })),
  vcpusFree: fc.integer({ min: -2, max: 64 }),
  memoryMibFree: fc.integer({ min: -1024, max: 65_536 }),
  diskGibFree: fc.integer({ min: -1, max: 1000 }),
  hypervisor: fc.constantFrom('qemu', null),
  capabilities: fc.array(fc.constantFrom('arch:x86_64', 'arch:aarch64', 'accelerator:kvm')),
  aggregates: fc.array(fc.record({ ssd: fc.constantFrom('true', 'false') })),
  tunnelIp: fc.constantFrom('192.0.2.1', null),
  physicalNetworks: fc.constantFrom([], ['racks']),
});
const anyNeed = fc.record({
  vcpus: fc.integer({ min: 1, max: 64 }),
  memoryMib: fc.integer({ min: 1, max: 65_536 }),
  diskGib: fc.integer({ min: 0, max: 1000 }),
  zone: fc.option(fc.constantFrom('a', 'b')),
});
const below = (limit: number) => limit - 1;

describe('pickHost', () => {
  it('never hands out more than is free, nor a host that is not there to be used', () => {
    fc.assert(
      fc.property(fc.array(anyHost), anyNeed, fc.nat(10), (hosts, wanted, attempt) => {
        const picked = pick(hosts, need(wanted), attempt, { below });
        if (!('host' in picked)) return;
        const { host: chosen } = picked;
        expect(chosen.vcpusFree).toBeGreaterThanOrEqual(wanted.vcpus);
        expect(chosen.memoryMibFree).toBeGreaterThanOrEqual(wanted.memoryMib);
        expect(chosen.diskGibFree).toBeGreaterThanOrEqual(wanted.diskGib);
        expect([chosen.state, chosen.connected]).toEqual(['enabled', true]);
        expect(chosen.leaseExpiresAtMs).toBeGreaterThan(NOW_MS);
        expect(wanted.zone === null || wanted.zone === chosen.zone).toBe(true);
      }),
    );
  });

  it('fills hosts to the last place and then refuses, whatever the sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 8 }), fc.nat(60), (rooms, wanted) => {
        const hosts = rooms.map((room, index) => host({ id: `h${index}`, vcpusFree: room }));
        let placed = 0;
        for (let made = 0; made < wanted; made++) {
          const picked = pick(hosts);
          if (!('host' in picked)) break;
          picked.host.vcpusFree -= 1;
          picked.host.memoryMibFree -= 1;
          placed += 1;
        }
        const total = rooms.reduce((sum, room) => sum + room, 0);
        expect(placed).toBe(Math.min(wanted, total));
        expect(hosts.every(({ vcpusFree }) => vcpusFree >= 0)).toBe(true);
      }),
    );
  });

  it('accounts for every host in a refusal', () => {
    fc.assert(
      fc.property(fc.array(anyHost, { minLength: 1 }), (hosts) => {
        const picked = pick(hosts, need({ vcpus: 1000 }));
        if (!('refusal' in picked)) throw new Error('no host has a thousand vCPUs');
        const [, listed = ''] = /: (.*)\.$/.exec(picked.refusal) ?? [];
        const counted = listed.split(', ').reduce((sum, part) => sum + Number.parseInt(part, 10), 0);
        expect(counted).toBe(hosts.length);
      }),
    );
  });

  it('says which filter refused how many', () => {
    const hosts = [
      host({ state: 'disabled' }),
      host({ memoryMibFree: 256 }),
      host({ memoryMibFree: 0 }),
      host({ leaseExpiresAtMs: NOW_MS }),
      host({ connected: false }),
      host({ zone: 'other' }),
    ];
    expect(pick(hosts, need({ zone: 'nova' }))).toEqual({
      refusal:
        'No valid host was found. 6 hosts: 1 disabled, 2 too little memory (need 512 MiB), 2 not connected, 1 not in zone nova.',
    });
    expect(pick([])).toEqual({ refusal: 'No valid host was found. No host has joined this region yet.' });
  });

  it('keeps to the hosts that hints leave', () => {
    const hosts = [host({ id: 'a' }), host({ id: 'b' })];
    expect(pick(hosts, need({ without: new Set(['a']) }))).toMatchObject({ host: { id: 'b' } });
    expect(pick(hosts, need({ within: new Set(['b']) }))).toMatchObject({ host: { id: 'b' } });
    expect(pick(hosts, need({ within: new Set() }))).toMatchObject({ refusal: /2 against the scheduler hints/ });
  });

  it('takes the best at first and chooses among more with each race lost', () => {
    const hosts = [1, 2, 3, 4].map((vcpusFree) => host({ id: `h${vcpusFree}`, vcpusFree }));
    const last = (attempt: number) => pick(hosts, need(), attempt, { below });
    expect(last(0)).toMatchObject({ host: { id: 'h4' } });
    expect(last(1)).toMatchObject({ host: { id: 'h3' } });
    expect(last(5)).toMatchObject({ host: { id: 'h1' } });
  });

  it('looks at each host a bounded number of times', () => {
    let looks = 0;
    const watched = (index: number) =>
      new Proxy(host({ id: `h${index}` }), {
        get: (target, member) => {
          looks += 1;
          return Reflect.get(target, member);
        },
      });
    const looksAt = (count: number) => {
      looks = 0;
      pick(Array.from({ length: count }, (_, index) => watched(index)));
      return looks;
    };
    const perHost = looksAt(100) / 100;
    expect(looksAt(1000) / 1000).toBeLessThanOrEqual(perHost);
  });
});

describe('a server group', () => {
  const group = (policy: 'affinity' | 'anti-affinity', hosts: [string, number][], perHostMax = 1) =>
    need({ group: { id: 'g', policy, perHostMax, hosts: new Map(hosts) } });
  const hosts = [host({ id: 'a' }), host({ id: 'b' })];
  const chosen = (wanted: Need) => {
    const picked = pick(hosts, wanted);
    return 'host' in picked ? picked.host.id : picked.refusal;
  };

  it('with affinity goes where its first server is', () => {
    expect(chosen(group('affinity', []))).toBe('a');
    expect(chosen(group('affinity', [['b', 3]]))).toBe('b');
    expect(chosen(group('affinity', [['gone', 1]]))).toBe(
      'No valid host was found. 2 hosts: 2 against the policy affinity of the server group.',
    );
  });

  it('with anti-affinity takes no host for more than the rule says', () => {
    expect(chosen(group('anti-affinity', [['a', 1]]))).toBe('b');
    expect(
      chosen(
        group(
          'anti-affinity',
          [
            ['a', 2],
            ['b', 1],
          ],
          2,
        ),
      ),
    ).toBe('b');
    expect(
      chosen(
        group('anti-affinity', [
          ['a', 1],
          ['b', 1],
        ]),
      ),
    ).toContain('2 against the policy anti-affinity');
  });
});

describe('weigh', () => {
  it('puts the host with most room first, each resource counting alike', () => {
    const small = host({ id: 'small', vcpusFree: 1, memoryMibFree: 1024 });
    const large = host({ id: 'large', vcpusFree: 8, memoryMibFree: 8192 });
    expect(weigh([small, large], need()).map(({ id }) => id)).toEqual(['large', 'small']);
  });

  it.each([
    ['soft-affinity', ['full', 'free']],
    ['soft-anti-affinity', ['free', 'full']],
  ] as const)('heeds the policy %s of a group before all that is free', (policy, order) => {
    const full = host({ id: 'full', vcpusFree: 1, memoryMibFree: 512, diskGibFree: 1 });
    const free = host({ id: 'free', vcpusFree: 100, memoryMibFree: 99_999, diskGibFree: 999 });
    const group = { id: 'g', policy, perHostMax: 1, hosts: new Map([['full', 2]]) };
    expect(weigh([full, free], need({ group })).map(({ id }) => id)).toEqual(order);
    expect(weigh([free, full], need({ group })).map(({ id }) => id)).toEqual(order);
  });
});
