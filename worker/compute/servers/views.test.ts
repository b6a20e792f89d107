import { describe, expect, it } from 'vitest';
import type { Rendering } from '../http/env.ts';
import type { ServerRow } from './server-rows.ts';
import { hostIdOf, serverView } from './views.ts';

const NOW_MS = Date.parse('2026-11-23T14:00:00.123Z');
const row: ServerRow = {
  id: '9f5b6a4e-0d6c-4f0c-9f39-1d5a2c8a6a11',
  projectId: 'p',
  userId: 'u',
  number: 42,
  name: 'web',
  hostname: 'web',
  description: 'd',
  flavor: {
    id: '1',
    name: 'small',
    vcpus: 1,
    ramMib: 512,
    diskGib: 1,
    ephemeralGib: 0,
    swapMib: 0,
    extraSpecs: { a: 'b' },
  },
  imageId: 'i',
  keyName: 'k',
  runnerId: 'r',
  host: 'host-1',
  hostState: 'enabled',
  hostLeaseMs: NOW_MS + 1,
  zone: 'nova',
  reservationId: 'r-1',
  launchIndex: 0,
  vmState: 'active',
  taskState: null,
  powerState: 1,
  progress: 0,
  configDrive: 0,
  metadata: { m: '1' },
  tags: ['t'],
  fault: null,
  accessIpV4: null,
  accessIpV6: null,
  diskConfig: 'MANUAL',
  lockedBy: null,
  lockedReason: null,
  launchedAtMs: NOW_MS,
  terminatedAtMs: null,
  createdAtMs: NOW_MS,
  updatedAtMs: NOW_MS,
  deletedAtMs: null,
  addresses: [{ network: 'net', address: '10.0.0.5', mac: 'fa:16:3e:00:00:01' }],
  securityGroups: [{ name: 'default' }],
  userData: 'IyE=',
};
const rendering = (version: number, admin = false): Rendering => ({
  version,
  admin,
  links: { self: 'http://c/compute/v2.1', bookmark: 'http://c/compute' },
});
type Form = 'show' | 'detail' | 'updated';
const view = (version: number, admin = false, form: Form = 'show', of: Partial<ServerRow> = {}) =>
  serverView({ ...row, ...of }, rendering(version, admin), { nowMs: NOW_MS, form }) as Record<string, unknown>;

