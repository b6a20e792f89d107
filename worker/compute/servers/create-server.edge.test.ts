import { SELF } from 'cloudflare:test';
import { and, eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { keypairs, servers } from '../../../db/schema/compute.ts';
import { desired } from '../../../db/schema/fleet.ts';
import { ipAllocations, ports } from '../../../db/schema/network.ts';
import { specOf } from '../../../shared/specs/kinds.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';

describe('the answer to a create', () => {
  it('is 202 with where the server is, and a password', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const server = { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId };
    const response = await cloud.call('POST', '/servers', { body: { server } });
    expect(response.status).toBe(202);
    const { server: created } = (await response.json()) as { server: { id: string; adminPass: string } };
    const url = `http://edge.test/r/${cloud.region}/compute`;
    expect(response.headers.get('location')).toBe(`${url}/v2.1/servers/${created.id}`);
    expect(response.headers.get('x-openstack-request-id')).toMatch(/^req-/);
    expect(response.headers.get('x-compute-request-id')).toBe(response.headers.get('x-openstack-request-id'));
    expect(created).toEqual({
      id: created.id,
      links: [
        { rel: 'self', href: `${url}/v2.1/servers/${created.id}` },
        { rel: 'bookmark', href: `${url}/servers/${created.id}` },
      ],
      'OS-DCF:diskConfig': 'MANUAL',
      security_groups: [{ name: 'default' }],
      adminPass: expect.stringMatching(/^[2-9A-HJ-NP-Za-km-z]{12}$/),
    });
  });

  it('repeats a password that the client chose, and is a reservation where it asked for that', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const server = { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId, adminPass: 'my own' };
    const created = await cloud.answer<{ server: object }>('POST', '/servers', { body: { server }, status: 202 });
    expect(created.server).toMatchObject({ adminPass: 'my own' });
    const body = { server: { ...server, min_count: 2, max_count: '3', return_reservation_id: true } };
    const answer = await cloud.answer<{ reservation_id: string }>('POST', '/servers', { body, status: 202 });
    expect(answer).toEqual({ reservation_id: expect.stringMatching(/^r-[0-9a-z]{8}$/) });
    const of = `?reservation_id=${answer.reservation_id}&sort_key=display_name&sort_dir=asc`;
    const listed = await cloud.answer<{ servers: { name: string }[] }>('GET', `/servers${of}`);
    expect(listed.servers.map(({ name }) => name)).toEqual(['s-1', 's-2', 's-3']);
    const launched = await cloud.ctx.db.select().from(servers).where(eq(servers.reservationId, answer.reservation_id));
    expect(launched.map(({ launchIndex, hostname }) => [launchIndex, hostname]).sort()).toEqual([
      [0, 's-1'],
      [1, 's-2'],
      [2, 's-3'],
    ]);
  });
});

