import { z } from 'zod';
import type { Microversion } from '../http/microversion.ts';
import { INTEGER_MAX, integer, name } from '../http/parameters.ts';
import type { GroupPolicy } from './placement.ts';

const hard = z.enum(['anti-affinity', 'affinity']);
const policy = z.enum(['anti-affinity', 'affinity', 'soft-anti-affinity', 'soft-affinity']);
const rules = z.strictObject({ max_server_per_host: integer(1, INTEGER_MAX).optional() });

/** Before 2.64 the policy is a list of one. */
const listed = <Policy extends z.ZodType<GroupPolicy>>(one: Policy) =>
  z
    .strictObject({ name, policies: z.array(one).min(1).max(1) })
    .transform(({ policies, ...rest }) => ({ ...rest, policy: policies[0] as GroupPolicy, rules: undefined }));
const bodies = {
  1: z.strictObject({ server_group: listed(hard) }),
  15: z.strictObject({ server_group: listed(policy) }),
  64: z.strictObject({ server_group: z.strictObject({ name, policy, rules: rules.optional() }) }),
};

export interface ServerGroupInput {
  name: string;
  policy: GroupPolicy;
  rules?: { max_server_per_host?: number | undefined } | undefined;
}

/** The body of a create, by version. */
export const serverGroupBody = (version: Microversion) =>
  bodies[version >= 64 ? 64 : version >= 15 ? 15 : 1] as unknown as z.ZodType<{ server_group: ServerGroupInput }>;
