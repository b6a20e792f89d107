import type { SQL } from 'drizzle-orm';
import type { Observation, RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Kind } from '../../shared/specs/kinds.ts';
import { serverOperationUpdated } from '../compute/observe-operation.ts';
import { serverObserved } from '../compute/observe-server.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { floatingIpObserved, portForwardingObserved, routerObserved } from '../network/edge/observe-floating-ip.ts';
import { networkObserved } from '../network/observe-network.ts';
import { portObserved } from '../network/observe-port.ts';

/** What a report changes in the database: statements for one batch, and the runners whose desired state they change. */
export interface Effect {
  statements: Statement[];
  touches?: SQL;
}
export type Observer = (ctx: Context, runnerId: string, observation: Observation) => Effect;

const nothing: Observer = () => ({ statements: [] });

/** Which service takes a report of which kind. A report never reads: every statement carries its own condition. */
export const observers: Record<Kind, Observer> = {
  intranet: nothing,
  'intranet-exception': nothing,
  network: networkObserved,
  neighbor: nothing,
  router: routerObserved,
  'address-group': nothing,
  'security-group': nothing,
  'group-member': nothing,
  port: portObserved,
  'floating-ip': floatingIpObserved,
  'port-forwarding': portForwardingObserved,
  server: serverObserved,
};

export type OperationObserver = (ctx: Context, runnerId: string, update: RunnerMessageOf<'operation-update'>) => Effect;

/** Which service takes the end of an operation, by the kind of its target. */
export const operationObservers: Partial<Record<Kind, OperationObserver>> = { server: serverOperationUpdated };
