import fc from 'fast-check';
import { bodiesOf, type Drawn, VERSIONS } from './bodies-of.ts';
import type { Corpus } from './corpus.ts';
import { kindOf } from './kinds.ts';
import { brokenBody, nastySegment, nastyValue } from './nasty.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import { type Query, queryOfRoute } from './queries.ts';
import { nameOf, type Route } from './routes.ts';
import { bodyOfRoute } from './schemas.ts';

/** Who sends a request. */
export const SENDERS = ['member', 'reader', 'manager', 'admin', 'unscoped', 'nobody'] as const;
export type Sender = (typeof SENDERS)[number];

/** A value that is there only once the request is sent: some own object's id, or one of the other tenant. */
export type Pick = { from: 'own' | 'other' | 'any'; kind: string; at: number } | { from: 'text'; text: string };

/** A change to a body: what is done at which of its places. */
export interface Change {
  at: number;
  what: 'replace' | 'remove' | 'add' | 'twice' | 'wrap';
  key: string;
  value: unknown;
}

/** What is decided of a request before it is sent; ids are picked when it is. */
export interface Plan {
  sender: Sender;
  /** Which of the paths to send it to that are known to have been there; undefined for one of `segments`. */
  known: number | undefined;
  segments: Pick[];
  query: Parameter[];
  body: (Drawn & { changes: Change[] }) | { bytes: Buffer } | undefined;
  contentType: string | undefined;
  headers: Record<string, string>;
}

/** What some list or other reads, sent to all. */
const COMMON: Query = {
  parameters: [
    ...['limit', 'marker', 'offset', 'fields', 'name', 'id', 'status', 'all_tenants', 'project_id', 'deleted', 'force'],
    ...['include_subtree', 'constructor', '__proto__', '', 'a[b]', 'x'],
  ],
  sortKeys: ['id', 'x'],
};
const CONTENT_TYPES = [
  ...[
    'application/json',
    'application/json; charset=latin1',
    'text/plain',
    'application/octet-stream',
    'application/xml',
  ],
  ...[
    'application/openstack-images-v2.1-json-patch',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    '',
    ',',
  ],
];

/** What collections name by the id of something else. */
const NAMED_BY: Readonly<Record<string, string>> = {
  implies: 'role',
  'network-ip-availabilities': 'network',
  quotas: 'project',
  'os-quota-sets': 'project',
  'os-simple-tenant-usage': 'project',
};

/** The kinds of the objects that a path's open segments name: what stands before them tells. */
export function openSegments(path: string): string[] {
  const segments = path.split('/');
  return segments.flatMap((segment, at) => {
    if (!segment.startsWith(':')) return [];
    const before = segments[at - 1] ?? '';
    if (before.startsWith(':') || segment.startsWith(':project_id')) return [kindOf(segment.replace(/^:|_id.*$/g, ''))];
    return [NAMED_BY[before] ?? kindOf(before)];
  });
}

/** The kind of what a path lists. */
export const collectionOf = (path: string): string =>
  kindOf(path.split('/').findLast((segment) => !segment.startsWith(':') && segment !== 'detail') ?? '');

const pick = (kind: string): fc.Arbitrary<Pick> =>
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ from: fc.constant('own' as const), kind: fc.constant(kind), at: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ from: fc.constant('other' as const), kind: fc.constant(kind), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ from: fc.constant('any' as const), kind: fc.constant(kind), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.uuid().map((text) => ({ from: 'text' as const, text })) },
    { weight: 3, arbitrary: nastySegment.map((text) => ({ from: 'text' as const, text })) },
  );

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat({ max: 10_000 }),
  what: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'twice', 'wrap'),
  key: fc.constantFrom(
    'id',
    'name',
    '__proto__',
    'constructor',
    'project_id',
    'x',
    '',
    'status',
    'links',
    'enabled',
    'tags',
  ),
  value: nastyValue,
});

const microversion = fc.oneof(
  { weight: 5, arbitrary: fc.nat({ max: 100 }).map((minor) => `compute 2.${minor}`) },
  { weight: 3, arbitrary: fc.constant('compute latest') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'compute 2',
      '2.1',
      'compute 3.0',
      'compute 2.999999999999',
      'compute -1.0',
      'volume 3.0',
      ',',
      'compute 2.1, compute 2.90',
    ),
  },
);

const odd = fc.constantFrom<Record<string, string>>(
  { accept: 'text/html' },
  { accept: '*/*;q=0,application/xml' },
  { 'x-auth-token': 'junk' },
  { 'x-auth-token': 'x'.repeat(9_000) },
  { 'x-subject-token': 'junk' },
  { range: 'bytes=5-1' },
  { range: 'bytes=0-0,2-3' },
  { 'if-match': '"revision_number=x"' },
  { 'x-openstack-request-id': '\u00e9' },
  { 'content-encoding': 'gzip' },
  { 'x-http-method-override': 'DELETE' },
  { 'x-roles': 'admin', 'x-project-id': 'x' },
  { 'x-long': 'y'.repeat(8_000) },
  { 'openstack-system-scope': 'all' },
  { cookie: 'a=b' },
);

