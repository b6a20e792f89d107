import { Hono } from 'hono';
import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { BadValue, invalidInput, type Parse } from '../api/values.ts';
import { changeTags } from './change-tags.ts';
import { tagList, tagText } from './tag-values.ts';
import type { Tagged } from './tagged.ts';

const tagNotFound = (tag: string) => notFound(`Tag ${tag.slice(0, 64)} could not be found.`, 'TagNotFound');
const idOf = (c: AppContext): string => c.req.param('id') ?? '';
const tagOf = (c: AppContext): string => parsed(tagText, c.req.param('tag'));

/** The tags of one kind of resource, mounted at `/<resources>/:id/tags`. */
export function tagRoutes(tagged: Tagged): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/', async (c) => c.json({ tags: (await tagged.show(actorContext(c), idOf(c))).tags }))
    .put('/', async (c) => {
      const wanted = await sentTags(c);
      return c.json({ tags: await changeTags(actorContext(c), tagged, { id: idOf(c), change: () => wanted }) });
    })
    .delete('/', async (c) => {
      await changeTags(actorContext(c), tagged, { id: idOf(c), change: () => [] });
      return c.body(null, 204);
    })
    .get('/:tag', async (c) => {
      const { tags } = await tagged.show(actorContext(c), idOf(c));
      if (!tags.includes(tagOf(c))) throw tagNotFound(tagOf(c));
      return c.body(null, 204);
    })
    .put('/:tag', async (c) => {
      await changeTags(actorContext(c), tagged, { id: idOf(c), change: (tags) => [...tags, tagOf(c)] });
      return c.body(null, 201);
    })
    .delete('/:tag', async (c) => {
      const tag = tagOf(c);
      const without = (tags: string[]) => {
        if (!tags.includes(tag)) throw tagNotFound(tag);
        return tags.filter((one) => one !== tag);
      };
      await changeTags(actorContext(c), tagged, { id: idOf(c), change: without });
      return c.body(null, 204);
    });
}

async function sentTags(c: AppContext): Promise<string[]> {
  const body = await parseBody(c, z.unknown());
  if (body === null || typeof body !== 'object' || !('tags' in body)) throw invalidInput('Invalid tags body');
  return parsed(tagList, body.tags);
}

function parsed<T>(parse: Parse<T>, value: unknown): T {
  try {
    return parse(value);
  } catch (error) {
    throw error instanceof BadValue ? invalidInput(error.message) : error;
  }
}
