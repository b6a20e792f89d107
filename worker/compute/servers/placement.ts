import { badRequest } from '../../http/errors.ts';
import { carriedOf } from '../../network/server-ports.ts';
import { flavorDemands, imageDemands } from '../schedule/demands.ts';
import type { Host, Need } from '../schedule/filters.ts';
import type { Claim } from '../schedule/hosts.ts';
import { networkDemands } from '../schedule/network-demands.ts';
import type { NewServer } from './new-server.ts';
import type { Found } from './read-for-create.ts';

/** @throws ApiError 400 a zone or a host that is not there to be chosen */
export function checkPlacement(wanted: NewServer, hosts: readonly Host[]): void {
  if (wanted.host !== null && !hosts.some((host) => host.name === wanted.host)) {
    throw badRequest(`Compute host ${wanted.host} could not be found.`);
  }
  if (wanted.zone !== null && !hosts.some((host) => host.zone === wanted.zone && host.state === 'enabled')) {
    throw badRequest('The requested availability zone is not available');
  }
}

/** What a server needs of its host. */
export function needOf(
  wanted: NewServer,
  claim: Claim,
  found: Pick<Found, 'hinted' | 'group' | 'flavor' | 'image' | 'portRows'>,
): Need {
  const hostsOf = (ids: readonly string[]) =>
    new Set(found.hinted.flatMap(({ id, runnerId }) => (ids.includes(id) && runnerId !== null ? [runnerId] : [])));
  return {
    ...claim,
    zone: wanted.zone,
    host: wanted.host,
    within: wanted.sameHost.length > 0 ? hostsOf(wanted.sameHost) : null,
    without: hostsOf(wanted.differentHost),
    group: found.group,
    demands: [
      ...flavorDemands(found.flavor.extraSpecs),
      ...imageDemands(found.image.properties),
      ...networkDemands(carriedOf(found.portRows)),
    ],
  };
}