describe('what the host is told', () => {
  it('is a whole spec of the server, that the host takes as it is', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ zone: 'z1' });
    const kernel = await cloud.addImage({ diskFormat: 'aki', sha256: 'b'.repeat(64) });
    const imageRef = await cloud.addImage({ properties: { kernel_id: kernel, os_command_line: 'console=ttyS0' } });
    await cloud.ctx.db.insert(keypairs).values({
      region: cloud.region,
      userId: cloud.user.userId,
      name: 'mine',
      publicKey: 'ssh-rsa AAAA',
      fingerprint: 'f',
      createdAtMs: 1,
    });
    const id = await cloud.create(
      {
        name: 'My Web_Server.01',
        imageRef,
        key_name: 'mine',
        user_data: btoa('#!/bin/sh\n'),
        config_drive: 'true',
        metadata: { role: 'web' },
        availability_zone: 'z1',
        tags: ['a'],
        description: 'about',
      },
      cloud.user,
      '2.52',
    );
    const spec = specOf.server.parse((await cloud.wish(id))?.spec);
    expect(spec).toMatchObject({
      epoch: 1,
      power: 'on',
      image: { id: imageRef },
      kernel: { id: kernel },
      ramdisk: null,
      kernel_command_line: 'console=ttyS0',
      config_drive: true,
      metadata: {
        uuid: id,
        name: 'My Web_Server.01',
        hostname: 'my-web-server-01',
        project_id: cloud.user.projectId,
        availability_zone: 'z1',
        meta: { role: 'web' },
        public_keys: { mine: 'ssh-rsa AAAA' },
        user_data: btoa('#!/bin/sh\n'),
        launch_index: 0,
      },
    });
    expect(await cloud.show(id)).toMatchObject({
      key_name: 'mine',
      config_drive: 'True',
      metadata: { role: 'web' },
      tags: ['a'],
      description: 'about',
      'OS-EXT-AZ:availability_zone': 'z1',
      'OS-EXT-SRV-ATTR:hostname': 'my-web-server-01',
    });
  });

  it('takes a hostname with its domain from 2.94', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const { networkId } = await cloud.addNetwork();
    const of = { hostname: 'web.example.com', networks: [{ uuid: networkId }] };
    expect((await cloud.refusal(of, { version: '2.93' }))[0]).toBe(400);
    const id = await cloud.create(of, cloud.user, '2.94');
    expect((await cloud.wish(id))?.spec?.metadata.hostname).toBe('web.example.com');
    const [port] = await cloud.ctx.db.select().from(ports).where(eq(ports.deviceId, id));
    expect(port?.dnsName).toBe('web');
    const body = { server: { hostname: 'db.example.com' } };
    expect((await cloud.call('PUT', `/servers/${id}`, { body, version: '2.93' })).status).toBe(400);
    expect(await cloud.answer('PUT', `/servers/${id}`, { body, version: '2.94' })).toMatchObject({
      server: { 'OS-EXT-SRV-ATTR:hostname': 'db.example.com' },
    });
  });

  it('hands the guest its files, and tells it what its interfaces are called, in versions that can say so', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const { networkId } = await cloud.addNetwork();
    const personality = [{ path: '/etc/motd', contents: 'aGVsbG8=' }];
    const networks = [{ uuid: networkId, tag: 'inside' }];
    const id = await cloud.create({ personality, networks }, cloud.user, '2.42');
    const metadata = (await cloud.wish(id))?.spec?.metadata;
    expect(metadata?.files).toEqual(personality);
    expect(Object.values(metadata?.device_tags ?? {})).toEqual(['inside']);
    for (const version of ['2.31', '2.37', '2.41']) {
      expect([version, ...(await cloud.refusal({ networks }, { version }))]).toEqual([
        version,
        400,
        expect.stringContaining("'tag' was unexpected"),
      ]);
    }
    expect((await cloud.refusal({ personality }, { version: '2.57' }))[0]).toBe(400);
  });

  it('includes its ports, whose addresses it shows once it runs', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const { networkId } = await cloud.addNetwork();
    const id = await cloud.create({ networks: [{ uuid: networkId, fixed_ip: '10.9.0.77' }] });
    const spec = specOf.server.parse((await cloud.wish(id))?.spec);
    expect(spec.ports).toHaveLength(1);
    const wished = await cloud.ctx.db
      .select()
      .from(desired)
      .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'port')));
    expect(wished.map((row) => row.id)).toEqual(spec.ports);
    expect((await cloud.show(id)).addresses).toEqual({});
    await cloud.observe(id, { state: 'running' });
    const server = await cloud.show(id);
    expect(server.addresses).toEqual({
      private: [
        {
          version: 4,
          addr: '10.9.0.77',
          'OS-EXT-IPS:type': 'fixed',
          'OS-EXT-IPS-MAC:mac_addr': expect.stringMatching(/^fa:16:3e:/),
        },
      ],
    });
    expect(server.security_groups).toEqual([{ name: 'default' }]);
    // Anyone may write a server's id into a port of their own; it is no address of the server for that.
    const foreign = await cloud.ctx.db
      .select()
      .from(ports)
      .where(eq(ports.id, spec.ports[0] ?? ''));
    const { ...copy } = foreign[0] as typeof ports.$inferSelect;
    const forged = {
      ...copy,
      id: crypto.randomUUID(),
      macAddress: 'fa:16:3e:ff:ff:01',
      runnerId: null,
      createdAtMs: 1,
    };
    await cloud.ctx.db.insert(ports).values(forged);
    const [kept] = await cloud.ctx.db.select().from(ipAllocations).where(eq(ipAllocations.portId, copy.id));
    const elsewhere = {
      ...(kept as typeof ipAllocations.$inferSelect),
      portId: forged.id,
      hostOffset: 200,
      ipAddress: '10.9.0.200',
    };
    await cloud.ctx.db.insert(ipAllocations).values(elsewhere);
    expect((await cloud.show(id)).addresses).toEqual(server.addresses);
    await cloud.ctx.db.delete(ports).where(eq(ports.id, forged.id));
    expect(await cloud.answer('GET', `/servers/${id}/ips/private`)).toEqual({
      private: [{ version: 4, addr: '10.9.0.77' }],
    });
    expect((await cloud.call('GET', `/servers/${id}/ips/other`)).status).toBe(404);
    const byIp = async (ip: string) =>
      (await cloud.answer<{ servers: { id: string }[] }>('GET', `/servers?ip=${encodeURIComponent(ip)}`)).servers.map(
        (one) => one.id,
      );
    expect(await byIp('10.9.0')).toEqual([id]);
    expect(await byIp('^10\\.9\\.0\\.77$')).toEqual([id]);
    expect(await byIp('10\\.9\\.0\\.7[0-9]$')).toEqual([id]);
    expect(await byIp('[a-z]')).toEqual([]);
    expect(await byIp('10.9.0.78')).toEqual([]);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    const addressesInUse = () => cloud.ctx.db.$count(ipAllocations, sql`port_id = ${spec.ports[0] ?? ''}`);
    expect(await addressesInUse()).toBe(1);
    await cloud.observe(id, { state: 'absent' });
    expect(await addressesInUse()).toBe(0);
    expect(await cloud.ctx.db.$count(ports, eq(ports.deviceId, id))).toBe(0);
  });

  it('frees no address on a report that is out of date', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const { networkId } = await cloud.addNetwork();
    const id = await cloud.create({ networks: [{ uuid: networkId }] });
    await cloud.observe(id, { state: 'absent' });
    expect(await cloud.ctx.db.$count(ports, eq(ports.deviceId, id))).toBe(1);
  });

  it('takes the one network there is where none is named', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    await cloud.addNetwork();
    const spec = async (networks: unknown) => (await cloud.wish(await cloud.create({ networks })))?.spec?.ports.length;
    expect(await spec('auto')).toBe(1);
    expect(await spec('none')).toBe(0);
    expect(await spec([])).toBe(1);
    await cloud.addNetwork('10.10.0.0/24');
    expect(await cloud.refusal({ networks: 'auto' })).toEqual([
      409,
      'Multiple possible networks found, use a Network ID to be more specific.',
    ]);
  });
});

