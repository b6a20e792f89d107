import type { NetworkSpec } from '../../../shared/specs/network.ts';
import { DriverError } from '../../driver.ts';
import type { Encapsulation } from '../../host/links.ts';
import { canonicalAddress } from '../addresses.ts';
import type { Names } from '../names.ts';
import type { Uplinks } from './uplinks.ts';

/** An interface that carries a network to other machines. */
export interface SegmentPlan {
  device: string;
  /** What it must be where we make it; null where it is the machine's own. */
  made: { encapsulation: Encapsulation; command: string[]; alias: string } | null;
  /** The interface of the machine below it. */
  cable: string | null;
  mtu: number;
  /** Settings of its place on the bridge, as `bridge link set` takes them. */
  flags: string[];
}

/** Only what is known goes through a tunnel; all else stays on this machine, and is answered here where it asks for addresses. */
const TUNNEL_FLAGS = 'learning off flood off mcast_flood off bcast_flood off neigh_suppress on';
const CABLE_FLAGS = 'learning on flood on mcast_flood on bcast_flood on neigh_suppress off';

/**
 * Plans what carries a network; null where nothing does.
 * @param shared - whether the machine itself lives on the cable, with addresses of its own: then it stays the machine's, and
 * an external network gets an interface with a MAC address of its own beside it
 * @throws DriverError where this machine cannot carry it
 */
export function planSegment(
  names: Names,
  spec: NetworkSpec,
  uplinks: Uplinks,
  shared: (cable: string) => boolean,
): SegmentPlan | null {
  const { segment, mtu } = spec;
  if (segment.type === 'local') return null;
  const device = names.segment(spec.id);
  const alias = names.alias('segment', spec.id);
  if (segment.type === 'vxlan') {
    // A machine that no other reaches serves its own guests all the same.
    if (uplinks.tunnelAddress === null) return null;
    const local = canonicalAddress(uplinks.tunnelAddress);
    const command = `type vxlan id ${segment.id} local ${local} dstport 4789 nolearning`.split(' ');
    const encapsulation = { kind: 'vxlan', id: segment.id, local, parent: null };
    const made = { encapsulation, command: ['link', 'add', device, ...command], alias };
    return { device, made, cable: null, mtu, flags: TUNNEL_FLAGS.split(' ') };
  }
  const cable = uplinks.physicalNetworks[segment.physical_network];
  if (cable === undefined) {
    const message = `This machine has no interface on the physical network ${segment.physical_network}`;
    throw new DriverError(message, { code: 412 });
  }
  const flags = CABLE_FLAGS.split(' ');
  const on = (kind: string, id: number | null, ...options: string[]) => ({
    encapsulation: { kind, id, local: null, parent: cable },
    command: ['link', 'add', 'link', cable, 'name', device, 'type', kind, ...options],
    alias,
  });
  if (segment.type === 'vlan') {
    return { device, made: on('vlan', segment.id, 'id', String(segment.id)), cable, mtu, flags };
  }
  if (!shared(cable)) return { device: cable, made: null, cable, mtu, flags };
  if (spec.external) return { device, made: on('macvlan', null, 'mode', 'bridge'), cable, mtu, flags };
  const message = `Interface ${cable} of the physical network ${segment.physical_network} has addresses or routes of this machine itself`;
  throw new DriverError(message, { code: 409 });
}
