import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

interface Hypervisor {
  id: string | number;
  [member: string]: unknown;
}

describe('hypervisors', () => {
  it('are the machines, with what is taken of them', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    const id = await cloud.addRunner({ name: 'alpha', guests: 1 });
    await cloud.addRunner({ name: 'beta', state: 'disabled', stateReason: 'repair', leaseExpiresAtMs: 1 });
    const server = await cloud.create();
    const { hypervisors } = await cloud.answer<{ hypervisors: Hypervisor[] }>('GET', '/os-hypervisors/detail', {
      as,
      version: '2.53',
    });
    expect(hypervisors).toMatchObject([
      {
        id,
        hypervisor_hostname: 'alpha',
        state: 'up',
        status: 'enabled',
        hypervisor_type: 'SIMULATED',
        vcpus: 10,
        vcpus_used: 1,
        memory_mb_used: 512,
        local_gb_used: 1,
        running_vms: 1,
        cpu_info: {},
        service: { host: 'alpha', id, disabled_reason: null },
      },
      { hypervisor_hostname: 'beta', state: 'down', status: 'disabled', service: { disabled_reason: 'repair' } },
    ]);
    const brief = await cloud.answer<{ hypervisors: Hypervisor[] }>('GET', '/os-hypervisors', { as });
    expect(brief.hypervisors[0]).toEqual({
      id: expect.any(Number),
      hypervisor_hostname: 'alpha',
      state: 'up',
      status: 'enabled',
    });
    const one = await cloud.answer<{ hypervisor: Hypervisor }>('GET', `/os-hypervisors/${brief.hypervisors[0]?.id}`, {
      as,
    });
    expect(one.hypervisor).toMatchObject({ hypervisor_hostname: 'alpha', cpu_info: '' });
    const uptime = (of: string | number, version = '2.1') =>
      cloud.call('GET', `/os-hypervisors/${of}/uptime`, { as, version });
    // No runner is behind this row: it does not answer.
    expect((await uptime(brief.hypervisors[0]?.id ?? '')).status).toBe(400);
    expect((await uptime('0')).status).toBe(404);
    expect((await uptime(id, '2.88')).status).toBe(404);
    const newest = await cloud.answer<{ hypervisor: Hypervisor }>('GET', `/os-hypervisors/${id}?with_servers=true`, {
      as,
      version: '2.88',
    });
    const { number } = await cloud.row(server);
    expect(newest.hypervisor).toMatchObject({
      uptime: null,
      servers: [{ uuid: server, name: `instance-${number.toString(16).padStart(8, '0')}` }],
    });
    expect(newest.hypervisor).not.toHaveProperty('vcpus');
  });

  it('are found by name, and paged', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    const [first] = [await cloud.addRunner({ name: 'a-1' }), await cloud.addRunner({ name: 'b-1' })];
    const names = async (path: string, version: string) =>
      (await cloud.answer<{ hypervisors: Hypervisor[] }>('GET', path, { as, version })).hypervisors.map(
        (one) => one.hypervisor_hostname,
      );
    expect(await names('/os-hypervisors?hypervisor_hostname_pattern=b-', '2.53')).toEqual(['b-1']);
    expect(await names('/os-hypervisors/b-/search', '2.52')).toEqual(['b-1']);
    expect(await names('/os-hypervisors/a-1/servers', '2.52')).toEqual(['a-1']);
    expect(await names(`/os-hypervisors?limit=5&marker=${first}`, '2.53')).toEqual(['b-1']);
    const status = async (path: string, version: string) => (await cloud.call('GET', path, { as, version })).status;
    expect(await status('/os-hypervisors/b-/search', '2.53')).toBe(404);
    expect(await status('/os-hypervisors?hypervisor_hostname_pattern=none', '2.53')).toBe(404);
    expect(await status('/os-hypervisors?hypervisor_hostname_pattern=a&limit=1', '2.53')).toBe(400);
    expect(await status('/os-hypervisors?marker=none', '2.53')).toBe(400);
    expect(await status('/os-hypervisors/none', '2.53')).toBe(400);
    expect(await status('/os-hypervisors/none', '2.52')).toBe(404);
    expect(await status(`/os-hypervisors/${crypto.randomUUID()}`, '2.53')).toBe(404);
    expect(await status('/os-hypervisors/statistics', '2.88')).toBe(404);
    const { hypervisor_statistics: sums } = await cloud.answer<{ hypervisor_statistics: object }>(
      'GET',
      '/os-hypervisors/statistics',
      { as },
    );
    expect(sums).toMatchObject({ count: 2, vcpus: 20, memory_mb: 10_240 });
  });

  it('are for operators', async () => {
    const cloud = await ComputeCloud.open();
    for (const path of [
      '/os-hypervisors',
      '/os-hypervisors/detail',
      '/os-hypervisors/statistics',
      '/os-services',
      '/os-availability-zone/detail',
    ]) {
      expect([path, (await cloud.call('GET', path)).status]).toEqual([path, 403]);
    }
  });
});

