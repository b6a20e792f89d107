import { HranaError, RequestError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { BatchStep, Condition, PipelineRequest, SqlText, SqlValue, Stmt, StreamRequest } from './protocol.ts';
import { decodeValue } from './values.ts';

type Json = Record<string, unknown>;

function malformed(message: string): RequestError {
  return new RequestError(400, 'HRANA_PROTO_ERROR', message);
}

function tooLarge(what: string, max: number): RequestError {
  return new RequestError(413, 'REQUEST_TOO_LARGE', `${what}: at most ${max} allowed`);
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} must be an object`);
  return value as Json;
}

function array(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} must be an array`);
  return value;
}

function integer(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw malformed(`${what} must be an integer`);
  return value;
}

/** Reads one pipeline body; counts against the limits as it goes, so that nothing runs when one is exceeded. */
class RequestParser {
  #statements = 0;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  pipeline(json: unknown): PipelineRequest {
    const body = object(json, 'The body');
    const baton = body.baton ?? undefined;
    if (baton !== undefined && typeof baton !== 'string') throw malformed('baton must be a string or null');
    const requests = array(body.requests, 'requests');
    if (requests.length > this.#limits.requestsPerPipelineMax) {
      throw tooLarge('Requests in a pipeline', this.#limits.requestsPerPipelineMax);
    }
    return { baton, requests: requests.map((request) => this.#request(object(request, 'A request'))) };
  }

  #request(json: Json): StreamRequest {
    switch (json.type) {
      case 'close':
      case 'get_autocommit':
        return { type: json.type };
      case 'execute':
        return { type: 'execute', stmt: this.#stmt(object(json.stmt, 'stmt')) };
      case 'batch':
        return { type: 'batch', steps: this.#steps(object(json.batch, 'batch')) };
      case 'sequence':
      case 'describe':
        return { type: json.type, text: this.#text(json) };
      case 'store_sql':
        return { type: 'store_sql', sqlId: integer(json.sql_id, 'sql_id'), sql: this.#sql(json.sql) };
      case 'close_sql':
        return { type: 'close_sql', sqlId: integer(json.sql_id, 'sql_id') };
      default:
        throw malformed(`Unknown type of request ${JSON.stringify(json.type)}`);
    }
  }

  #steps(batch: Json): BatchStep[] {
    return array(batch.steps, 'steps').map((value, index) => {
      const step = object(value, 'A step');
      const condition = step.condition ?? undefined;
      return {
        condition: condition === undefined ? undefined : this.#condition(condition, index, 1),
        stmt: this.#stmt(object(step.stmt, 'stmt')),
      };
    });
  }

  #condition(value: unknown, step: number, depth: number): Condition {
    if (depth > this.#limits.conditionDepthMax) throw tooLarge('Depth of a condition', this.#limits.conditionDepthMax);
    const json = object(value, 'A condition');
    switch (json.type) {
      case 'ok':
      case 'error': {
        const referred = integer(json.step, 'step');
        if (referred < 0 || referred >= step) throw malformed('A condition may refer only to an earlier step');
        return { type: json.type, step: referred };
      }
      case 'not':
        return { type: 'not', cond: this.#condition(json.cond, step, depth + 1) };
      case 'and':
      case 'or':
        return {
          type: json.type,
          conds: array(json.conds, 'conds').map((cond) => this.#condition(cond, step, depth + 1)),
        };
      case 'is_autocommit':
        return { type: 'is_autocommit' };
      default:
        throw malformed(`Unknown type of condition ${JSON.stringify(json.type)}`);
    }
  }

  #stmt(json: Json): Stmt {
    this.#statements += 1;
    if (this.#statements > this.#limits.statementsPerRequestMax) {
      throw tooLarge('Statements in a request', this.#limits.statementsPerRequestMax);
    }
    const args = json.args === undefined ? [] : array(json.args, 'args');
    const named = json.named_args === undefined ? [] : array(json.named_args, 'named_args');
    if (args.length + named.length > this.#limits.argumentsPerStatementMax) {
      throw tooLarge('Arguments of a statement', this.#limits.argumentsPerStatementMax);
    }
    return {
      ...this.#text(json),
      args: args.map(argument),
      namedArgs: new Map(named.map(namedArgument)),
      wantRows: json.want_rows !== false,
    };
  }

  #text(json: Json): SqlText {
    const sql = json.sql ?? undefined;
    const sqlId = json.sql_id ?? undefined;
    if ((sql === undefined) === (sqlId === undefined)) throw malformed('Exactly one of sql and sql_id must be given');
    return {
      sql: sql === undefined ? undefined : this.#sql(sql),
      sqlId: sqlId === undefined ? undefined : integer(sqlId, 'sql_id'),
    };
  }

  #sql(value: unknown): string {
    if (typeof value !== 'string') throw malformed('sql must be a string');
    const { statementTextBytesMax } = this.#limits;
    // A UTF-16 unit is at most 3 bytes of UTF-8: only long texts need to be measured.
    if (value.length * 3 > statementTextBytesMax && Buffer.byteLength(value) > statementTextBytesMax) {
      throw tooLarge('Bytes of a statement', statementTextBytesMax);
    }
    // The engine would stop at the NUL and run half a statement.
    if (value.includes('\0')) throw malformed('sql must not contain a NUL character');
    return value;
  }
}

function argument(json: unknown): SqlValue {
  try {
    return decodeValue(json);
  } catch (error) {
    if (error instanceof HranaError) throw new RequestError(400, error.code, error.message);
    throw error;
  }
}

function namedArgument(json: unknown): [string, SqlValue] {
  const named = object(json, 'A named argument');
  if (typeof named.name !== 'string') throw malformed('The name of an argument must be a string');
  return [named.name, argument(named.value)];
}

/** Parse the body of a pipeline to types; throws RequestError before anything has run. */
export function parsePipeline(json: unknown, limits: Limits): PipelineRequest {
  return new RequestParser(limits).pipeline(json);
}
