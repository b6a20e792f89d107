import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { PortRequest } from '../../network/server-ports.ts';
import { policy } from '../policy.ts';
import { bootImageOf } from './block-devices.ts';
import type { CreateServerBody, ServerRequest } from './create-schema.ts';
import { filesOf, type InjectedFile } from './personality.ts';
import { requestedNetworks } from './requested-networks.ts';

/** Servers that one request may make: each takes two round trips to the database. */
export const SERVERS_PER_REQUEST_MAX = 100;

/** A server as it is wanted, with what needs no look at the database settled. */
export interface NewServer {
  name: string;
  description: string | null;
  hostname: string | null;
  flavorId: string;
  imageId: string;
  keyName: string | null;
  metadata: Record<string, string>;
  tags: string[];
  userData: string | null;
  files: InjectedFile[];
  configDrive: boolean;
  diskConfig: 'AUTO' | 'MANUAL';
  accessIpV4: string | null;
  accessIpV6: string | null;
  networks: PortRequest[] | 'auto' | 'none';
  securityGroups: string[];
  zone: string | null;
  host: string | null;
  /** Ids of servers whose hosts alone are good, and whose hosts are not. */
  sameHost: string[];
  differentHost: string[];
  /** The server group that it joins, or null. */
  groupId: string | null;
  /** As many as quota allows up to `count`, and none where it does not allow `countMin`. */
  countMin: number;
  count: number;
}

const list = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat());

/**
 * What a body asks for, where Nova's own checks of it alone pass.
 * @param version - older ones describe a server by its name
 * @throws ApiError 400, 403
 */
export function newServerOf(ctx: ActorContext, body: CreateServerBody, version: number): NewServer {
  const { server } = body;
  const placement = placementOf(ctx, server);
  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {};
  if (server.trusted_image_certificates) {
    throw badRequest('Image signatures are not verified here: leave trusted_image_certificates out.');
  }
  const metadata = server.metadata ?? {};
  const networks = requestedNetworks(server.networks);
  return {
    name: server.name,
    description: version >= 19 ? (server.description ?? null) : server.name,
    hostname: server.hostname ?? null,
    flavorId: lastOfPath(server.flavorRef),
    imageId: bootImageOf(server),
    keyName: server.key_name ?? null,
    metadata,
    tags: [...new Set(server.tags ?? [])],
    userData: server.user_data ?? null,
    files: filesOf(server.personality),
    configDrive: server.config_drive ?? false,
    diskConfig: server['OS-DCF:diskConfig'] ?? 'MANUAL',
    accessIpV4: server.accessIPv4 ?? null,
    accessIpV6: server.accessIPv6 ?? null,
    networks,
    securityGroups: [...new Set((server.security_groups ?? []).flatMap((one) => one.name ?? []))],
    ...placement,
    sameHost: list(hints.same_host),
    differentHost: list(hints.different_host),
    groupId: list(hints.group)[0] ?? null,
    ...countsOf(server, networks),
  };
}

/** Nova takes a flavor's URL for its id. */
const lastOfPath = (ref: string): string => ref.split(/[?#]/)[0]?.split('/').at(-1) ?? ref;

function countsOf(server: ServerRequest, networks: NewServer['networks']): Pick<NewServer, 'count' | 'countMin'> {
  const min = server.min_count ?? 1;
  const max = server.max_count ?? min;
  if (min > max) throw badRequest('min_count must be <= max_count');
  if (max > SERVERS_PER_REQUEST_MAX) {
    throw forbidden(
      `Quota exceeded: ${max} servers asked for, but one request makes at most ${SERVERS_PER_REQUEST_MAX}.`,
    );
  }
  const counts = { countMin: min, count: max };
  if (max === 1) return counts;
  if (server.hostname !== undefined) throw badRequest('Unable to allocate a single hostname to multiple instances');
  if (Array.isArray(networks)) {
    if (networks.some((one) => one.portId !== undefined)) {
      throw badRequest(
        'Failed to launch instances: Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.',
      );
    }
    if (networks.some((one) => one.fixedIp !== undefined)) {
      throw badRequest('Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.');
    }
  }
  return counts;
}

/** Where a request wants its server: `zone`, `zone:host` and from 2.74 the host by name; hosts are for operators. */
function placementOf(ctx: ActorContext, server: ServerRequest): { zone: string | null; host: string | null } {
  const [zone = '', ...names] = (server.availability_zone ?? '').split(':');
  if (names.length > 2) throw badRequest('Invalid input received: Unable to parse availability_zone');
  const forced = names.find((name) => name !== '') ?? null;
  if (forced !== null)
    authorize(ctx, policy, 'os_compute_api:servers:create:forced_host', { projectId: ctx.actor.projectId });
  const asked = server.host ?? server.hypervisor_hostname ?? null;
  if (asked !== null) {
    authorize(ctx, policy, 'compute:servers:create:requested_destination', { projectId: ctx.actor.projectId });
    if (forced !== null) {
      throw badRequest(
        'One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.',
      );
    }
  }
  return { zone: zone === '' || forced !== null ? null : zone, host: forced ?? asked };
}
