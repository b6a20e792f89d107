import { overlaps } from '../../../shared/cidr.ts';
import { parsed } from '../subnets/plan-subnet.ts';
import { badRouter } from './faults.ts';
import type { RouterPort } from './router-rows.ts';

/**
 * A router can tell its subnets apart: it has each once, and no two of guests share an address.
 * @param ports - the router's own, @param added - the subnets of another port that it gets
 * @param besides - whether the new subnets are held against the router's gateway, or against its interfaces
 * @throws ApiError 400
 */
export function checkSubnets(
  ports: RouterPort[],
  added: { id: string; cidr: string }[],
  besides: 'gateway' | 'interfaces',
): void {
  for (const port of ports) {
    for (const { subnetId, cidr } of port.addresses) {
      if (added.some((subnet) => subnet.id === subnetId)) {
        throw badRouter(`Router already has a port on subnet ${subnetId}`);
      }
      if (port.gateway !== (besides === 'gateway')) continue;
      const other = added.find((subnet) => overlaps(parsed(subnet.cidr), parsed(cidr)));
      if (!other) continue;
      throw badRouter(`Cidr ${other.cidr} of subnet ${other.id} overlaps with cidr ${cidr} of subnet ${subnetId}`);
    }
  }
}
