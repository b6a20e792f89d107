import type { PortSpec } from '../../shared/specs/network.ts';
import { bridgeBatch, findLink, ipBatch, type Link, linksByName } from '../host/links.ts';
import { writeSysctl } from '../host/sysctl.ts';
import type { Inventory } from './inventory.ts';
import { gatewayMac, type Names } from './names.ts';

/** Whose taps they are, and what networks they are of. */
interface Place {
  names: Names;
  inventory: Inventory;
}

/**
 * Makes ports' taps on their networks' bridges, or changes what differs. The guests' user may open them, nobody else.
 * @param there - the taps that there are, by name
 */
export async function ensureTaps(
  place: Place,
  ports: readonly PortSpec[],
  there: ReadonlyMap<string, Link>,
  ownerUid: number,
): Promise<void> {
  const { names } = place;
  const missing = ports.filter((port) => !there.has(names.tap(port.id)));
  const made = missing.flatMap((port) => newTap(names, port.id, ownerUid));
  await setUp(place, ports, there, made);
}

/** The taps that there are of ports, by name, maybe with other links. One is looked for; of many the list costs less. */
export async function tapsOf(
  names: Names,
  [first, ...others]: readonly PortSpec[],
): Promise<ReadonlyMap<string, Link>> {
  if (!first || others.length > 0) return linksByName();
  const link = await findLink(names.tap(first.id));
  return new Map(link ? [[link.name, link]] : []);
}

/** Puts taps on their bridges, in order: none is up before the bridge knows how to treat it. @param made - makes those that are missing */
async function setUp(
  place: Place,
  ports: readonly PortSpec[],
  there: ReadonlyMap<string, Link>,
  made: string[][] = [],
): Promise<void> {
  const { names } = place;
  const plans = ports.map((port) => ({ port, tap: names.tap(port.id), link: there.get(names.tap(port.id)) }));
  await ipBatch([...made, ...plans.flatMap(({ port, tap, link }) => placed(place, port, tap, link))]);
  // The machine itself has nothing to say on a tap.
  for (const { tap } of plans) await writeSysctl(`net/ipv6/conf/${tap}/disable_ipv6`, '1').catch(() => {});
  await bridgeBatch(plans.flatMap(({ port, tap }) => bridgePortSettings(tap, port)));
  const turned = plans.filter(({ port, link }) => link?.up !== port.admin_state_up);
  await ipBatch(turned.map(({ port, tap }) => ['link', 'set', tap, port.admin_state_up ? 'up' : 'down']));
}

function placed({ names, inventory }: Place, port: PortSpec, tap: string, link: Link | undefined): string[][] {
  const bridge = names.bridge(port.network_id);
  const mac = inventory.networks.get(port.network_id)?.spec.external ? link?.mac : gatewayMac(port.network_id);
  return [
    // The bridge takes frames for a tap's own address, too: they are told apart from others by the gateway's.
    ...(mac === link?.mac ? [] : [['link', 'set', tap, 'address', String(mac)]]),
    ...(link?.mtu === port.mtu ? [] : [['link', 'set', tap, 'mtu', String(port.mtu)]]),
    ...(link?.master === bridge ? [] : [['link', 'set', tap, 'master', bridge]]),
  ];
}

/** Makes a tap that is on no bridge and down, for a device that will be unplugged. */
export async function addLooseTap(names: Names, portId: string, ownerUid: number): Promise<void> {
  await ipBatch(newTap(names, portId, ownerUid));
}

const newTap = (names: Names, portId: string, ownerUid: number): string[][] => [
  ['tuntap', 'add', 'dev', names.tap(portId), 'mode', 'tap', 'user', String(ownerUid)],
  ['link', 'set', names.tap(portId), 'alias', names.alias('port', portId)],
];

/**
 * With port security the bridge knows where the port's address is, and sends it no frame for others. What a guest sends to an
 * address of the world that is its own comes back to it; the rules of the bridge keep all else from doing so.
 */
function bridgePortSettings(tap: string, port: PortSpec): string[][] {
  const guarded = port.port_security_enabled;
  const flags = ['learning', guarded ? 'off' : 'on', 'flood', guarded ? 'off' : 'on', 'hairpin', 'on'];
  return [
    ['link', 'set', 'dev', tap, ...flags],
    // Sticky: a frame that comes in elsewhere with this address does not take it along.
    ['fdb', 'replace', port.mac_address, 'dev', tap, 'master', 'static', 'sticky'],
  ];
}

/** Takes the taps of a network's ports that are there, and not on its bridge, back to it. @param links - all that there are */
export async function rejoinTaps(
  place: Place,
  ports: readonly PortSpec[],
  links: ReadonlyMap<string, Link>,
): Promise<void> {
  const { names } = place;
  const loose = ports.filter((port) => {
    const link = links.get(names.tap(port.id));
    return link && link.master !== names.bridge(port.network_id);
  });
  if (loose.length > 0) await setUp(place, loose, links);
}

/** Removes a port's tap; what is not there is fine. */
export async function removeTap(names: Names, portId: string): Promise<void> {
  const tap = names.tap(portId);
  if (await findLink(tap)) await ipBatch([['link', 'delete', tap]]);
}
