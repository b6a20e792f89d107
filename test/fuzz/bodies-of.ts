import fc from 'fast-check';
import type { z } from 'zod';
import { MICROVERSION_MAX } from '../../worker/compute/http/microversion.ts';
import type { Corpus } from './corpus.ts';
import { nameOf, type Route } from './routes.ts';
import { bodyOfRoute, type Resource } from './schemas.ts';
import { valuesOf } from './values-of.ts';
import { valuesOfAttributes } from './values-of-attributes.ts';

/** A body before its ids are filled in; of compute with the microversion that it is for. */
export interface Drawn {
  value: unknown;
  version: number | undefined;
}

/** Microversions between which bodies differ, the newest often. */
export const VERSIONS = [1, 1, 30, 42, 56, 63, 79, 90, MICROVERSION_MAX, MICROVERSION_MAX];

/** Valid bodies of a route, by its schema and as clients have been seen to send them; undefined where it takes none. */
export function bodiesOf(route: Route, corpus: Corpus): fc.Arbitrary<Drawn> | undefined {
  const body = bodyOfRoute(nameOf(route));
  if (body === undefined || body === 'nothing' || body === 'bytes') return undefined;
  const seen = (corpus[nameOf(route)] ?? []).map((value) => ({ value, version: undefined }));
  if (body === 'corpus') return seen.length > 0 ? fc.constantFrom(...seen) : undefined;
  const drawn =
    'bare' in body
      ? valuesOfAttributes(body.bare, 'post').map((value) => ({ value, version: undefined }))
      : 'schema' in body
        ? ofSchema(route, body.schema)
        : ofAttributes(route, body);
  if (seen.length === 0) return drawn;
  return fc.oneof({ weight: 2, arbitrary: drawn }, { weight: 1, arbitrary: fc.constantFrom(...seen) });
}

export function ofSchema(route: Route, schema: (version: number) => z.ZodType): fc.Arbitrary<Drawn> {
  if (route.service !== 'compute') return valuesOf(schema(0)).map((value) => ({ value, version: undefined }));
  return fc
    .constantFrom(...VERSIONS)
    .chain((version) => valuesOf(schema(version)).map((value) => ({ value, version })));
}

function ofAttributes({ method }: Route, { one, many, attributes }: Resource): fc.Arbitrary<Drawn> {
  const values = valuesOfAttributes(attributes, method === 'POST' ? 'post' : 'put');
  const single = values.map((value) => ({ value: { [one]: value }, version: undefined }));
  if (method !== 'POST') return single;
  const several = fc
    .array(values, { minLength: 1, maxLength: 3 })
    .map((all) => ({ value: { [many]: all }, version: undefined }));
  return fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: several });
}
