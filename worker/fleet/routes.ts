import { Hono } from 'hono';
import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from '../../shared/limits.ts';
import { billingRoutes } from '../billing/routes.ts';
import { joinConsole } from '../compute/consoles/open-console.ts';
import { parseBody, parseValue } from '../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../http/context.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { authenticate } from '../identity/authenticate.ts';
import { uploadInput } from '../image/upload-input.ts';
import { meteringRoutes } from '../metering/routes.ts';
import { appliedRoutes } from '../network/applied/routes.ts';
import { intranetRoutes } from '../network/intranet/routes.ts';
import { createJoinToken, joinTokenBody } from './create-join-token.ts';
import { deleteJoinToken } from './delete-join-token.ts';
import { enrolBody, enrolRunner } from './enrol-runner.ts';
import { renderFault } from './faults.ts';
import { listJoinTokens } from './list-join-tokens.ts';
import { listRunners } from './list-runners.ts';
import { removeRunner } from './remove-runner.ts';
import { requireEnrolled } from './require-enrolled.ts';
import { requireSession } from './require-session.ts';
import { rotateRunner } from './rotate-runner.ts';
import { runnerImage, takeRunnerImage } from './runner-image.ts';
import { showRunner } from './show-runner.ts';
import { runnerPatch, updateRunner } from './update-runner.ts';

const uuid = z.uuid();
/** A poll carries frames; the largest is a console's answer. */
const POLL_BYTES_MAX = 2 * MESSAGE_BYTES_MAX;
export const pollBody = z.object({ session: z.string().max(64).nullable(), frames: z.array(z.string()).max(200) });

const linkOf = (c: AppContext, runnerId: string) => c.env.RUNNER_LINK.get(c.env.RUNNER_LINK.idFromName(runnerId));
const runnerId = (c: AppContext) => parseValue(c.req.param('id'), uuid);

/** `/aerostat/v1`: what OpenStack has no API for. Here, the fleet. */
export const fleet = new Hono<AppEnv>();

fleet.onError((error, c) => renderFault(error, c));
fleet.use(refuseNul);

// What runners call: each proves itself by a join token, by its key in the hello, or by its session's bearer.
fleet.post('/runners/enrol', async (c) =>
  c.json({ runner: await enrolRunner(c.get('ctx'), await parseBody(c, enrolBody)) }, 201),
);
fleet.get('/runners/:id/link', async (c) => {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
    throw new ApiError(426, 'This is a WebSocket: send an upgrade, or POST to poll.');
  const id = runnerId(c);
  await requireEnrolled(c.get('ctx'), id);
  return linkOf(c, id).fetch(new Request(`http://link/${id}`, c.req.raw));
});
fleet.post('/runners/:id/poll', async (c) => {
  const { session, frames } = await parseBody(c, pollBody, /^application\/json\b/, POLL_BYTES_MAX);
  const id = runnerId(c);
  if (session === null) await requireEnrolled(c.get('ctx'), id);
  const answer = await linkOf(c, id).poll(id, session, frames);
  if (!answer) throw new ApiError(410, 'This session is over; begin a new one.', { type: 'session-lost' });
  return c.json(answer);
});
fleet.get('/runner/images/:id', (c) =>
  runnerImage(c.get('ctx'), c.req.header('authorization'), parseValue(c.req.param('id'), uuid), c.req.header('range')),
);
fleet.put('/runner/images/:id', async (c) => {
  await takeRunnerImage(
    c.get('ctx'),
    c.req.header('authorization'),
    parseValue(c.req.param('id'), uuid),
    uploadInput(c),
  );
  return c.body(null, 204);
});

fleet.get('/runner/consoles/:relay', async (c) => {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new ApiError(426, 'This is a WebSocket.');
  const ctx = c.get('ctx');
  const { id } = await requireSession(ctx, c.req.header('authorization'));
  return joinConsole(ctx, { runnerId: id, relayId: parseValue(c.req.param('relay'), uuid), upgrade: c.req.raw });
});

// What operators call.
fleet.use('/join-tokens/*', authenticate).use('/runners/*', authenticate);
fleet.post('/join-tokens', async (c) =>
  c.json({ join_token: await createJoinToken(actorContext(c), await parseBody(c, joinTokenBody)) }, 201),
);
fleet.get('/join-tokens', async (c) => c.json({ join_tokens: await listJoinTokens(actorContext(c)) }));
fleet.delete('/join-tokens/:id', async (c) => {
  await deleteJoinToken(actorContext(c), c.req.param('id'));
  return c.body(null, 204);
});
fleet.get('/runners', async (c) => c.json({ runners: await listRunners(actorContext(c)) }));
fleet.get('/runners/:id', async (c) => c.json({ runner: await showRunner(actorContext(c), c.req.param('id')) }));
fleet.patch('/runners/:id', async (c) => {
  const { runner } = await parseBody(c, runnerPatch);
  return c.json({ runner: await updateRunner(actorContext(c), c.req.param('id'), runner) });
});
fleet.post('/runners/:id/rotate', async (c) => {
  await rotateRunner(actorContext(c), c.req.param('id'));
  return c.body(null, 202);
});
fleet.delete('/runners/:id', async (c) => {
  await removeRunner(actorContext(c), c.req.param('id'), c.req.query('force') === 'true');
  return c.body(null, 204);
});
fleet.route('/intranet', intranetRoutes);
fleet.route('/metering', meteringRoutes);
fleet.route('/applied', appliedRoutes);
fleet.route('/billing', billingRoutes);
fleet.all('*', (c) => {
  throw notFound(`${c.req.method} ${c.req.path} is not known here.`);
});
