import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../../http/context.ts';
import { checkValue, readMember } from '../../http/body.ts';
import { renderWhole } from '../../http/collection.ts';
import { federationUrl, word } from '../names.ts';
import { protocolToCreate, protocolToUpdate } from './body.ts';
import { deleteProtocol } from './delete-protocol.ts';
import { listProtocols, type ProtocolRow, showProtocol } from './find-protocol.ts';
import { createProtocol, updateProtocol } from './save-protocol.ts';

export const protocolRoutes = new Hono<AppEnv>()
  .get('/:idp/protocols', async (c) => {
    const ctx = actorContext(c);
    const rows = await listProtocols(ctx, c.req.param('idp'));
    const views = rows.map((row) => ({
      ...protocolView(ctx.baseUrl, row),
      idp_id: row.idpId,
      remote_id_attribute: row.remoteIdAttribute,
    }));
    return renderWhole(c, 'protocols', views);
  })
  .get('/:idp/protocols/:id', async (c) => {
    const ctx = actorContext(c);
    const row = await showProtocol(ctx, c.req.param('idp'), c.req.param('id'));
    return c.json({ protocol: protocolView(ctx.baseUrl, row) });
  })
  .put('/:idp/protocols/:id', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'protocol', protocolToCreate);
    const row = await createProtocol(ctx, {
      idpId: c.req.param('idp'),
      id: checkValue(c.req.param('id'), word),
      ...input,
    });
    return c.json({ protocol: protocolView(ctx.baseUrl, row) }, 201);
  })
  .patch('/:idp/protocols/:id', async (c) => {
    const ctx = actorContext(c);
    const change = await readMember(c, 'protocol', protocolToUpdate);
    const row = await updateProtocol(ctx, { idpId: c.req.param('idp'), id: c.req.param('id'), change });
    return c.json({ protocol: protocolView(ctx.baseUrl, row) });
  })
  .delete('/:idp/protocols/:id', async (c) => {
    await deleteProtocol(actorContext(c), c.req.param('idp'), c.req.param('id'));
    return c.body(null, 204);
  });

/** A protocol as the API shows it alone; in a list Keystone shows more of it. */
function protocolView(baseUrl: string, row: ProtocolRow) {
  const provider = federationUrl(baseUrl, 'identity_providers', row.idpId);
  return {
    id: row.id,
    mapping_id: row.mappingId,
    links: {
      self: federationUrl(baseUrl, 'identity_providers', row.idpId, 'protocols', row.id),
      identity_provider: provider,
    },
  };
}
