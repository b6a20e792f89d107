import { Hono } from 'hono';
import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { ipAddress, tag, uuid } from '../http/parameters.ts';
import { check, readBody } from '../http/validate.ts';
import { attachInterface } from './attach-interface.ts';
import { detachInterface } from './detach-interface.ts';
import { interfaceView, listInterfaces, showInterface } from './find-interfaces.ts';

const attachment = {
  net_id: uuid.optional(),
  port_id: uuid.optional(),
  fixed_ips: z
    .array(z.strictObject({ ip_address: ipAddress }))
    .min(1)
    .max(1)
    .optional(),
};
const body = z.strictObject({ interfaceAttachment: z.strictObject(attachment).optional() });
export const interfaceBody = z.strictObject({
  interfaceAttachment: z.strictObject({ ...attachment, tag: tag.optional() }).optional(),
});

const idOf = (c: ComputeContext): string => c.req.param('id') ?? '';
const portOf = (c: ComputeContext): string => c.req.param('port') ?? '';

/** `/servers/{id}/os-interface`: the ports of a server, plugged and unplugged. */
export const interfaceRoutes = new Hono<ComputeEnv>();

interfaceRoutes.get('/', async (c) => {
  const ports = await listInterfaces(actorOf(c), idOf(c));
  return c.json({ interfaceAttachments: ports.map((port) => interfaceView(port, c.get('microversion'))) });
});
interfaceRoutes.get('/:port', async (c) => shown(c, portOf(c)));
interfaceRoutes.post('/', async (c) => {
  const schema: z.ZodType<z.infer<typeof interfaceBody>> = c.get('microversion') >= 49 ? interfaceBody : body;
  const wanted = check(await readBody(c), schema).interfaceAttachment ?? {};
  const fixedIp = wanted.fixed_ips?.[0]?.ip_address;
  if (wanted.net_id && wanted.port_id) throw badRequest('Must not input both network_id and port_id');
  if (fixedIp && !wanted.net_id) throw badRequest('Must input network_id when request IP address');
  const portId = await attachInterface(actorOf(c), idOf(c), {
    ...(wanted.net_id ? { networkId: wanted.net_id } : {}),
    ...(wanted.port_id ? { portId: wanted.port_id } : {}),
    ...(fixedIp ? { fixedIp } : {}),
    ...(wanted.tag === undefined ? {} : { tag: wanted.tag }),
  });
  return shown(c, portId);
});
interfaceRoutes.delete('/:port', async (c) => {
  await detachInterface(actorOf(c), idOf(c), portOf(c));
  return c.body(null, 202);
});

async function shown(c: ComputeContext, portId: string): Promise<Response> {
  const port = await showInterface(actorOf(c), idOf(c), portId);
  return c.json({ interfaceAttachment: interfaceView(port, c.get('microversion')) });
}
