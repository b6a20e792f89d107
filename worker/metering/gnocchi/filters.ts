import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';

/** A condition in a body; `parseFilter` says what it can be. */
export const conditionBody = z.record(z.string(), z.unknown());

type Row = Record<string, unknown>;
export type Filter = (row: Row) => boolean;

/** Conditions in one another, and conditions beside one another. */
const DEPTH_MAX = 8;
const BESIDE_MAX = 64;

const compare: Readonly<Record<string, (value: unknown, wanted: unknown) => boolean>> = {
  '=': (value, wanted) => String(value) === String(wanted),
  '!=': (value, wanted) => String(value) !== String(wanted),
  '<': (value, wanted) => value !== null && String(value) < String(wanted),
  '<=': (value, wanted) => value !== null && String(value) <= String(wanted),
  '>': (value, wanted) => value !== null && String(value) > String(wanted),
  '>=': (value, wanted) => value !== null && String(value) >= String(wanted),
  in: (value, wanted) => Array.isArray(wanted) && wanted.map(String).includes(String(value)),
};
const WORDS: Readonly<Record<string, string>> = {
  ...{ eq: '=', '==': '=', ne: '!=', '≠': '!=', lt: '<', le: '<=', '≤': '<=', gt: '>', ge: '>=', '≥': '>=' },
  ...{ '∧': 'and', '∨': 'or' },
};

const unknown = (what: string) => badRequest(`Invalid input: ${what}`);

/**
 * A condition of Gnocchi's: `{"=": {"type": "instance"}}`, with `and`, `or` and `not`.
 * @throws ApiError 400
 */
export function parseFilter(query: unknown, depth = 0): Filter {
  if (depth > DEPTH_MAX) throw unknown('the query is nested too deep.');
  if (query === null || typeof query !== 'object' || Array.isArray(query)) throw unknown('a query is an object.');
  const [[word, of] = ['', undefined], ...more] = Object.entries(query);
  if (word === '') return () => true;
  if (more.length > 0) throw unknown('a condition has one operator.');
  const operator = Object.hasOwn(WORDS, word) ? (WORDS[word] as string) : word;
  if (operator === 'not') {
    const inner = parseFilter(of, depth + 1);
    return (row) => !inner(row);
  }
  if (operator === 'and' || operator === 'or') {
    if (!Array.isArray(of) || of.length > BESIDE_MAX) throw unknown(`'${word}' takes a list of conditions.`);
    const all = of.map((one) => parseFilter(one, depth + 1));
    return operator === 'and' ? (row) => all.every((one) => one(row)) : (row) => all.some((one) => one(row));
  }
  const holds = Object.hasOwn(compare, operator) ? compare[operator] : undefined;
  const [[attribute, wanted] = ['', null]] = Object.entries((of ?? {}) as object);
  if (!holds || attribute === '') throw unknown(`'${word.slice(0, 32)}' is no operator with an attribute.`);
  return (row) => Object.hasOwn(row, attribute) && holds(row[attribute], wanted);
}

const TERM = /^\s*([A-Za-z_]+)\s*(==|!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|'([^']*)'|(\S+))\s*$/;

/** A condition as one writes it on a command line: `type=instance and project_id="..."`. @throws ApiError 400 */
export function parseFilterText(text: string): Filter {
  const terms = text.split(/\s+and\s+/i).slice(0, BESIDE_MAX);
  const conditions = terms.map((term) => {
    const match = TERM.exec(term);
    if (!match) throw unknown(`'${term.slice(0, 64)}' is no condition such as type=instance.`);
    const [, attribute = '', operator = '=', ...values] = match;
    return { [operator]: { [attribute]: values.find((value) => value !== undefined) } };
  });
  return parseFilter({ and: conditions });
}
