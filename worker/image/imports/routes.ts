import { Hono } from 'hono';
import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { onlyMethods } from '../only-methods.ts';
import { authorizeImage } from '../policy.ts';
import { uploadInput } from '../upload-input.ts';
import { showUsage } from '../usage.ts';
import { createTask } from './create-task.ts';
import { parseImport } from './import-body.ts';
import { importImage } from './import-image.ts';
import { stageImage } from './stage-image.ts';
import { deleteFromStore, IMPORT_METHODS, storesDetailView, storesView } from './stores.ts';
import { imageTaskView, tasksView, taskView } from './task-views.ts';
import { findTask, listTasks, listTasksOfImage } from './tasks.ts';

const anyJson = z.unknown();

/** Staging and importing images, what comes of it, and where images can be. Mounted beside images. */
export const importRoutes = new Hono<AppEnv>();

importRoutes.put('/images/:id/stage', async (c) => {
  await stageImage(actorContext(c), c.req.param('id'), uploadInput(c));
  return c.body(null, 204);
});
importRoutes.all('/images/:id/stage', onlyMethods('PUT'));
importRoutes.post('/images/:id/import', async (c) => {
  const request = parseImport(await parseBody(c, anyJson), c.req.header('x-image-meta-store'));
  await importImage(actorContext(c), c.req.param('id'), request);
  return c.body(null, 202);
});
importRoutes.all('/images/:id/import', onlyMethods('POST'));
importRoutes.get('/images/:id/tasks', async (c) => {
  const tasks = await listTasksOfImage(actorContext(c), c.req.param('id'));
  return c.json({ tasks: tasks.map(imageTaskView) });
});

importRoutes.get('/tasks', async (c) => {
  const query = new URL(c.req.url).searchParams;
  return c.json(tasksView(await listTasks(actorContext(c), query), query));
});
importRoutes.post('/tasks', async (c) => {
  const task = await createTask(actorContext(c), await parseBody(c, anyJson));
  return c.json(taskView(task), 201, { location: `/v2/tasks/${task.id}` });
});
importRoutes.all('/tasks', onlyMethods('GET, POST'));
importRoutes.get('/tasks/:id', async (c) => c.json(taskView(await findTask(actorContext(c), c.req.param('id')))));
importRoutes.delete('/tasks/:id', (c) => {
  authorizeImage(actorContext(c), 'tasks_api_access');
  throw new ApiError(
    405,
    'This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time based on their expires_at property.',
    { headers: { allow: 'GET' } },
  );
});
importRoutes.all('/tasks/:id', onlyMethods('GET, DELETE'));

importRoutes.get('/info/import', (c) =>
  c.json({ 'import-methods': { description: 'Import methods available.', type: 'array', value: IMPORT_METHODS } }),
);
importRoutes.get('/info/stores', (c) => c.json(storesView()));
importRoutes.get('/info/stores/detail', (c) => c.json(storesDetailView(actorContext(c))));
importRoutes.get('/info/usage', async (c) => c.json({ usage: await showUsage(actorContext(c)) }));
importRoutes.all('/info/:what{import|stores|usage}', onlyMethods('GET'));
importRoutes.all('/info/stores/detail', onlyMethods('GET'));

importRoutes.delete('/stores/:store/:id', (c) =>
  deleteFromStore(actorContext(c), c.req.param('store'), c.req.param('id')),
);
importRoutes.all('/stores/:store/:id', onlyMethods('DELETE'));

/** A cache of images is an option of Glance's deployments; here each machine has its own. */
const noCache = (action: 'cache_list' | 'cache_delete' | 'cache_image') => (c: AppContext) => {
  authorizeImage(actorContext(c), action);
  throw notFound('Caching via API is not supported at this site.');
};
importRoutes.get('/cache', noCache('cache_list'));
importRoutes.delete('/cache', noCache('cache_delete'));
importRoutes.all('/cache', onlyMethods('GET, DELETE'));
importRoutes.delete('/cache/:id', noCache('cache_delete'));
importRoutes.put('/cache/:id', noCache('cache_image'));
importRoutes.all('/cache/:id', onlyMethods('DELETE, PUT'));
