import type { AppContext } from '../../http/context.ts';
import { catalogOf } from '../catalog/catalog-of.ts';
import { queryOf } from '../http/collection.ts';
import { renderToken, renderTokenStart } from './render-token.ts';
import type { Token } from './token.ts';

/** Answers with a token, as after a log-in or a validation. @param start - its part of the body, where that is known */
export async function answerToken(
  c: AppContext,
  status: 200 | 201,
  { text, token, start = renderTokenStart(token) }: { text: string; token: Token; start?: string },
): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-subject-token': text };
  return new Response(renderToken(start, token, await catalogJson(c, token)), { status, headers });
}

/** The catalog that goes with a token, unless the client wants none. */
async function catalogJson(c: AppContext, { user, scope }: Token): Promise<string | undefined> {
  if (queryOf(c).has('nocatalog') || scope.type === 'unscoped') return undefined;
  const projectId = scope.type === 'project' ? scope.project.id : null;
  return (await catalogOf(c.get('ctx'), { userId: user.id, projectId })).json;
}
