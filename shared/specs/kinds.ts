import { z } from 'zod';
import { groupMemberSpec, networkSpec, portSpec, securityGroupSpec } from './network.ts';
import { serverSpec } from './server.ts';

/** The kinds of desired state, in the order in which a runner applies them (and removes them backwards). */
export const KINDS = ['network', 'security-group', 'group-member', 'port', 'server'] as const;
export const kind = z.enum(KINDS);
export type Kind = z.infer<typeof kind>;

/** What an operation can be for: an object of desired state, or an image, which is none. */
export const operationTarget = z.enum([...KINDS, 'image']);
export type OperationTarget = z.infer<typeof operationTarget>;

export const specOf = {
  network: networkSpec,
  'security-group': securityGroupSpec,
  'group-member': groupMemberSpec,
  port: portSpec,
  server: serverSpec,
} as const;
export type SpecOf<K extends Kind> = z.infer<(typeof specOf)[K]>;
