import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import type { AppContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import { expecting } from './faults.ts';

/** The request's body as a JSON object; an empty body is an empty object. @throws ApiError 400, 413 */
export async function readBody(c: AppContext): Promise<Record<string, unknown>> {
  if (!c.req.raw.body || c.req.header('content-length') === '0') return {};
  try {
    return await parseBody(c, z.record(z.string(), z.unknown()));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 415) throw expecting('application/json', 'Content-Type header');
    if (error.status === 400) throw expecting('valid JSON', 'request body');
    throw error;
  }
}

/**
 * The one member of a body (`user` of `{"user": {...}}`), checked.
 * @throws ApiError 400 with the field and what is wrong with it
 */
export async function readMember<T>(c: AppContext, member: string, schema: z.ZodType<T>): Promise<T> {
  const body = await readBody(c);
  if (body[member] === undefined) throw expecting(member, 'request body');
  return checkValue(body[member], schema);
}

/** A value checked against a schema. @throws ApiError 400 in Keystone's words */
export function checkValue<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join('/');
  throw badRequest(field ? `Invalid input for field '${field}': ${issue?.message}` : `${issue?.message}`);
}
