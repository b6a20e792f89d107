import { beforeAll, describe, expect, it } from 'vitest';
import { inOwnRegion, type NetActor, net, newMember, newNetwork, runnerRow } from '../../../test/edge-network.ts';
import { boot, contextOf, held } from '../../../test/edge-server-ports.ts';
import { mintActor } from '../../../test/edge-tokens.ts';
import { ADDRESS_PAIRS_MAX } from './address-pairs.ts';

const MAC = 'fa:16:3e:00:00:01';
let member: NetActor;
let networkId: string;
beforeAll(async () => {
  member = inOwnRegion(await newMember());
  ({ networkId } = await newNetwork(member));
});

const create = (port: Record<string, unknown> = {}, actor = member) =>
  net(actor, 'POST', '/ports', { port: { network_id: networkId, ...port } });
const update = (id: string, port: Record<string, unknown>) => net(member, 'PUT', `/ports/${id}`, { port });
const problem = (answer: Awaited<ReturnType<typeof net>>) => [answer.status, answer.body.NeutronError.type];
const pairs = (...addresses: string[]) => addresses.map((ip_address) => ({ ip_address }));

describe('allowed address pairs', () => {
  it('have the hardware address of their port unless they name one', async () => {
    const sent = [{ ip_address: '10.20.0.200' }, { ip_address: '2001:DB8::/64', mac_address: MAC.toUpperCase() }];
    const { port } = (await create({ allowed_address_pairs: sent })).body;
    const shown = [
      { ip_address: '10.20.0.200', mac_address: port.mac_address },
      { ip_address: '2001:db8::/64', mac_address: MAC },
    ];
    expect(port.allowed_address_pairs).toEqual(shown);
    expect((await update(port.id, { name: 'x' })).body.port.allowed_address_pairs).toEqual(shown);
    expect((await update(port.id, { allowed_address_pairs: null })).body.port.allowed_address_pairs).toEqual([]);
  });

  it.each([
    [{}, 400, 'HTTPBadRequest'],
    [[{}], 400, 'AllowedAddressPairsMissingIP'],
    [[{ mac_address: MAC }], 400, 'AllowedAddressPairsMissingIP'],
    [['10.0.0.1'], 400, 'HTTPBadRequest'],
    [[{ ip_address: 'x' }], 400, 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1/33' }], 400, 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1', mac_address: 'x' }], 400, 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1', x: 1 }], 400, 'HTTPBadRequest'],
    [pairs('10.0.0.1', '10.0.0.1'), 400, 'InvalidInput'],
    [
      pairs(...Array.from({ length: ADDRESS_PAIRS_MAX + 1 }, (_, index) => `10.0.0.${index}`)),
      400,
      'AllowedAddressPairExhausted',
    ],
  ])('%j is refused', async (sent, status, type) => {
    expect(problem(await create({ allowed_address_pairs: sent }))).toEqual([status, type]);
  });

  it('are of no use where nothing is checked', async () => {
    const off = { port_security_enabled: false, security_groups: [] };
    const refused = [409, 'AddressPairAndPortSecurityRequired'];
    expect(problem(await create({ ...off, allowed_address_pairs: pairs('10.0.0.1') }))).toEqual(refused);
    const { port } = (await create({ allowed_address_pairs: pairs('10.0.0.1') })).body;
    expect(problem(await update(port.id, off))).toEqual(refused);
    expect((await update(port.id, { ...off, allowed_address_pairs: [] })).status).toBe(200);
  });

  it('are for the owner of the network to allow', async () => {
    const admin = inOwnRegion(await mintActor('admin'), member.region);
    const { networkId: shared } = await newNetwork(admin, { shared: true });
    const sent = { network_id: shared, allowed_address_pairs: pairs('10.20.0.200') };
    expect((await create(sent)).status).toBe(403);
    expect((await create(sent, admin)).status).toBe(201);
  });

  it('reach the host as ranges, and the groups of the port as members', async () => {
    const actor = inOwnRegion(await newMember());
    await newNetwork(actor);
    const [runnerId, ctx] = [await runnerRow(), contextOf(actor)];
    const { portIds } = await boot(ctx, runnerId);
    const sent = [...pairs('10.20.0.200', '2001:db8::5'), { ip_address: '10.20.0.208/28', mac_address: MAC }];
    const changed = await net(actor, 'PUT', `/ports/${portIds[0]}`, { port: { allowed_address_pairs: sent } });
    const { mac_address: mac, fixed_ips: fixed, security_groups: groups } = changed.body.port;
    const { live } = await held(runnerId);
    expect(live.get(`port ${portIds[0]}`)?.allowed_address_pairs).toEqual([
      { ip_address: '10.20.0.200/32', mac_address: mac },
      { ip_address: '2001:db8::5/128', mac_address: mac },
      { ip_address: '10.20.0.208/28', mac_address: MAC },
    ]);
    expect(live.get(`group-member ${groups[0]}:${portIds[0]}`)?.addresses).toEqual(
      [fixed[0].ip_address, '10.20.0.200', '2001:db8::5'].toSorted(),
    );
  });
});
