import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork, runnerRow } from '../../../test/edge-network.ts';
import { boot, contextOf, held } from '../../../test/edge-server-ports.ts';

let member: NetActor;
let networkId: string;
beforeAll(async () => {
  member = inOwnRegion(await newMember());
  ({ networkId } = await newNetwork(member));
});

const create = (extra_dhcp_opts: unknown) =>
  net(member, 'POST', '/ports', { port: { network_id: networkId, extra_dhcp_opts } });
const update = (id: string | undefined, extra_dhcp_opts: unknown, actor = member) =>
  net(actor, 'PUT', `/ports/${id}`, { port: { extra_dhcp_opts } });
const option = (opt_name: string, opt_value: string | null, ip_version?: number) => ({
  opt_name,
  opt_value,
  ...(ip_version === undefined ? {} : { ip_version }),
});

describe('the DHCP options of a port', () => {
  it('are added, changed and taken away one by one', async () => {
    const { port } = (await create([option('bootfile-name', 'a'), option('mtu', '1400', 4)])).body;
    expect(port.extra_dhcp_opts).toEqual([option('bootfile-name', 'a', 4), option('mtu', '1400', 4)]);
    const changed = await update(port.id, [option('bootfile-name', 'b'), option('bootfile-url', 'c', 6)]);
    expect(changed.body.port.extra_dhcp_opts).toEqual([
      option('bootfile-name', 'b', 4),
      option('mtu', '1400', 4),
      option('bootfile-url', 'c', 6),
    ]);
    const left = await update(port.id, [option('bootfile-name', null), option('mtu', null)]);
    expect(left.body.port.extra_dhcp_opts).toEqual([option('bootfile-url', 'c', 6)]);
    expect((await update(port.id, null)).body.port.extra_dhcp_opts).toHaveLength(1);
    expect((await create([option('router', '')])).body.port.extra_dhcp_opts).toEqual([option('router', '', 4)]);
  });

  it.each([
    [{}],
    [[{}]],
    [[{ opt_name: 'mtu' }]],
    [[option('', '1')]],
    [[option('mtu', '')]],
    [[option('mtu\nconf-file=/etc/passwd', '1')]],
    [[option('mtu', '1\n150,evil')]],
    [[option('mtu', 'x'.repeat(256))]],
    [[option('mtu', '1', 5)]],
    [[{ ...option('mtu', '1'), x: 1 }]],
    [Array.from({ length: 33 }, (_, index) => option(`o${index}`, '1'))],
  ])('%j is refused', async (sent) => {
    expect((await create(sent)).status).toBe(400);
  });

  it('are no more than a port may have, whatever was added before', async () => {
    const some = (from: number) => Array.from({ length: 20 }, (_, index) => option(`o${from + index}`, '1'));
    const { port } = (await create(some(0))).body;
    expect((await update(port.id, some(20))).status).toBe(400);
    expect((await net(member, 'GET', `/ports/${port.id}`)).body.port.extra_dhcp_opts).toHaveLength(20);
  });

  it('reach the host', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    await update(portIds[0], [option('bootfile-name', 'pxe')], actor);
    expect((await held(runnerId)).live.get(`port ${portIds[0]}`)?.extra_dhcp_opts).toEqual([
      { name: 'bootfile-name', value: 'pxe', ip_version: 4 },
    ]);
  });
});
