import { Hono } from 'hono';
import { z } from 'zod';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { badRequest, unauthorized } from '../../http/errors.ts';
import { checkValue, readBody } from '../http/body.ts';
import { renderWhole } from '../http/collection.ts';
import { answerToken } from '../tokens/answer-token.ts';
import { authenticateRequest } from './authenticate-request.ts';
import { createKeyPair, deleteKeyPair, findKeyPair, keyPairView, listKeyPairs } from './key-pairs.ts';
import { signedRequest } from './signatures.ts';

export const keyPairToCreate = z.object({ tenant_id: z.string() });

/** Key pairs for EC2 and S3, under the user's own path. */
export const keyPairRoutes = new Hono<AppEnv>()
  .get('/:user/credentials/OS-EC2', async (c) => {
    const ctx = actorContext(c);
    const found = await listKeyPairs(ctx, c.req.param('user'));
    const views = found.map((one) => keyPairView(ctx.baseUrl, one));
    return renderWhole(c, 'credentials', views);
  })
  .post('/:user/credentials/OS-EC2', async (c) => {
    const ctx = actorContext(c);
    const { tenant_id } = checkValue(await readBody(c), keyPairToCreate);
    const made = await createKeyPair(ctx, { userId: c.req.param('user'), projectId: tenant_id });
    return c.json({ credential: keyPairView(ctx.baseUrl, made) }, 201);
  })
  .get('/:user/credentials/OS-EC2/:access', async (c) => {
    const ctx = actorContext(c);
    return c.json({ credential: keyPairView(ctx.baseUrl, await findKeyPair(ctx, c.req.param('access'))) });
  })
  .delete('/:user/credentials/OS-EC2/:access', async (c) => {
    await deleteKeyPair(actorContext(c), c.req.param('access'));
    return c.body(null, 204);
  });

/** A service's question who signed a request. */
const answer = (service: 'ec2' | 's3') => async (c: AppContext) => {
  const body = await readBody(c);
  const given = body.credentials ?? body.credential ?? body.ec2Credentials;
  if (Object.keys(body).length === 0) throw badRequest('request must include a request body');
  const parsed = signedRequest.safeParse(given);
  if (!parsed.success) throw unauthorized();
  const issued = await authenticateRequest(actorContext(c), service, parsed.data);
  const response = await answerToken(c, 200, issued);
  // S3's services are told who it was; they act as themselves.
  if (service === 's3') response.headers.delete('x-subject-token');
  return response;
};

export const ec2TokenRoutes = new Hono<AppEnv>().post('/', answer('ec2'));
export const s3TokenRoutes = new Hono<AppEnv>().post('/', answer('s3'));
