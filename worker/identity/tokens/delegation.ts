import { z } from 'zod';

/** A call that an application credential is limited to. */
export interface AccessRule {
  id: string;
  /** The service's type in the catalog. */
  service: string;
  method: string;
  path: string;
}

/**
 * The method of a token that a service had for a request signed with a key pair. It is for what was asked of that service,
 * on the key pair's project: identity neither acts on it nor exchanges it for another.
 */
export const SIGNED_REQUEST = 'ec2credential';

/** By what a token holds rights that somebody passed on. */
export type Delegation =
  | {
      type: 'application-credential';
      id: string;
      name: string;
      /** May manage other credentials. */
      unrestricted: boolean;
      /** Null: every call. */
      accessRules: AccessRule[] | null;
    }
  | {
      type: 'trust';
      id: string;
      trustorId: string;
      trusteeId: string;
      /** Whose rights they are: of a trust that was passed on, the first trustor. */
      grantorId: string;
      impersonation: boolean;
    };

/** A delegation as it is signed with a token. */
export const packedDelegation = z.union([
  z.tuple([
    z.literal('a'),
    z.string(),
    z.string(),
    z.boolean(),
    z.array(z.tuple([z.string(), z.string(), z.string(), z.string()])).nullable(),
  ]),
  z.tuple([z.literal('t'), z.string(), z.string(), z.string(), z.string(), z.boolean()]),
]);
type Packed = z.infer<typeof packedDelegation>;

export function packDelegation(of: Delegation): Packed {
  if (of.type === 'trust') return ['t', of.id, of.trustorId, of.trusteeId, of.grantorId, of.impersonation];
  const rules = of.accessRules?.map((rule): [string, string, string, string] => [
    rule.id,
    rule.service,
    rule.method,
    rule.path,
  ]);
  return ['a', of.id, of.name, of.unrestricted, rules ?? null];
}

export function unpackDelegation(packed: Packed): Delegation {
  if (packed[0] === 't') {
    const [, id, trustorId, trusteeId, grantorId, impersonation] = packed;
    return { type: 'trust', id, trustorId, trusteeId, grantorId, impersonation };
  }
  const [, id, name, unrestricted, rules] = packed;
  const accessRules = rules?.map(([ruleId, service, method, path]) => ({ id: ruleId, service, method, path })) ?? null;
  return { type: 'application-credential', id, name, unrestricted, accessRules };
}

/** The members of a token in an answer that tell of a delegation. */
export function delegationView(of: Delegation) {
  if (of.type === 'trust') {
    return {
      'OS-TRUST:trust': {
        id: of.id,
        trustor_user: { id: of.trustorId },
        trustee_user: { id: of.trusteeId },
        impersonation: of.impersonation,
      },
    };
  }
  return {
    application_credential: {
      id: of.id,
      name: of.name,
      restricted: !of.unrestricted,
      ...(of.accessRules ? { access_rules: of.accessRules } : {}),
    },
  };
}
