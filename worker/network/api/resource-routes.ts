import { Hono } from 'hono';
import { type ActorContext, type AppEnv, actorContext } from '../../http/context.ts';
import { type Attributes, type Created, createValues, type Updated, updateValues } from './attributes.ts';
import { createBody, updateBody, withOwner } from './body.ts';
import { answerCreated, answerList, answerShow, refuseBody } from './collection.ts';
import type { Listing, ListQuery } from './listing.ts';
import { expectedRevision } from './races.ts';

/** What an update gives its verb. */
export interface Update<A extends Attributes> {
  id: string;
  changes: Updated<A>;
  /** What an `If-Match` asks for; only where a resource has revisions. */
  expectedRevision: number | undefined;
}
/** What a delete gives its verb. */
export type Removal = Omit<Update<Attributes>, 'changes'>;
/** What a create gives its verb of each resource asked for. */
export type New<A extends Attributes> = Created<A> & { projectId: string };

/** A kind of resource with the five plain calls: its names in bodies, its attributes, and the verbs behind them. */
export interface Resource<Row, A extends Attributes> {
  one: string;
  many: string;
  attributes: A;
  listing: Listing;
  view(ctx: ActorContext, row: Row): { id: string };
  list(ctx: ActorContext, query: ListQuery): Promise<Row[]>;
  show(ctx: ActorContext, id: string): Promise<Row>;
  create(ctx: ActorContext, inputs: New<A>[]): Promise<Row[]>;
  update(ctx: ActorContext, input: Update<A>): Promise<Row>;
  remove(ctx: ActorContext, input: Removal): Promise<void>;
}

/** Every kind of resource that has such routes, by its plural: what is sent to them is made of its attributes and filters. */
export const RESOURCES = new Map<string, { one: string; many: string; attributes: Attributes; listing: Listing }>();

/** The routes of a kind of resource. */
export function resourceRoutes<Row, A extends Attributes>(resource: Resource<Row, A>): Hono<AppEnv> {
  const { one, many, attributes, listing } = resource;
  RESOURCES.set(many, { one, many, attributes, listing });
  return new Hono<AppEnv>()
    .get('/', (c) => {
      const ctx = actorContext(c);
      const view = (row: Row) => resource.view(ctx, row);
      return answerList(c, { name: many, listing, view }, (query) => resource.list(ctx, query));
    })
    .post('/', async (c) => {
      const ctx = actorContext(c);
      const { bulk, items } = await createBody(c, one, many);
      const inputs = items.map((item) => {
        const { sent, projectId } = withOwner(ctx, item);
        return { ...createValues(attributes, sent), projectId };
      });
      const rows = await resource.create(ctx, inputs);
      return answerCreated(
        c,
        { one, many },
        bulk,
        rows.map((row) => resource.view(ctx, row)),
      );
    })
    .get('/:id', async (c) => {
      const ctx = actorContext(c);
      return answerShow(c, one, resource.view(ctx, await resource.show(ctx, c.req.param('id'))));
    })
    .put('/:id', async (c) => {
      const ctx = actorContext(c);
      const changes = updateValues(attributes, await updateBody(c, one));
      const row = await resource.update(ctx, { id: c.req.param('id'), changes, expectedRevision: expectedRevision(c) });
      return c.json({ [one]: resource.view(ctx, row) });
    })
    .delete('/:id', async (c) => {
      await refuseBody(c);
      await resource.remove(actorContext(c), { id: c.req.param('id'), expectedRevision: expectedRevision(c) });
      return c.body(null, 204);
    });
}
