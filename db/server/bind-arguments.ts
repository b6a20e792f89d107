import { HranaError } from './errors.ts';
import type { SqlValue } from './protocol.ts';
import type { BoundStatement } from './statements.ts';

function invalid(message: string): HranaError {
  return new HranaError(`Arguments do not match SQL parameters: ${message}`, 'ARGS_INVALID');
}

/**
 * The values of a statement's parameters in order, every one of them. A prepared statement that is kept also keeps
 * what was last bound to it, so a parameter left out would take the value of another request.
 */
export function bindArguments(statement: BoundStatement): SqlValue[] {
  const { parameters } = statement;
  const { args, namedArgs } = statement.request;
  if (args.length > parameters.length) {
    throw invalid(`too many arguments, expected ${parameters.length}, got ${args.length}`);
  }
  const used = new Set<string>();
  const values = parameters.map((name, index) => {
    const key = name === null ? undefined : [name, name.slice(1)].find((candidate) => namedArgs.has(candidate));
    if (key !== undefined) used.add(key);
    const value = key === undefined ? args[index] : namedArgs.get(key);
    if (value === undefined) throw invalid(`value for parameter ${name ?? index + 1} not found`);
    return value;
  });
  for (const name of namedArgs.keys()) if (!used.has(name)) throw invalid(`no parameter is named ${name}`);
  return values;
}