describe('services', () => {
  it('are enabled and disabled, and then take no new servers', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    const id = await cloud.addRunner({ name: 'alpha' });
    const list = async (query = '') =>
      (await cloud.answer<{ services: object[] }>('GET', `/os-services${query}`, { as, version: '2.53' })).services;
    expect(await list()).toEqual([
      {
        id,
        binary: 'nova-compute',
        host: 'alpha',
        zone: 'nova',
        status: 'enabled',
        state: 'up',
        updated_at: expect.any(String),
        disabled_reason: null,
        forced_down: false,
      },
    ]);
    expect(await list('?host=beta')).toEqual([]);
    expect(await list('?binary=nova-conductor')).toEqual([]);
    const body = { status: 'disabled', disabled_reason: 'new disks' };
    const put = await cloud.answer('PUT', `/os-services/${id}`, { as, version: '2.53', body });
    expect(put).toMatchObject({ service: { status: 'disabled', disabled_reason: 'new disks' } });
    expect((await cloud.show(await cloud.create())).fault?.message).toContain('1 host: 1 disabled');
    const enable = { host: 'alpha', binary: 'nova-compute' };
    expect(await cloud.answer('PUT', '/os-services/enable', { as, body: enable })).toEqual({
      service: { ...enable, status: 'enabled' },
    });
    expect((await cloud.show(await cloud.create())).status).toBe('BUILD');
    const wrong: [string, string, object, number][] = [
      [`/os-services/${id}`, '2.53', {}, 400],
      [`/os-services/${id}`, '2.53', { status: 'enabled', disabled_reason: 'x' }, 400],
      [`/os-services/${id}`, '2.53', { forced_down: 'maybe' }, 400],
      ['/os-services/force-down', '2.10', { ...enable, forced_down: true }, 404],
      ['/os-services/force-down', '2.11', enable, 400],
      [`/os-services/${crypto.randomUUID()}`, '2.53', { status: 'enabled' }, 404],
      ['/os-services/enable', '2.1', { host: 'none', binary: 'nova-compute' }, 404],
      ['/os-services/enable', '2.1', { host: 'alpha', binary: 'nova-scheduler' }, 400],
      ['/os-services/disable-log-reason', '2.1', enable, 400],
      ['/os-services/nonsense', '2.1', enable, 404],
    ];
    for (const [path, version, sent, status] of wrong) {
      expect([path, sent, (await cloud.call('PUT', path, { as, version, body: sent })).status]).toEqual([
        path,
        sent,
        status,
      ]);
    }
  });
});

describe('a service', () => {
  it('that an operator forced down is down, whatever it says, and takes no new servers', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    const id = await cloud.addRunner({ name: 'alpha' });
    const server = await cloud.create();
    const body = { host: 'alpha', binary: 'nova-compute', forced_down: true };
    expect(await cloud.answer('PUT', '/os-services/force-down', { as, version: '2.11', body })).toEqual({
      service: body,
    });
    expect(await cloud.answer('GET', '/os-services', { as, version: '2.53' })).toMatchObject({
      services: [{ id, state: 'down', status: 'enabled', forced_down: true }],
    });
    expect(await cloud.answer('GET', '/os-hypervisors', { as })).toMatchObject({ hypervisors: [{ state: 'down' }] });
    expect(await cloud.show(server, as)).toMatchObject({ host_status: 'DOWN' });
    expect((await cloud.show(await cloud.create())).fault?.message).toContain('1 host: 1 not connected');
    const up = { as, version: '2.53', body: { forced_down: false } };
    expect(await cloud.answer('PUT', `/os-services/${id}`, up)).toMatchObject({
      service: { state: 'up', status: 'enabled', forced_down: false },
    });
    expect((await cloud.show(await cloud.create())).status).toBe('BUILD');
  });

  it('is forgotten when it holds no servers', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    const id = await cloud.addRunner({ name: 'alpha' });
    const of = { as, version: '2.53' };
    const server = await cloud.create();
    expect((await cloud.call('DELETE', `/os-services/${id}`, of)).status).toBe(409);
    await cloud.answer('DELETE', `/servers/${server}`, { status: 204 });
    await cloud.observe(server, { state: 'absent' });
    expect((await cloud.call('DELETE', `/os-services/${id}`)).status).toBe(403);
    await cloud.answer('DELETE', `/os-services/${id}`, { ...of, status: 204 });
    expect((await cloud.call('DELETE', `/os-services/${id}`, of)).status).toBe(404);
    expect(await cloud.answer('GET', '/os-services', of)).toEqual({ services: [] });
  });
});

