import { isDeepStrictEqual } from 'node:util';
import type { PortSpec } from '../../shared/specs/network.ts';
import { type Driver, DriverError, type Outcome, type Wanted } from '../driver.ts';
import { findLink, listLinks } from '../host/links.ts';
import { together } from '../host/wait.ts';
import type { NetworkServices } from './services.ts';
import { ensureTaps, removeTap, tapsOf } from './taps.ts';

/**
 * Serves guests' ports: their rules first, then a tap, then their lease.
 * @param beforeRemoval - called while a port's tap still stands
 */
export function portDriver(
  services: NetworkServices,
  ownerUid: number,
  beforeRemoval: (portId: string) => Promise<void> = async () => {},
): Driver<'port'> {
  const { names, inventory, firewall } = services;
  /** Those that this process has wired. */
  const wired = new Set<string>();
  const wire = together(async (ports: PortSpec[]) => {
    const taps = await tapsOf(names, ports);
    const stands = ({ id }: PortSpec) => wired.has(id) && taps.has(names.tap(id));
    const left = ports.filter((spec) => !(stands(spec) && differInRules(inventory.ports.get(spec.id)?.spec, spec)));
    for (const spec of left) wired.delete(spec.id);
    for (const spec of ports) await inventory.put('port', spec.id, spec);
    await firewall.sync();
    if (left.length === 0) return;
    await ensureTaps(services, left, taps, ownerUid);
    for (const networkId of new Set(left.map((spec) => spec.network_id))) {
      await services.syncNeighbors(networkId);
      await services.syncDhcp(networkId);
    }
    for (const spec of left) wired.add(spec.id);
  });
  return {
    kind: 'port',
    async apply({ id, spec }: Wanted<'port'>): Promise<Outcome> {
      if (!inventory.networks.has(spec.network_id))
        throw new DriverError(`Network ${spec.network_id} of port ${id} is not on this machine yet`);
      await wire(spec);
      return { state: 'applied' };
    },
    async remove(id) {
      const networkId = inventory.ports.get(id)?.spec.network_id;
      wired.delete(id);
      await beforeRemoval(id);
      // The tap goes while its rules still hold.
      await removeTap(names, id);
      await inventory.drop('port', id);
      if (networkId) await services.syncNeighbors(networkId);
      await firewall.sync();
      if (networkId) await services.syncDhcp(networkId);
    },
    async observe(id) {
      const link = await findLink(names.tap(id));
      if (!link) return null;
      const spec = inventory.ports.get(id)?.spec;
      if (spec && link.master !== names.bridge(spec.network_id)) {
        return { state: 'failed', fault: { code: 500, message: 'The port is not on the bridge of its network' } };
      }
      return { state: 'applied' };
    },
    async list() {
      const ids = (await listLinks()).map((link) => names.idOf('port', link.alias));
      return [...new Set([...ids.filter((id) => id !== null), ...inventory.ports.keys()])];
    },
  };
}

/** Whether two specs of a port differ, and in nothing but what rules are made of. */
function differInRules(before: PortSpec | undefined, spec: PortSpec): boolean {
  const rules = { security_groups: spec.security_groups, qos: spec.qos };
  return !isDeepStrictEqual(before, spec) && isDeepStrictEqual({ ...before, ...rules }, spec);
}
