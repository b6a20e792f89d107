import { z } from 'zod';
import { firstProblem } from '../http/body.ts';
import { ApiError, badRequest, forbidden } from '../http/errors.ts';
import { checkSettable, parseImageBody } from './image-body.ts';
import { CHANGES_MAX } from './limits.ts';

/** One change of an image: a member that is set or removed. */
export type ImageChange =
  | { op: 'add' | 'replace'; member: string; value: unknown; strictAdd: boolean }
  | { op: 'remove'; member: string };

const OPERATIONS = ['add', 'remove', 'replace'] as const;
const V2_0 = 'application/openstack-images-v2.0-json-patch';
const V2_1 = 'application/openstack-images-v2.1-json-patch';
/** The media types that a PATCH may have. */
export const PATCH_TYPE = /^application\/openstack-images-v2\.[01]-json-patch\s*(;|$)/i;

/** Refuses another media type. @returns the draft of JSON patch that the type means. @throws ApiError 415 */
export function patchDraft(contentType: string | undefined): 'draft-4' | 'draft-10' {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (type === V2_0) return 'draft-4';
  if (type === V2_1) return 'draft-10';
  throw new ApiError(415, `Image PATCH expects Content-Type one of: ${V2_0}, ${V2_1}`, {
    headers: { 'accept-patch': `${V2_0}, ${V2_1}` },
  });
}

const operations = z.array(z.record(z.string(), z.unknown())).max(CHANGES_MAX);

/**
 * The changes that a PATCH asks for, each value checked.
 * @throws ApiError 400 malformed; 403 read-only, reserved or invisible members
 */
export function parseChanges(body: unknown, draft: 'draft-4' | 'draft-10'): ImageChange[] {
  if (!Array.isArray(body)) throw badRequest('Request body must be a JSON array of operation objects.');
  const parsed = operations.safeParse(body);
  if (!parsed.success) throw badRequest(`Operations must be JSON objects. ${firstProblem(parsed.error)}`);
  return parsed.data.map((raw) => parseChange(raw, draft));
}

function parseChange(raw: Record<string, unknown>, draft: 'draft-4' | 'draft-10'): ImageChange {
  const op = draft === 'draft-10' ? operationOf(raw.op) : operationMember(raw);
  const pointer = draft === 'draft-10' ? raw.path : raw[op];
  if (typeof pointer !== 'string') throw badRequest("Unable to find 'path' in JSON Schema change");
  const member = memberOf(pointer);
  checkSettable(member);
  if (op === 'remove') return { op, member };
  if (!Object.hasOwn(raw, 'value')) throw badRequest(`Operation "${op}" requires a member named "value".`);
  parseImageBody({ [member]: raw.value });
  return { op, member, value: raw.value, strictAdd: draft === 'draft-4' };
}

function operationOf(op: unknown): (typeof OPERATIONS)[number] {
  const available = OPERATIONS.join(', ');
  if (op === undefined) {
    throw badRequest(`Unable to find \`op\` in JSON Schema change. It must be one of the following: ${available}.`);
  }
  const found = OPERATIONS.find((one) => one === op);
  if (!found) throw badRequest(`Invalid operation: \`${String(op)}\`. It must be one of the following: ${available}.`);
  return found;
}

function operationMember(raw: Record<string, unknown>): (typeof OPERATIONS)[number] {
  const [op, ...more] = OPERATIONS.filter((one) => Object.hasOwn(raw, one));
  if (op && more.length === 0) return op;
  throw badRequest('Operation objects must contain exactly one member named "add", "remove", or "replace".');
}

/** The member that a JSON pointer names; only members of the image itself can be named. */
function memberOf(pointer: string): string {
  if (!pointer.startsWith('/')) throw badRequest(`Pointer \`${pointer}\` does not start with "/".`);
  if (/\/\s*\//.test(pointer.slice(1))) throw badRequest(`Pointer \`${pointer}\` contains adjacent "/".`);
  if (pointer.length > 1 && pointer.endsWith('/')) throw badRequest(`Pointer \`${pointer}\` end with "/".`);
  if (/~([^01]|$)/.test(pointer)) {
    throw badRequest(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
  }
  const parts = pointer
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim());
  if (parts[0] === 'locations') throw forbidden("It's not allowed to update locations if locations are invisible.");
  const [member] = parts;
  if (parts.length !== 1 || member === undefined) {
    throw badRequest(`Invalid JSON pointer for this resource: '/${parts.join('/')}'`);
  }
  if (member === 'id') throw forbidden("Attribute 'id' is read-only.");
  return member;
}
