import { Hono } from 'hono';
import { ApiError, notFound } from '../../http/errors.ts';
import type { ComputeEnv } from '../http/env.ts';

/** The last version that knows what Nova only handed on to other services. */
export const PROXIES_UNTIL = 35;
/** The last version of what had to do with images and lasted a little longer. */
export const IMAGE_METADATA_UNTIL = 38;

/** What Nova has removed for good: it says 410 where it once was, and 404 in versions that never had it. */
const GONE: Readonly<Record<string, number>> = {
  'os-agents': Number.POSITIVE_INFINITY,
  'os-cells': Number.POSITIVE_INFINITY,
  'os-certificates': Number.POSITIVE_INFINITY,
  'os-cloudpipe': Number.POSITIVE_INFINITY,
  'os-fixed-ips': PROXIES_UNTIL,
  'os-floating-ip-dns': PROXIES_UNTIL,
  'os-floating-ips-bulk': PROXIES_UNTIL,
  'os-fping': PROXIES_UNTIL,
  'os-security-group-default-rules': PROXIES_UNTIL,
};

/** Answers for what is no more. */
export const goneRoutes = new Hono<ComputeEnv>();

for (const [path, until] of Object.entries(GONE)) {
  for (const pattern of [`/${path}`, `/${path}/*`]) {
    goneRoutes.all(pattern, (c) => {
      if (c.get('microversion') > until) throw notFound('The resource could not be found.');
      throw new ApiError(410, 'This resource is no longer available. No forwarding address is given.');
    });
  }
}
