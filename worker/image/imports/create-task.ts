import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { images, imageTasks } from '../../../db/schema/image.ts';
import { firstProblem } from '../../http/body.ts';
import { AssertionFailed, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { newRow } from '../create-image.ts';
import { parseImageBody } from '../image-body.ts';
import { URI_CHARS_MAX } from '../limits.ts';
import { authorizeImage } from '../policy.ts';
import { typedLimit, withinLimit } from '../usage.ts';
import { sourceOf } from './check-source.ts';
import { importMarks, newTask } from './task-statements.ts';
import type { TaskRow } from './tasks.ts';

export const taskBody = z.object({
  type: z.literal('import'),
  input: z.object({
    import_from: z.string().max(URI_CHARS_MAX),
    import_from_format: z.string(),
    image_properties: z.record(z.string(), z.unknown()),
  }),
});

/**
 * Makes an image and downloads its data, as administrators did before images could be imported by themselves.
 * @throws ApiError 400 not of that form, or from where it may not come; 403; 409 the image's id is taken; 413
 */
export async function createTask(ctx: ActorContext, value: unknown): Promise<TaskRow> {
  authorizeImage(ctx, 'tasks_api_access');
  for (const member of ['type', 'input']) {
    if (!Object.hasOwn(Object(value), member)) throw badRequest(`Task '${member}' is required`);
  }
  const parsed = taskBody.safeParse(value);
  if (!parsed.success) throw badRequest(`Provided object does not match schema 'task': ${firstProblem(parsed.error)}`);
  const { type, input } = parsed.data;
  if (!sourceOf(input.import_from, ctx.env.IMPORT_ALLOW)) {
    throw badRequest(`The image may not be imported from ${input.import_from}.`);
  }
  const formats = { disk_format: input.import_from_format, container_format: 'bare' };
  const image = newRow(ctx, parseImageBody({ ...formats, ...input.image_properties }));
  const task = newTask(ctx, { id: ctx.ids.uuid(), type, input, imageId: image.id, status: 'pending' });
  try {
    await commit(ctx, {
      audit: { action: 'image.import', targetType: 'image', targetId: image.id, detail: { method: type } },
      statements: [
        withinLimit(ctx, image.projectId, 'image_count_total', 1),
        withinLimit(ctx, image.projectId, 'image_count_uploading', 1),
        ctx.db.insert(images).values({ ...image, status: 'importing' }),
        ctx.db
          .update(images)
          .set({ properties: importMarks(task.id, false) })
          .where(eq(images.id, image.id)),
        ctx.db.insert(imageTasks).values(task),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw conflict(`Image ID ${image.id} already exists!`);
    throw error instanceof AssertionFailed ? typedLimit(error, image.projectId) : error;
  }
  ctx.imports.start(task.id);
  return task;
}
