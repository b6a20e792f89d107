import { z } from 'zod';
import { intranetExceptionSpec, intranetSpec } from './intranet.ts';
import {
  addressGroupSpec,
  groupMemberSpec,
  neighborSpec,
  networkSpec,
  portSpec,
  securityGroupSpec,
} from './network.ts';
import { floatingIpSpec, portForwardingSpec, routerSpec } from './router.ts';
import { serverSpec } from './server.ts';

/** The kinds of desired state, in the order in which a runner applies them (and removes them backwards). */
export const KINDS = [
  'intranet',
  'intranet-exception',
  'network',
  'neighbor',
  'router',
  'address-group',
  'security-group',
  'group-member',
  'port',
  'floating-ip',
  'port-forwarding',
  'server',
] as const;
export const kind = z.enum(KINDS);
export type Kind = z.infer<typeof kind>;

/** What an operation can be for: an object of desired state, or an image, which is none. */
export const operationTarget = z.enum([...KINDS, 'image']);
export type OperationTarget = z.infer<typeof operationTarget>;

export const specOf = {
  intranet: intranetSpec,
  'intranet-exception': intranetExceptionSpec,
  network: networkSpec,
  neighbor: neighborSpec,
  router: routerSpec,
  'address-group': addressGroupSpec,
  'security-group': securityGroupSpec,
  'group-member': groupMemberSpec,
  port: portSpec,
  'floating-ip': floatingIpSpec,
  'port-forwarding': portForwardingSpec,
  server: serverSpec,
} as const;
export type SpecOf<K extends Kind> = z.infer<(typeof specOf)[K]>;
