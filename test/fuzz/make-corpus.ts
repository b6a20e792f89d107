import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from './corpus.ts';
import { eachObject, ID, kindOfMember } from './kinds.ts';
import { allRoutes, nameOf, routeOf } from './routes.ts';

/** Of one shape; more of them find nothing new. */
const BODIES_PER_SHAPE = 1;
const SHAPES_PER_ROUTE = 12;
/** Behind this one route are some forty. */
const SHAPES_OF_ACTIONS = 80;
const OUTPUT = join(import.meta.dirname, 'corpus.json');
/** Longer texts are cut: what counts is that they are text. */
const TEXT_CHARS_MAX = 1_000;

interface Sent {
  method: string;
  path: string;
  body: unknown;
  answer: unknown;
}

/**
 * Makes the corpus from logs of tempest (`npm run conformance:full` says where its own is): what real clients send to each
 * route, with ids replaced by their kinds.
 * Usage: node test/fuzz/make-corpus.ts LOG...
 */
function makeCorpus(files: string[]): void {
  const sent = files.flatMap((file) => requestsIn(readFileSync(file, 'utf8')));
  const kinds = new Map<string, string>();
  for (const { path, answer } of sent) eachObject(answer, path, (kind, { id }) => kinds.set(id, kind));
  const routes = allRoutes();
  const shapes = new Map<string, Map<string, unknown[]>>();
  for (const { method, path, body } of sent) {
    const [plain = ''] = path.split('?');
    const route = routeOf(routes, method, plain.replace(/\/$/, ''));
    if (!route || body === undefined) continue;
    const open = withoutIds(body, kinds);
    const ofRoute = shapes.get(nameOf(route)) ?? new Map<string, unknown[]>();
    shapes.set(nameOf(route), ofRoute);
    const same = ofRoute.get(shapeOf(open)) ?? [];
    const shapesMax = route.path.endsWith('/action') ? SHAPES_OF_ACTIONS : SHAPES_PER_ROUTE;
    if (same.length < BODIES_PER_SHAPE && (same.length > 0 || ofRoute.size < shapesMax)) {
      ofRoute.set(shapeOf(open), [...same, open]);
    }
  }
  const corpus: Corpus = {};
  for (const [name, bodies] of [...shapes].sort()) corpus[name] = [...bodies.values()].flat();
  writeFileSync(OUTPUT, `${JSON.stringify(corpus, null, 1)}\n`);
  console.log(`${Object.keys(corpus).length} of ${routes.length} routes, from ${sent.length} requests`);
}

const REQUEST = / Request \([^)]*\): \d+ (\w+) https?:\/\/[^/\s]+(\/\S*) /;

function requestsIn(log: string): Sent[] {
  const lines = log.split('\n');
  return lines.flatMap((line, at) => {
    const found = REQUEST.exec(line);
    if (!found) return [];
    // One record of the log, unless another process wrote into it.
    const [head = '', sentLine, answerHead = '', answerLine] = lines.slice(at + 1, at + 5);
    if (!head.includes('Request - Headers') || !answerHead.includes('Response - Headers')) return [];
    const body = jsonAfter(sentLine);
    const answer = jsonAfter(answerLine);
    return [{ method: found[1] ?? '', path: found[2] ?? '', body, answer }];
  });
}

function jsonAfter(line: string | undefined): unknown {
  const text = line?.replace(/^\s+Body: (b['"])?/, '').replace(/['"]$/, '') ?? '';
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A body with each id replaced by its kind in braces. */
function withoutIds(value: unknown, kinds: Map<string, string>, key = '', parent = ''): unknown {
  if (typeof value === 'string') {
    if (ID.test(value)) return `{${kinds.get(value) ?? kindOfMember(key, parent)}}`;
    return value.slice(0, TEXT_CHARS_MAX);
  }
  if (Array.isArray(value)) return value.slice(0, 3).map((one) => withoutIds(one, kinds, key, parent));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withoutIds(member, kinds, name, key || parent)]),
  );
}

/** A body without its values: bodies of one shape try the same code. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length > 0 ? shapeOf(value[0]) : ''}]`;
  if (value === null || typeof value !== 'object') return typeof value;
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}:${shapeOf(member)}`)
    .sort()
    .join()}}`;
}

makeCorpus(process.argv.slice(2));
