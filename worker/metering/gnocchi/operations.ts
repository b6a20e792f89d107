import { badRequest } from '../../http/errors.ts';
import { AGGREGATIONS, type Aggregation, type Method, parseMethod } from './periods.ts';

/** Characters of operations written as text, and how deep they go. */
const TEXT_CHARS_MAX = 1_000;
const DEPTH_MAX = 4;

/** What is asked of metrics: each by itself, or all put together by a method. */
export interface Operations {
  /** A meter's name where resources are searched, else the id of a metric. */
  metric: string;
  method: Method;
  methodText: string;
  together: Aggregation | null;
}

const unknown = () =>
  badRequest('Invalid input: operations are (metric NAME METHOD) or (aggregate METHOD (metric NAME METHOD)).');

/** Gnocchi's operations, as text or as lists in lists; of them those that read. @throws ApiError 400 */
export function parseOperations(given: unknown): Operations {
  const operations = typeof given === 'string' ? listsOf(given) : given;
  if (!Array.isArray(operations)) throw unknown();
  const [word, ...rest] = operations;
  if (word === 'aggregate') {
    const [text, of] = rest;
    const together = AGGREGATIONS.find((one) => one === text);
    if (!together || rest.length !== 2) throw unknown();
    return { ...metricIn(of), together };
  }
  return { ...metricIn(operations), together: null };
}

function metricIn(operations: unknown): Omit<Operations, 'together'> {
  if (!Array.isArray(operations) || operations.length !== 3 || operations[0] !== 'metric') throw unknown();
  const [, metric, methodText] = operations;
  if (typeof metric !== 'string' || typeof methodText !== 'string') throw unknown();
  return { metric, method: parseMethod(methodText), methodText };
}

/** Lists in parentheses, with or without those around all. */
function listsOf(text: string): unknown[] {
  if (text.length > TEXT_CHARS_MAX) throw unknown();
  const open: unknown[][] = [[]];
  for (const [token] of text.matchAll(/[()]|[^\s()]+/g)) {
    if (token === '(') open.push([]);
    else if (token !== ')') open.at(-1)?.push(token);
    else {
      const done = open.pop();
      if (open.length === 0) throw unknown();
      open.at(-1)?.push(done);
    }
    if (open.length > DEPTH_MAX) throw unknown();
  }
  const [all, ...more] = open;
  if (!all || more.length > 0) throw unknown();
  return all.length === 1 && Array.isArray(all[0]) ? all[0] : all;
}
