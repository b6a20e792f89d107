import { networks, ports, securityGroups, subnets } from '../../../db/schema/network.ts';
import { qosPolicies } from '../../../db/schema/qos.ts';
import { floatingIps, routers } from '../../../db/schema/routers.ts';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import type { ActorContext } from '../../http/context.ts';
import { showFloatingIp } from '../floating-ips/floating-ip-rows.ts';
import { showNetwork } from '../networks/show-network.ts';
import { enforce } from '../policy.ts';
import { showPort } from '../ports/show-port.ts';
import { showQosPolicy } from '../qos/qos-rows.ts';
import { showRouter } from '../routers/router-rows.ts';
import { showGroup } from '../security-groups/show-group.ts';
import { showPool } from '../subnetpools/pool-rows.ts';
import { showSubnet } from '../subnets/show-subnet.ts';

/** A resource with tags, as far as its tags go. */
export interface TaggedRow {
  id: string;
  tags: string[];
  revision: number;
}

/** A kind of resource that has tags. */
export interface Tagged {
  kind: 'network' | 'subnet' | 'port' | 'security_group' | 'subnetpool' | 'router' | 'floatingip' | 'policy';
  table:
    | typeof networks
    | typeof subnets
    | typeof ports
    | typeof securityGroups
    | typeof subnetpools
    | typeof routers
    | typeof floatingIps
    | typeof qosPolicies;
  /** The table's name in the database. */
  name: string;
  /** One that the actor sees. @throws ApiError 404 */
  show(ctx: ActorContext, id: string): Promise<TaggedRow>;
  /** One that the actor may tag. @throws ApiError 403, 404 */
  showToChange(ctx: ActorContext, id: string): Promise<TaggedRow>;
}

export const taggedNetwork: Tagged = {
  kind: 'network',
  table: networks,
  name: 'networks',
  show: showNetwork,
  async showToChange(ctx, id) {
    const row = await showNetwork(ctx, id);
    enforce(ctx, 'update_network', { projectId: row.projectId });
    return row;
  },
};

export const taggedSubnet: Tagged = {
  kind: 'subnet',
  table: subnets,
  name: 'subnets',
  show: showSubnet,
  async showToChange(ctx, id) {
    const row = await showSubnet(ctx, id);
    enforce(ctx, 'update_subnet', { projectId: row.networkProjectId });
    return row;
  },
};

export const taggedSubnetpool: Tagged = {
  kind: 'subnetpool',
  table: subnetpools,
  name: 'subnetpools',
  show: showPool,
  async showToChange(ctx, id) {
    const row = await showPool(ctx, id);
    enforce(ctx, 'update_subnetpool', { projectId: row.projectId });
    return row;
  },
};

export const taggedPort: Tagged = {
  kind: 'port',
  table: ports,
  name: 'ports',
  show: showPort,
  async showToChange(ctx, id) {
    const row = await showPort(ctx, id);
    enforce(ctx, 'update_port', { projectId: row.projectId });
    return row;
  },
};

export const taggedGroup: Tagged = {
  kind: 'security_group',
  table: securityGroups,
  name: 'security_groups',
  show: showGroup,
  async showToChange(ctx, id) {
    const row = await showGroup(ctx, id);
    enforce(ctx, 'update_security_group', { projectId: row.projectId });
    return row;
  },
};

export const taggedRouter: Tagged = {
  kind: 'router',
  table: routers,
  name: 'routers',
  show: showRouter,
  async showToChange(ctx, id) {
    const row = await showRouter(ctx, id);
    enforce(ctx, 'update_router', { projectId: row.projectId });
    return row;
  },
};

export const taggedFloatingIp: Tagged = {
  kind: 'floatingip',
  table: floatingIps,
  name: 'floating_ips',
  show: showFloatingIp,
  async showToChange(ctx, id) {
    const row = await showFloatingIp(ctx, id);
    enforce(ctx, 'update_floatingip', { projectId: row.projectId });
    return row;
  },
};

export const taggedQosPolicy: Tagged = {
  kind: 'policy',
  table: qosPolicies,
  name: 'qos_policies',
  show: showQosPolicy,
  async showToChange(ctx, id) {
    const row = await showQosPolicy(ctx, id);
    enforce(ctx, 'update_policy', { projectId: row.projectId });
    return row;
  },
};
