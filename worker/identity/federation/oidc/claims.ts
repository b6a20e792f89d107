import type { Assertion } from '../mapping/evaluate.ts';

/** What a provider says of somebody. */
export type Claims = Readonly<Record<string, unknown>>;

const CLAIMS_MAX = 256;
const VALUES_MAX = 1_024;

/**
 * Claims under the names that mappings know from Apache's mod_auth_openidc, by whichever prefix it was told to use: `email`
 * is `OIDC-email`, `HTTP_OIDC_EMAIL`, `OIDC_CLAIM_email` and `HTTP_OIDC_CLAIM_EMAIL`. A list has several values; a text
 * is one, whatever is in it.
 */
export function assertionOf(claims: Claims): Assertion {
  const assertion: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(claims).slice(0, CLAIMS_MAX)) {
    const values = valuesOf(value);
    const upper = name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase();
    assertion[`OIDC-${name}`] = values;
    assertion[`OIDC_CLAIM_${name}`] = values;
    assertion[`HTTP_OIDC_${upper}`] = values;
    assertion[`HTTP_OIDC_CLAIM_${upper}`] = values;
  }
  const { sub, iss } = claims;
  if (typeof sub === 'string' && typeof iss === 'string')
    assertion.REMOTE_USER = [`${sub}@${iss.replace(/^https?:\/\//, '')}`];
  return assertion;
}

function valuesOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [textOf(value)];
  const plain = value.every((one) => ['string', 'number', 'boolean'].includes(typeof one));
  return plain ? value.slice(0, VALUES_MAX).map(textOf) : [JSON.stringify(value)];
}

/** As Apache's module writes it. */
function textOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
