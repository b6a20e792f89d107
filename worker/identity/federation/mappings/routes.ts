import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../../http/context.ts';
import { checkValue, readMember } from '../../http/body.ts';
import { renderWhole } from '../../http/collection.ts';
import { federationUrl, word } from '../names.ts';
import { mappingBody } from './body.ts';
import {
  createMapping,
  deleteMapping,
  listMappings,
  type MappingRow,
  showMapping,
  updateMapping,
} from './save-mapping.ts';

export const mappingRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const rows = await listMappings(ctx);
    return renderWhole(
      c,
      'mappings',
      rows.map((row) => mappingView(ctx.baseUrl, row)),
    );
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ mapping: mappingView(ctx.baseUrl, await showMapping(ctx, c.req.param('id'))) });
  })
  .put('/:id', async (c) => {
    const ctx = actorContext(c);
    const id = checkValue(c.req.param('id'), word);
    const row = await createMapping(ctx, { id, ...(await readMember(c, 'mapping', mappingBody)) });
    return c.json({ mapping: mappingView(ctx.baseUrl, row) }, 201);
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'mapping', mappingBody);
    const row = await updateMapping(ctx, { id: c.req.param('id'), ...input });
    return c.json({ mapping: mappingView(ctx.baseUrl, row) });
  })
  .delete('/:id', async (c) => {
    await deleteMapping(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });

const mappingView = (baseUrl: string, { id, rules, schemaVersion }: MappingRow) => ({
  id,
  rules,
  schema_version: schemaVersion,
  links: { self: federationUrl(baseUrl, 'mappings', id) },
});
