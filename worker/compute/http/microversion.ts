import { ApiError, badRequest } from '../../http/errors.ts';

/**
 * The minor number of Nova's API version 2.x: `37` for 2.37.
 * Clients that name none get the lowest, as with Nova.
 */
export type Microversion = number;

export const MICROVERSION_MIN: Microversion = 1;
/**
 * The highest that is honoured in full by what is built here: 2.94 takes whole domain names for hostnames. The next ones say
 * how evacuated servers come up (2.95) and which zone a server was asked for in (2.96).
 */
export const MICROVERSION_MAX: Microversion = 94;

/** A version as Nova writes it. */
export const versionText = (version: Microversion): string => `2.${version}`;

/**
 * The version that a request names, in `OpenStack-API-Version: compute 2.x` or in the older header of Nova alone.
 * @throws ApiError 400 not a version; 406 a version outside what is served, with that version in the answer's headers
 */
export function negotiate(headers: { standard: string | undefined; legacy: string | undefined }): Microversion {
  const named = fromStandard(headers.standard) ?? headers.legacy?.trim();
  if (named === undefined) return MICROVERSION_MIN;
  if (named === 'latest') return MICROVERSION_MAX;
  const parts = /^([1-9]\d{0,8})\.([1-9]\d{0,8}|0)$/.exec(named);
  if (!parts) {
    throw badRequest(`API Version String ${named} is of invalid format. Must be of format MajorNum.MinorNum.`);
  }
  const minor = Number(parts[2]);
  if (parts[1] !== '2' || minor < MICROVERSION_MIN || minor > MICROVERSION_MAX) {
    const range = `Minimum is ${versionText(MICROVERSION_MIN)} and maximum is ${versionText(MICROVERSION_MAX)}.`;
    throw new ApiError(406, `Version ${named} is not supported by the API. ${range}`, {
      headers: versionHeaders(named),
    });
  }
  return minor;
}

/** What every answer under a version says of it. */
export function versionHeaders(version: string): Record<string, string> {
  return {
    'openstack-api-version': `compute ${version}`,
    'x-openstack-nova-api-version': version,
    vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
  };
}

/** The header may name several services: `compute 2.37, identity 3.14`. */
function fromStandard(header: string | undefined): string | undefined {
  for (const one of header?.split(',') ?? []) {
    const [service, version] = one.trim().split(/\s+/, 2);
    if (service?.toLowerCase() === 'compute' && version) return version;
  }
  return undefined;
}