describe('a create is refused', () => {
  it('as Nova does', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const nobody = crypto.randomUUID();
    const small = await cloud.addFlavor({ ramMib: 64, diskGib: 1 });
    const swapping = await cloud.addFlavor({ swapMib: 64 });
    const diskless = await cloud.addFlavor({ diskGib: 0 });
    const hidden = await cloud.addFlavor({ isPublic: false });
    const needsMemory = await cloud.addImage({ minRamMib: 128 });
    const large = await cloud.addImage({ virtualSizeBytes: 2 * 1024 ** 3 });
    const needsDisk = await cloud.addImage({ minDiskGib: 5 });
    const queued = await cloud.addImage({ status: 'queued' });
    const GIB = 1024 ** 3;
    const cases: [Record<string, unknown>, number, string | RegExp][] = [
      [{ flavorRef: 'nope' }, 400, 'Flavor nope could not be found.'],
      [{ flavorRef: hidden }, 400, `Flavor ${hidden} could not be found.`],
      [{ imageRef: nobody }, 400, 'Can not find requested image'],
      [{ imageRef: queued }, 400, `Image ${queued} is not active.`],
      [{ imageRef: '' }, 400, 'Missing imageRef attribute'],
      [{ key_name: 'nope' }, 400, 'Invalid key_name provided.'],
      [{ flavorRef: small, imageRef: needsMemory }, 400, "Flavor's memory is too small for requested image."],
      [
        { imageRef: large },
        400,
        `Flavor's disk is too small for requested image. Flavor disk is ${GIB} bytes, image is ${2 * GIB} bytes.`,
      ],
      [
        { imageRef: needsDisk },
        400,
        `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${GIB} bytes, minimum size is ${5 * GIB} bytes.`,
      ],
      [{ flavorRef: diskless }, 403, 'Only volume-backed servers are allowed for flavors with zero disk.'],
      [{ flavorRef: swapping }, 400, /has an ephemeral or a swap disk/],
      [{ min_count: 3, max_count: 2 }, 400, 'min_count must be <= max_count'],
      [{ max_count: 101 }, 403, /^Quota exceeded/],
      [{ availability_zone: 'mars' }, 400, 'The requested availability zone is not available'],
      [
        { availability_zone: 'nova:host' },
        403,
        "Policy doesn't allow os_compute_api:servers:create:forced_host to be performed.",
      ],
      [{ availability_zone: 'a:b:c:d' }, 400, 'Invalid input received: Unable to parse availability_zone'],
      [{ networks: [{ uuid: nobody }] }, 400, `Network ${nobody} could not be found.`],
      [{ networks: [{ port: nobody }] }, 400, `Port id ${nobody} could not be found.`],
      [{ security_groups: [{ name: 'nope' }] }, 400, /^Security group nope not found for project/],
      [{ networks: [{}] }, 400, "Bad network format: missing 'uuid'"],
      [
        { networks: [{ port: nobody }, { port: nobody }] },
        400,
        `Port ID '${nobody}' was specified twice: you cannot attach a port multiple times.`,
      ],
      [
        { networks: [{ port: nobody }], max_count: 2 },
        400,
        /Unable to launch multiple instances with a single configured port ID/,
      ],
      [{ networks: [{ uuid: nobody, fixed_ip: '10.0.0.1' }], max_count: 2 }, 400, /max_count cannot be greater than 1/],
      [
        { metadata: Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`k${n}`, 'v'])) },
        403,
        'Maximum number of metadata items exceeds 128',
      ],
      [{ block_device_mapping: [{ volume_id: nobody }] }, 400, /no block storage service/],
      [
        {
          block_device_mapping_v2: [{ source_type: 'volume', uuid: nobody, boot_index: 0, destination_type: 'volume' }],
          imageRef: '',
        },
        400,
        /no block storage service/,
      ],
      [{ personality: [{ path: '/a', contents: '!' }] }, 400, /cannot be decoded/],
      [{ personality: [{ contents: 'YQ==' }] }, 400, /missing path/],
      [{ personality: Array(6).fill({ path: '/a', contents: 'YQ==' }) }, 403, /^Personality file limit exceeded$/],
      [{ personality: [{ path: '/a'.repeat(128), contents: '' }] }, 403, /path exceeds maximum 255/],
      [{ personality: [{ path: '/a', contents: 'A'.repeat(13_660) }] }, 403, /content exceeds maximum 10240/],
    ];
    for (const [body, status, message] of cases) {
      const [gotStatus, gotMessage] = await cloud.refusal(body);
      expect([body, gotStatus, gotMessage]).toEqual([
        body,
        status,
        typeof message === 'string' ? message : expect.stringMatching(message),
      ]);
    }
    expect(await cloud.ctx.db.$count(servers, eq(servers.region, cloud.region))).toBe(0);
  });

  it('where a hint names a group, as there are none', async () => {
    const cloud = await ComputeCloud.open();
    const group = crypto.randomUUID();
    expect(await cloud.refusal({}, { hints: { group } })).toEqual([400, `Instance group ${group} could not be found.`]);
  });

  it('with a body that is no JSON, of another type, or too long', async () => {
    const cloud = await ComputeCloud.open();
    const send = (body: string, type = 'application/json') =>
      SELF.fetch(`http://edge.test/r/${cloud.region}/compute/v2.1/servers`, {
        method: 'POST',
        headers: { 'x-auth-token': cloud.user.token, 'content-type': type },
        body,
      });
    const malformed = await send('{');
    expect([malformed.status, await malformed.json()]).toEqual([
      400,
      { badRequest: { code: 400, message: 'Malformed request body' } },
    ]);
    const typed = await send('<a/>', 'application/xml');
    expect([typed.status, await typed.json()]).toEqual([
      415,
      { badMediaType: { code: 415, message: 'Unsupported Content-Type' } },
    ]);
    const long = await send(`{"server":"${'x'.repeat(1024 * 1024)}"}`);
    expect(long.status).toBe(413);
  });

  it('with a token of no project', async () => {
    const cloud = await ComputeCloud.open();
    expect(await cloud.refusal({}, { as: await mintActor('admin', null) })).toEqual([
      400,
      expect.stringContaining('project'),
    ]);
  });
});
