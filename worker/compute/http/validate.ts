import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import type { AppContext } from '../../http/context.ts';
import { ApiError, badRequest } from '../../http/errors.ts';
import type { ComputeContext } from './env.ts';

/** Characters of a refused value that are repeated to the client. */
const SHOWN_VALUE_CHARS_MAX = 255;

/** A value as Python would print it, which is how Nova repeats it. */
export function python(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, member]) => `'${key}': ${python(member)}`)
      .join(', ')}}`;
  }
  return String(value);
}

const shown = (text: string) =>
  text.length > SHOWN_VALUE_CHARS_MAX ? `${text.slice(0, SHOWN_VALUE_CHARS_MAX)}...` : text;

/** The value that an issue is about. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

type Issue = z.core.$ZodIssue;

/** What is wrong, in the words of jsonschema, which Nova's clients know. */
function complaint(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${shown(python(value))} is not of type '${issue.expected === 'record' ? 'object' : issue.expected}'`;
    case 'unrecognized_keys': {
      const names = issue.keys.map((key) => `'${key}'`).join(', ');
      return `Additional properties are not allowed (${names} ${issue.keys.length === 1 ? 'was' : 'were'} unexpected)`;
    }
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return `${shown(python(value))} is too short`;
      return `${shown(python(value))} is less than the minimum of ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string' || issue.origin === 'array') return `${shown(python(value))} is too long`;
      return `${shown(python(value))} is greater than the maximum of ${issue.maximum}`;
    case 'invalid_value':
      return `${shown(python(value))} is not one of [${issue.values.map(python).join(', ')}]`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `${shown(python(value))} does not match '${String(issue.pattern ?? '').replace(/^\/(.*)\/[a-z]*$/, '$1')}'`
        : `${shown(python(value))} is not a '${issue.format.replace(/^cidrv/, 'cidr')}'`;
    case 'invalid_union':
      return `${shown(python(value))} is not valid under any of the given schemas`;
    default:
      return issue.message;
  }
}

/** The first problem of a failed parse, worded as Nova words a refused body or query. */
function firstProblem(error: z.ZodError, input: unknown, of: 'body' | 'query'): string {
  const [first] = error.issues;
  if (!first) return 'Invalid input.';
  const issue = innermost(first);
  const { path } = issue;
  // Nova says what it holds against a name without saying where it stands.
  if (issue.code === 'custom' && issue.params?.whole) return issue.message;
  const missing = path.length > 0 && isMissing(input, path);
  const at = missing ? path.slice(0, -1) : path;
  const value = valueAt(input, at);
  const what = missing ? `'${String(path.at(-1))}' is a required property` : complaint(issue, value);
  if (at.length === 0) return what;
  const where = String(of === 'body' ? at.at(-1) : at[0]);
  const field = of === 'body' ? 'field/attribute' : 'query parameters';
  const text = typeof value === 'string' ? value : python(value);
  return `Invalid input for ${field} ${where}. Value: ${shown(text)}. ${what}`;
}

/** Of a union, the complaint of the alternative that takes the value's type. */
function innermost(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const fitting = issue.errors.find(([inner]) => inner && (inner.code !== 'invalid_type' || inner.path.length > 0));
  const [inner] = fitting ?? [];
  return inner ? innermost({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  const owner = valueAt(input, path.slice(0, -1));
  const key = path.at(-1);
  return key !== undefined && owner !== null && typeof owner === 'object' && !Object.hasOwn(owner, key);
}

/** A value checked against a schema. @throws ApiError 400 in Nova's words */
export function check<T>(value: unknown, schema: z.ZodType<T>, of: 'body' | 'query' = 'body'): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw badRequest(firstProblem(parsed.error, value, of));
  return parsed.data;
}

/**
 * The request's JSON body, unchecked.
 * @throws ApiError 400 malformed, 413 too large, 415 another content type
 */
export async function readBody(c: ComputeContext): Promise<unknown> {
  try {
    return await parseBody(c as unknown as AppContext, z.unknown());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 400) throw badRequest('Malformed request body');
    if (error.status === 415) throw new ApiError(415, 'Unsupported Content-Type');
    throw error;
  }
}

/** The request's JSON body, checked. @throws ApiError 400 in Nova's words, 413, 415 */
export async function checkedBody<T>(c: ComputeContext, schema: z.ZodType<T>): Promise<T> {
  return check(await readBody(c), schema);
}
