import type { z } from 'zod';
import type { AppContext } from './context.ts';
import { ApiError, badRequest, tooLarge } from './errors.ts';

/** JSON bodies larger than this are refused; images do not come through here. */
export const JSON_BODY_BYTES_MAX = 1024 * 1024;
/** Levels of objects and lists; what we take has five or six. */
const JSON_DEPTH_MAX = 64;

/** The first problem of a failed parse in one line: where, and what. */
export function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'Invalid input.';
  const where = issue.path.map(String).join('.');
  return where ? `Invalid input for field/attribute ${where}. ${issue.message}` : issue.message;
}

const JSON_TYPE = /^application\/(json|[\w.+-]+\+json)\b/i;

/**
 * The request's JSON body, checked.
 * @param contentType - the media types that are taken
 * @param bytesMax - how large it may be
 * @throws ApiError 400 (not JSON, or not of the schema), 413 (too large), 415 (another content type)
 */
export async function parseBody<T>(
  c: AppContext,
  schema: z.ZodType<T>,
  contentType = JSON_TYPE,
  bytesMax = JSON_BODY_BYTES_MAX,
): Promise<T> {
  const type = c.req.header('content-type');
  if (type !== undefined && !contentType.test(type)) {
    throw new ApiError(415, `Unsupported Content-Type ${type}: use application/json.`);
  }
  const text = await readText(c, bytesMax);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw badRequest(
      'The server could not comply with the request since it is either malformed or otherwise incorrect: the body is not JSON.',
    );
  }
  refuseUnstorable(json);
  return parseValue(json, schema);
}

/** @throws ApiError 400 a text with a NUL, which the database takes nowhere, or nesting that nobody means */
function refuseUnstorable(json: unknown): void {
  const left: { value: unknown; depth: number }[] = [{ value: json, depth: 0 }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string' && value.includes('\0')) throw badRequest('A text must not contain a NUL character.');
    if (value === null || typeof value !== 'object') continue;
    if (depth >= JSON_DEPTH_MAX) throw badRequest(`The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
    for (const [key, member] of Object.entries(value)) {
      left.push({ value: key, depth: depth + 1 }, { value: member, depth: depth + 1 });
    }
  }
}

/** A value checked against a schema. @throws ApiError 400 */
export function parseValue<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw badRequest(firstProblem(parsed.error));
  return parsed.data;
}

async function readText(c: AppContext, bytesMax: number): Promise<string> {
  const declared = Number(c.req.header('content-length') ?? 0);
  if (declared > bytesMax) throw tooLarge(`The request body is over ${bytesMax} bytes.`);
  const reader = c.req.raw.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  let seen = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    seen += value.byteLength;
    if (seen > bytesMax) {
      reader.releaseLock();
      throw tooLarge(`The request body is over ${bytesMax} bytes.`);
    }
    text += decoder.decode(value, { stream: true });
  }
}
