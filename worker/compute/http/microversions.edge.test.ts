import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

/** A call under two neighbouring versions: what it is answered before a change of Nova's API, and from it on. */
type Change = [what: string, method: string, path: string, body: unknown, versions: [string, number][]];

const withServer = async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({ name: 'alpha' });
  return { cloud, id: await cloud.createActive() };
};

describe('a change of the API', () => {
  it('counts from its version on', async () => {
    const { cloud, id } = await withServer();
    const action = `/servers/${id}/action`;
    const access = { addTenantAccess: { tenant: cloud.user.projectId } };
    const device = {
      source_type: 'image',
      destination_type: 'local',
      uuid: cloud.imageId,
      boot_index: 0,
      volume_type: null,
    };
    const server = { name: 's', flavorRef: cloud.flavorId, imageRef: cloud.imageId, networks: 'none' };
    const volumes = { server: { ...server, block_device_mapping_v2: [device] } };
    const changes: Change[] = [
      [
        '2.6',
        'POST',
        action,
        { 'os-getRDPConsole': { type: 'rdp-html5' } },
        [
          ['2.5', 410],
          ['2.6', 404],
        ],
      ],
      [
        '2.7',
        'POST',
        `/flavors/${cloud.flavorId}/action`,
        access,
        [
          ['2.7', 409],
          ['2.6', 200],
        ],
      ],
      [
        '2.12',
        'GET',
        `/servers/${id}/os-virtual-interfaces`,
        undefined,
        [
          ['2.12', 410],
          ['2.90', 410],
        ],
      ],
      [
        '2.44',
        'POST',
        action,
        { addFloatingIp: { address: '10.0.0.1' } },
        [
          ['2.43', 404],
          ['2.44', 404],
        ],
      ],
      [
        '2.53',
        'GET',
        '/os-hypervisors?colour=red',
        undefined,
        [
          ['2.52', 200],
          ['2.53', 400],
        ],
      ],
      [
        '2.53',
        'GET',
        '/os-hypervisors/detail?with_servers=perhaps',
        undefined,
        [
          ['2.52', 200],
          ['2.53', 400],
        ],
      ],
      ['2.53', 'PUT', '/os-services/1', { status: 'enabled' }, [['2.53', 400]]],
      [
        '2.53',
        'DELETE',
        '/os-services/one',
        undefined,
        [
          ['2.52', 400],
          ['2.53', 400],
        ],
      ],
      [
        '2.58',
        'GET',
        `/servers/${id}/os-instance-actions?colour=red`,
        undefined,
        [
          ['2.57', 200],
          ['2.58', 400],
        ],
      ],
      [
        '2.59',
        'GET',
        '/os-migrations?colour=red',
        undefined,
        [
          ['2.58', 200],
          ['2.59', 400],
        ],
      ],
      [
        '2.59',
        'GET',
        '/os-migrations?changes-before=2020-01-01',
        undefined,
        [
          ['2.65', 400],
          ['2.66', 200],
        ],
      ],
      [
        '2.67',
        'POST',
        '/servers',
        volumes,
        [
          ['2.66', 400],
          ['2.67', 202],
        ],
      ],
      [
        '2.75',
        'GET',
        '/os-keypairs?colour=red',
        undefined,
        [
          ['2.74', 200],
          ['2.75', 400],
        ],
      ],
      [
        '2.75',
        'GET',
        '/os-keypairs/none?limit=1',
        undefined,
        [
          ['2.74', 404],
          ['2.75', 400],
        ],
      ],
      ['2.75', 'GET', '/os-keypairs?limit=1&user_id=', undefined, [['2.75', 200]]],
    ];
    const found: unknown[] = [];
    for (const [what, method, path, body, versions] of changes) {
      for (const [version] of versions) {
        const { status } = await cloud.call(method, path, { as: cloud.admin, version, body });
        found.push([what, method, path, version, status]);
      }
    }
    expect(found).toEqual(
      changes.flatMap(([what, method, path, , versions]) =>
        versions.map(([version, status]) => [what, method, path, version, status]),
      ),
    );
  });

  it('lets nobody be forced to a host that is not named, nor a password onto a disk that stays', async () => {
    const { cloud, id } = await withServer();
    const refusal = async (body: unknown, version: string) => {
      const response = await cloud.call('POST', `/servers/${id}/action`, { as: cloud.admin, version, body });
      const [one] = Object.values((await response.json()) as Record<string, { code: number; message: string }>);
      return [one?.code, one?.message];
    };
    const nowhere = [400, "Can't force to a non-provided destination"];
    expect(await refusal({ 'os-migrateLive': { host: null, block_migration: 'auto', force: true } }, '2.30')).toEqual(
      nowhere,
    );
    expect(await refusal({ evacuate: { force: true } }, '2.29')).toEqual(nowhere);
    expect(await refusal({ evacuate: { onSharedStorage: true, adminPass: 'x' } }, '2.13')).toEqual([
      400,
      "admin password can't be changed on existing disk",
    ]);
  });
});
