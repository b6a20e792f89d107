import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { answerList, answerShow } from '../api/collection.ts';
import { ipUseListing, ipUseView, listIpUse, type NetworkUse, showIpUse } from './ip-availability.ts';
import { listZones } from './list-zones.ts';

/** A network's own id is no part of what is shown. */
const shown = ({ id: _id, ...view }: ReturnType<typeof ipUseView>) => view;

/** `/network-ip-availabilities`: how many addresses are left. */
export const ipAvailabilityRoutes = new Hono<AppEnv>()
  .get('/', (c) => {
    const ctx = actorContext(c);
    const view = (row: NetworkUse) => shown(ipUseView(row)) as ReturnType<typeof ipUseView>;
    const collection = { name: 'network_ip_availabilities', listing: ipUseListing, view };
    return answerList(c, collection, (query) => listIpUse(ctx, query, c.req.query('ip_version') ?? null));
  })
  .get('/:id', async (c) => {
    const use = await showIpUse(actorContext(c), c.req.param('id'));
    return answerShow(c, 'network_ip_availability', shown(ipUseView(use)));
  });

/** `/availability_zones`: where networks and routers can be. */
export const zoneRoutes = new Hono<AppEnv>().get('/', async (c) => {
  const asked = (name: string) => c.req.query(name);
  const zones = (await listZones(actorContext(c))).filter(
    (zone) =>
      zone.name === (asked('name') ?? zone.name) &&
      zone.resource === (asked('resource') ?? zone.resource) &&
      zone.state === (asked('state') ?? zone.state),
  );
  return c.json({ availability_zones: zones });
});

/** `/service-providers`: who provides routers and the like where there is a choice; there is none. */
export const serviceProviderRoutes = new Hono<AppEnv>().get('/', (c) => c.json({ service_providers: [] }));