describe('hosts', () => {
  it('are the machines as Nova’s oldest operators knew them', async () => {
    const cloud = await ComputeCloud.open();
    const as = cloud.admin;
    await cloud.addRunner({ name: 'alpha', zone: 'a' });
    await cloud.addRunner({ name: 'beta', zone: 'b' });
    await cloud.create({ availability_zone: 'a' });
    const alpha = { host_name: 'alpha', service: 'compute', zone: 'a' };
    expect(await cloud.answer('GET', '/os-hosts', { as })).toEqual({
      hosts: [alpha, { host_name: 'beta', service: 'compute', zone: 'b' }],
    });
    expect(await cloud.answer('GET', '/os-hosts?zone=a', { as })).toEqual({ hosts: [alpha] });
    const used = { cpu: 1, memory_mb: 512, disk_gb: 1, host: 'alpha' };
    expect(await cloud.answer('GET', '/os-hosts/alpha', { as })).toEqual({
      host: [
        { resource: { project: '(total)', cpu: 10, memory_mb: 5120, disk_gb: 10, host: 'alpha' } },
        { resource: { project: '(used_now)', ...used } },
        { resource: { project: '(used_max)', ...used } },
        { resource: { project: cloud.user.projectId, ...used } },
      ],
    });
    const put = (name: string, body: object) => cloud.call('PUT', `/os-hosts/${name}`, { as, body });
    expect(await (await put('alpha', { status: 'disable' })).json()).toEqual({ host: 'alpha', status: 'disabled' });
    expect(await cloud.answer('GET', '/os-hosts?zone=a', { as })).toEqual({ hosts: [] });
    expect((await put('alpha', {})).status).toBe(400);
    expect((await put('alpha', { status: 'odd' })).status).toBe(400);
    expect((await put('none', { status: 'enable' })).status).toBe(404);
    expect((await put('alpha', { maintenance_mode: 'enable' })).status).toBe(501);
    for (const verb of ['startup', 'shutdown', 'reboot']) {
      expect((await cloud.call('GET', `/os-hosts/alpha/${verb}`, { as })).status).toBe(501);
      expect((await cloud.call('GET', `/os-hosts/none/${verb}`, { as })).status).toBe(404);
      expect((await cloud.call('GET', `/os-hosts/alpha/${verb}`)).status).toBe(403);
    }
    expect((await cloud.call('GET', '/os-hosts')).status).toBe(403);
    expect((await cloud.call('GET', '/os-hosts/alpha')).status).toBe(403);
    expect((await cloud.call('PUT', '/os-hosts/alpha', { body: { status: 'enable' } })).status).toBe(403);
    expect((await cloud.call('GET', '/os-hosts', { as, version: '2.43' })).status).toBe(404);
  });
});

describe('zones', () => {
  it('are those of the machines', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ name: 'alpha', zone: 'b' });
    await cloud.addRunner({ zone: 'a', state: 'disabled' });
    expect(await cloud.answer('GET', '/os-availability-zone')).toEqual({
      availabilityZoneInfo: [
        { zoneName: 'b', zoneState: { available: true }, hosts: null },
        { zoneName: 'a', zoneState: { available: false }, hosts: null },
      ],
    });
    expect(await cloud.answer('GET', '/os-availability-zone/detail', { as: cloud.admin })).toMatchObject({
      availabilityZoneInfo: [
        { zoneName: 'b', hosts: { alpha: { 'nova-compute': { available: true, active: true } } } },
        { zoneName: 'a', hosts: null },
      ],
    });
  });
});
