import { badRequest } from '../../http/errors.ts';
import type { PortRequest } from '../../network/server-ports.ts';
import type { ServerRequest } from './create-schema.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The interfaces that a request asks for. None said, which older versions allow, means `auto`.
 * @throws ApiError 400 as Nova words it
 */
export function requestedNetworks(networks: ServerRequest['networks']): PortRequest[] | 'auto' | 'none' {
  if (networks === undefined || networks.length === 0) return 'auto';
  if (typeof networks === 'string') return networks;
  const seen = new Set<string>();
  return networks.map(({ uuid, port, fixed_ip: fixedIp, tag }) => {
    const tagged = tag === undefined ? {} : { tag };
    if (port) {
      if (seen.has(port)) {
        throw badRequest(`Port ID '${port}' was specified twice: you cannot attach a port multiple times.`);
      }
      if (fixedIp !== undefined) {
        throw badRequest(
          `Specified Fixed IP '${fixedIp}' cannot be used with port '${port}': the two cannot be specified together.`,
        );
      }
      seen.add(port);
      return { portId: port, ...tagged };
    }
    if (uuid === undefined) throw badRequest("Bad network format: missing 'uuid'");
    if (!UUID.test(uuid)) throw badRequest(`Bad networks format: network uuid is not in proper format (${uuid})`);
    return { networkId: uuid.toLowerCase(), ...(fixedIp === undefined ? {} : { fixedIp }), ...tagged };
  });
}