/** Requests to one route, as often sensible as not. */
export function plansFor(route: Route, corpus: Corpus): fc.Arbitrary<Plan> {
  const asked = queryOfRoute(nameOf(route));
  const kind = collectionOf(route.path);
  const drawn = bodiesOf(route, corpus) ?? others(corpus);
  const withChanges = (changes: fc.Arbitrary<Change[]>): fc.Arbitrary<Plan['body']> =>
    fc.tuple(drawn, changes).map(([one, changed]) => ({ ...one, changes: changed }));
  const body: fc.Arbitrary<Plan['body']> = fc.oneof(
    { weight: 8, arbitrary: withChanges(fc.array(change, { minLength: 1, maxLength: 3 })) },
    { weight: 5, arbitrary: withChanges(fc.constant([])) },
    { weight: 2, arbitrary: brokenBody.map((bytes) => ({ bytes })) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  const reads = route.method === 'GET' || route.method === 'DELETE';
  return fc.record({
    sender: fc.oneof(
      { weight: 10, arbitrary: fc.constant<Sender>('member') },
      { weight: 8, arbitrary: fc.constant<Sender>('admin') },
      { weight: 6, arbitrary: fc.constantFrom<Sender>(...SENDERS) },
    ),
    known: fc.oneof(fc.constant(undefined), fc.nat()),
    segments: fc.tuple(...openSegments(route.path).map(pick)),
    query: fc.oneof(
      { weight: reads ? 1 : 5, arbitrary: fc.constant<Plan['query']>([]) },
      { weight: asked ? 3 : 0, arbitrary: parametersOf(asked ?? COMMON, kind, 4) },
      { weight: 1, arbitrary: parametersOf(COMMON, kind, 7) },
    ),
    body: reads ? fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: body }) : body,
    contentType: fc.oneof(
      { weight: 12, arbitrary: fc.constant<string | undefined>(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
    ),
    headers: fc
      .tuple(
        route.service === 'compute'
          ? microversion.map((version) => ({ 'openstack-api-version': version }))
          : fc.constant({}),
        fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: odd }),
      )
      .map(([version, more]) => ({ ...version, ...more })),
  });
}

/** Requests to one route as a client means them: to what is there, and with a valid body. */
export function sensiblePlansFor(
  route: Route,
  corpus: Corpus,
  { bodies = bodiesOf(route, corpus), query = sensibleQuery(route) } = {},
): fc.Arbitrary<Plan> {
  const own = (kind: string) => fc.record({ from: fc.constant('own' as const), kind: fc.constant(kind), at: fc.nat() });
  const bytes = bodyOfRoute(nameOf(route)) === 'bytes' ? { bytes: Buffer.from('own') } : undefined;
  const drawn = bodies?.map((one) => ({ ...one, changes: [] }));
  return fc.record({
    sender: fc.constantFrom<Sender>('admin', 'admin', 'member'),
    // A PUT may make what is not there yet.
    known: fc.oneof(
      { weight: route.method === 'PUT' ? 1 : 3, arbitrary: fc.nat() },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    segments: fc.tuple(...openSegments(route.path).map(own)),
    // Where all of something is gone only by force.
    query,
    body: drawn ?? fc.constant(bytes),
    contentType: fc.constant(bytes ? 'application/octet-stream' : undefined),
    headers: sensibleHeaders(route),
  });
}

function sensibleQuery(route: Route): fc.Arbitrary<Parameter[]> {
  // Where all of something is gone only by force.
  if (route.path.endsWith('/runners/:id'))
    return fc.constant([{ key: 'force', value: { from: 'text', text: 'true' } }]);
  const asked = queryOfRoute(nameOf(route));
  const none = fc.constant<Parameter[]>([]);
  return asked ? fc.oneof(none, parametersOf(asked, collectionOf(route.path), 0)) : none;
}

function sensibleHeaders({ service, path }: Route): fc.Arbitrary<Record<string, string>> {
  if (path.endsWith('/auth/tokens')) return fc.constant({ 'x-subject-token': '{spare_token}' });
  if (service !== 'compute') return fc.constant({});
  return fc.constantFrom(...VERSIONS).map((version) => ({ 'openstack-api-version': `compute 2.${version}` }));
}

/** What other routes take, for one that takes no body. */
const others = (corpus: Corpus): fc.Arbitrary<Drawn> =>
  fc.constantFrom(...Object.values(corpus).flat()).map((value) => ({ value, version: undefined }));
