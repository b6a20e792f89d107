import fc from 'fast-check';
import type { Corpus } from './corpus.ts';
import { kindOf } from './kinds.ts';
import { brokenBody, nastySegment, nastyText, nastyValue } from './nasty.ts';
import { nameOf, type Route } from './routes.ts';

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
  segments: Pick[];
  query: { key: string; value: Pick }[];
  body: { of: number; changes: Change[] } | { bytes: Buffer } | undefined;
  contentType: string | undefined;
  headers: Record<string, string>;
}

const COMMON_KEYS = [
  ...[
    'limit',
    'marker',
    'offset',
    'page_reverse',
    'sort_key',
    'sort_dir',
    'sort',
    'name',
    'id',
    'status',
    'fields',
    'tags',
    'not-tags-any',
  ],
  ...[
    'all_tenants',
    'all_projects',
    'project_id',
    'tenant_id',
    'user_id',
    'changes-since',
    'changes-before',
    'deleted',
    'visibility',
    'owner',
  ],
  ...[
    'include_subtree',
    'effective',
    'include_names',
    'scope.project.id',
    'user.id',
    'name__contains',
    'enabled',
    'domain_id',
    'size_min',
    'shared',
  ],
  ...[
    'ip',
    'image',
    'flavor',
    'host',
    'is_public',
    'minRam',
    'fixed_ips',
    'member_status',
    'created_at',
    'force',
    'reserved',
    'nocatalog',
    'constructor',
  ],
];
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

/** The kinds of the objects that a path's open segments name. */
export function openSegments(path: string): string[] {
  const segments = path.split('/');
  return segments.flatMap((segment, at) => {
    if (!segment.startsWith(':')) return [];
    const name = segment.replace(/^:|\{.*$/g, '');
    if (name === 'implied') return ['role'];
    const byPlace = ['id', 'target', 'name', 'idp'].includes(name);
    return [byPlace ? kindOf(segments[at - 1] ?? '') : kindOf(name.replace(/_id$/, ''))];
  });
}

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
  const known = corpus[nameOf(route)] ?? { bodies: [], queries: [] };
  const key = fc.oneof(
    { weight: known.queries.length > 0 ? 3 : 0, arbitrary: fc.constantFrom(...known.queries, 'limit') },
    { weight: 2, arbitrary: fc.constantFrom(...COMMON_KEYS) },
    { weight: 1, arbitrary: nastyText.filter((text) => text.length < 300) },
  );
  const parameter: fc.Arbitrary<Plan['query'][number]> = fc.record({
    key,
    value: fc.oneof(
      {
        weight: 2,
        arbitrary: nastyText.map((text) => ({
          from: 'text' as const,
          text: encodeURIComponent(text.slice(0, 2_000).toWellFormed()),
        })),
      },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom('1', '0', 'true', 'false', 'asc', 'desc')
          .map((text) => ({ from: 'text' as const, text })),
      },
      { weight: 1, arbitrary: pick('') },
    ),
  });
  const shaped = fc.record({ of: fc.nat(), changes: fc.array(change, { maxLength: 3 }) });
  const body: fc.Arbitrary<Plan['body']> = fc.oneof(
    { weight: 8, arbitrary: shaped },
    { weight: 3, arbitrary: fc.record({ of: fc.nat(), changes: fc.constant<Change[]>([]) }) },
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
    segments: fc.tuple(...openSegments(route.path).map(pick)),
    query: fc.oneof(
      { weight: reads ? 1 : 5, arbitrary: fc.constant<Plan['query']>([]) },
      { weight: 2, arbitrary: fc.array(parameter, { maxLength: 3 }) },
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
