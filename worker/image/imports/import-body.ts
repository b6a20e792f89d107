import { z } from 'zod';
import type { ImportTaskInput } from '../../../db/schema/image.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { URI_CHARS_MAX } from '../limits.ts';
import { IMPORT_METHODS, type ImportMethod, STORE_ID } from './stores.ts';

/** What an import request asks for, checked; which stores are there is checked once the image is known. */
export interface ImportRequest {
  method: ImportMethod;
  uri: string | undefined;
  allStores: boolean;
  stores: string[];
  /** The body as it came. */
  body: ImportTaskInput['import_req'];
}

export const importBody = z.looseObject({
  method: z.looseObject({ name: z.string(), uri: z.string().max(URI_CHARS_MAX).optional() }),
  all_stores: z.boolean("'all_stores' must be boolean value only").optional(),
  all_stores_must_succeed: z.boolean("'all_stores_must_succeed' must be boolean value only").optional(),
  stores: z.array(z.string().max(255)).min(1).max(10).optional(),
});

/**
 * Reads an import request.
 * @param storeHeader - X-Image-Meta-Store
 * @throws ApiError 400
 */
export function parseImport(value: unknown, storeHeader: string | undefined): ImportRequest {
  const parsed = importBody.safeParse(value);
  if (!parsed.success) throw badRequest(problemOf(value, parsed.error));
  const { method, all_stores: allStores = false, stores } = parsed.data;
  const name = IMPORT_METHODS.find((one) => one === method.name);
  if (!name) throw badRequest(`Unknown import method name '${method.name}'.`);
  if (allStores && (stores !== undefined || storeHeader !== undefined)) {
    throw badRequest("All_stores parameter can't be used with x-image-meta-store header or stores parameter");
  }
  if (stores !== undefined && storeHeader !== undefined) {
    throw badRequest("Stores parameter and x-image-meta-store header can't be both specified");
  }
  return {
    method: name,
    uri: method.uri,
    allStores,
    stores: allStores ? [STORE_ID] : (stores ?? [storeHeader ?? STORE_ID]),
    body: parsed.data,
  };
}

function problemOf(value: unknown, error: z.ZodError): string {
  const method = (value as { method?: unknown } | null)?.method;
  if (method === undefined || method === null) return "Import request requires a 'method' field.";
  if ((method as { name?: unknown }).name === undefined) return "Import request requires a 'name' field.";
  return error.issues[0]?.message ?? 'The import request is malformed.';
}

/** Refuses stores that are not there. @throws ApiError 409 */
export function checkStores({ stores }: ImportRequest): void {
  const unknown = stores.find((store) => store !== STORE_ID);
  if (unknown !== undefined) throw conflict(`Store for identifier ${unknown} not found`);
}
