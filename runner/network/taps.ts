import type { PortSpec } from '../../shared/specs/network.ts';
import { bridgeBatch, findLink, ipBatch, listMembers } from '../host/links.ts';
import { writeSysctl } from '../host/sysctl.ts';
import type { Names } from './names.ts';

/** Makes a port's tap on its network's bridge, or changes what differs. The guest's user may open it, nobody else. */
export async function ensureTap(names: Names, port: PortSpec, ownerUid: number): Promise<void> {
  const tap = names.tap(port.id);
  const bridge = names.bridge(port.network_id);
  const link = await findLink(tap);
  const setUp: string[][] = [];
  if (!link) setUp.push(...newTap(names, port.id, ownerUid));
  if (link?.mtu !== port.mtu) setUp.push(['link', 'set', tap, 'mtu', String(port.mtu)]);
  if (link?.master !== bridge) setUp.push(['link', 'set', tap, 'master', bridge]);
  await ipBatch(setUp);
  // The machine itself has nothing to say on a tap.
  await writeSysctl(`net/ipv6/conf/${tap}/disable_ipv6`, '1').catch(() => {});
  await bridgeBatch(bridgePortSettings(tap, port));
  if (link?.up !== port.admin_state_up) await ipBatch([['link', 'set', tap, port.admin_state_up ? 'up' : 'down']]);
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

/** Takes the taps of a network's ports that are there, and not on its bridge, back to it. */
export async function rejoinTaps(names: Names, networkId: string, ports: readonly PortSpec[]): Promise<void> {
  const bridge = names.bridge(networkId);
  const members = new Set((await listMembers(bridge)).map((link) => link.name));
  for (const port of ports) {
    const tap = names.tap(port.id);
    if (members.has(tap) || !(await findLink(tap))) continue;
    await ipBatch([['link', 'set', tap, 'master', bridge]]);
    await bridgeBatch(bridgePortSettings(tap, port));
    await ipBatch([['link', 'set', tap, port.admin_state_up ? 'up' : 'down']]);
  }
}

/** Removes a port's tap; what is not there is fine. */
export async function removeTap(names: Names, portId: string): Promise<void> {
  const tap = names.tap(portId);
  if (await findLink(tap)) await ipBatch([['link', 'delete', tap]]);
}
