import { Hono } from 'hono';
import { allowedMethods, noSuchRoute } from '../../http/allowed-methods.ts';
import type { AppContext, AppEnv } from '../../http/context.ts';
import { refuseNul } from '../../http/refuse-nul.ts';
import { authenticate } from '../../identity/authenticate.ts';
import { renderFault } from './faults.ts';
import { v1 } from './routes-v1.ts';
import { v2 } from './routes-v2.ts';

const VERSIONS = [
  { id: 'v1', status: 'SUPPORTED', updated: '2014-08-11T16:00:00Z' },
  { id: 'v2', status: 'CURRENT', updated: '2019-06-01T00:00:00Z' },
];
const versionView = (c: AppContext, { id, ...of }: (typeof VERSIONS)[number]) => ({
  id,
  ...of,
  links: [{ rel: 'self', href: `${c.get('ctx').baseUrl}/rating/${id}` }],
  media_types: [],
});

/** `/rating`: what billing has booked, as CloudKitty's API tells it. */
export const rating = new Hono<AppEnv>({ strict: false });
rating.onError((error, c) => renderFault(error, c));
rating.use(refuseNul);
rating.get('/', (c) => c.json({ versions: VERSIONS.map((one) => versionView(c, one)) }));
rating.use('/:version{v[12]}/*', authenticate);
rating.route('/v1', v1).route('/v2', v2);
rating.all('*', (c) => {
  throw noSuchRoute(allowedMethods(rating, c.req.path.replace(/^(\/r\/[^/]+)?\/rating/, '')), c.req.method);
});