describe('serverView', () => {
  it('at 2.1 is what Nova has always answered', () => {
    expect(view(1)).toEqual({
      id: row.id,
      name: 'web',
      status: 'ACTIVE',
      tenant_id: 'p',
      user_id: 'u',
      metadata: { m: '1' },
      hostId: hostIdOf('host-1', 'p'),
      image: { id: 'i', links: [{ rel: 'bookmark', href: 'http://c/compute/images/i' }] },
      flavor: { id: '1', links: [{ rel: 'bookmark', href: 'http://c/compute/flavors/1' }] },
      created: '2026-11-23T14:00:00Z',
      updated: '2026-11-23T14:00:00Z',
      addresses: {
        net: [
          { version: 4, addr: '10.0.0.5', 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:01' },
        ],
      },
      accessIPv4: '',
      accessIPv6: '',
      links: [
        { rel: 'self', href: `http://c/compute/v2.1/servers/${row.id}` },
        { rel: 'bookmark', href: `http://c/compute/servers/${row.id}` },
      ],
      'OS-DCF:diskConfig': 'MANUAL',
      progress: 0,
      'OS-EXT-AZ:availability_zone': 'nova',
      config_drive: '',
      key_name: 'k',
      'OS-SRV-USG:launched_at': '2026-11-23T14:00:00.123000',
      'OS-SRV-USG:terminated_at': null,
      security_groups: [{ name: 'default' }],
      'OS-EXT-STS:task_state': null,
      'OS-EXT-STS:vm_state': 'active',
      'OS-EXT-STS:power_state': 1,
      'os-extended-volumes:volumes_attached': [],
    });
  });

  it.each([
    [9, 'locked', false],
    [19, 'description', 'd'],
    [26, 'tags', ['t']],
    [63, 'trusted_image_certificates', null],
    [71, 'server_groups', []],
    [73, 'locked_reason', null],
    [90, 'OS-EXT-SRV-ATTR:hostname', 'web'],
  ])('has from 2.%i on %s', (version, member, value) => {
    expect(view(version - 1)).not.toHaveProperty([member]);
    expect(view(version)[member]).toEqual(value);
  });

  it('embeds the flavor from 2.47 on', () => {
    const flavor = {
      vcpus: 1,
      ram: 512,
      disk: 1,
      ephemeral: 0,
      swap: 0,
      original_name: 'small',
      extra_specs: { a: 'b' },
    };
    expect(view(47).flavor).toEqual(flavor);
  });

  it('shows the host to operators alone', () => {
    expect(view(16)).not.toHaveProperty(['host_status']);
    expect(view(2, true)).toMatchObject({
      'OS-EXT-SRV-ATTR:host': 'host-1',
      'OS-EXT-SRV-ATTR:instance_name': 'instance-0000002a',
      'OS-EXT-SRV-ATTR:hypervisor_hostname': 'host-1',
    });
    expect(view(2, true)).not.toHaveProperty(['OS-EXT-SRV-ATTR:user_data']);
    expect(view(3, true)).toMatchObject({
      'OS-EXT-SRV-ATTR:user_data': 'IyE=',
      'OS-EXT-SRV-ATTR:reservation_id': 'r-1',
    });
    expect(view(16, true).host_status).toBe('UP');
    expect(view(16, true, 'show', { hostLeaseMs: NOW_MS }).host_status).toBe('UNKNOWN');
    expect(view(16, true, 'show', { hostState: 'disabled' }).host_status).toBe('MAINTENANCE');
    expect(view(16, true, 'show', { runnerId: null, host: null }).host_status).toBe('');
  });

  it('has no groups of servers in lists', () => {
    expect(view(71, false, 'detail')).not.toHaveProperty(['server_groups']);
  });

  it('is short after an update before 2.75', () => {
    const short = view(74, true, 'updated');
    expect(short).not.toHaveProperty(['OS-EXT-STS:vm_state']);
    expect(short).not.toHaveProperty(['host_status']);
    expect(short).toMatchObject({ addresses: { net: [{ version: 4, addr: '10.0.0.5' }] }, description: 'd' });
    expect(view(75, true, 'updated')).toMatchObject({ 'OS-EXT-STS:vm_state': 'active', host_status: 'UP' });
  });

  it('shows a fault only in ERROR, and its details of code 500 to operators alone', () => {
    const fault = { code: 500, message: 'm', details: 'where', createdAtMs: NOW_MS };
    expect(view(1, false, 'show', { fault })).not.toHaveProperty(['fault']);
    const shown = { code: 500, message: 'm', created: '2026-11-23T14:00:00Z' };
    expect(view(1, false, 'show', { fault, vmState: 'error' }).fault).toEqual(shown);
    expect(view(1, true, 'show', { fault, vmState: 'error' }).fault).toEqual({ ...shown, details: 'where' });
    expect(view(1, false, 'show', { fault: { ...fault, code: 400 }, vmState: 'error' }).fault).toMatchObject({
      details: 'where',
    });
  });

  it('hides addresses while it is built, and tells two projects on a host nothing of each other', () => {
    expect(view(1, false, 'show', { vmState: 'building' }).addresses).toEqual({});
    expect(hostIdOf('h', 'p1')).toMatch(/^[0-9a-f]{56}$/);
    expect(hostIdOf('h', 'p1')).not.toBe(hostIdOf('h', 'p2'));
    expect(hostIdOf(null, 'p')).toBe('');
  });
});
