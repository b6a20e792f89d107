import type { Statement } from '../http/commit.ts';
import type { Context, ProjectContext } from '../http/context.ts';

/** One interface that a server create asks for: a network, an address on it, or a port that exists. */
export interface PortRequest {
  networkId?: string;
  fixedIp?: string;
  portId?: string;
}

export interface ServerPortsInput {
  serverId: string;
  /** DNS label of the guest, for DHCP. */
  hostname: string;
  /** `auto`: the project's only usable network, a shared one included; none found is no interface, as in Nova. */
  requests: PortRequest[] | 'auto' | 'none';
  /** Names or ids; empty: the project's default group. */
  securityGroups: string[];
}

/** What the create writes: ports in the order of the requests, and statements for the batch that holds the server row. */
export interface PortPlan {
  portIds: string[];
  statements: Statement[];
}

/** The reads that `planServerPorts` needs, to be run in the caller's one batch of reads; rows come back in this order. */
export function serverPortReads(_ctx: ProjectContext, _input: ServerPortsInput): Statement[] {
  return [];
}

/**
 * Plans a new server's ports, addresses and their desired state on a runner. Addresses are picked from the rows read; the
 * unique keys of the schema refuse a pick that lost a race (`ConstraintFailed` on ip_allocations or ports), and the caller
 * reads and plans again.
 * @throws ApiError 400 unknown network, group or address; 409 port in use, several networks without a choice, no address left
 */
export async function planServerPorts(
  _ctx: ProjectContext,
  _input: ServerPortsInput,
  _rows: unknown[],
  _runnerId: string,
): Promise<PortPlan> {
  return { portIds: [], statements: [] };
}

/** Statements that want a server's ports gone from its runner: for the batch of a delete. Rows stay until the guest is absent. */
export function dropServerPorts(_ctx: Context, _serverId: string): Statement[] {
  return [];
}

/** Statements that free a server's ports once its guest is gone: owned ones are deleted with their addresses, others detached. */
export function releaseServerPorts(_ctx: Context, _serverId: string): Statement[] {
  return [];
}
