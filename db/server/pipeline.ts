import type { Engine } from './engine.ts';
import { HranaError, RequestError } from './errors.ts';
import type { Limits } from './limits.ts';
import { parsePipeline } from './parse-request.ts';
import type { BatchStep, PipelineRequest, SqlText, Stmt, StreamRequest } from './protocol.ts';
import { routeOf } from './route.ts';
import { LiteralRunner } from './runners.ts';
import type { BoundStatement } from './statements.ts';
import type { Hold, Stream, StreamRegistry } from './streams.ts';
import { batchUnit, errorText, executeUnit, okText, type PreparedStep, sequenceUnit, type Unit } from './units.ts';
import type { Waiter } from './writer.ts';

/** What to send, and what to do if it cannot be sent. */
export interface Answer {
  text: string;
  abandon(): void;
}

const CLOSED = new HranaError('The stream is closed', 'STREAM_CLOSED');
const NO_ARGUMENTS = { args: [], namedArgs: new Map(), wantRows: false };

/** Runs the requests of a pipeline on its stream, in their order. */
export class PipelineRunner {
  readonly #engine: Engine;
  readonly #streams: StreamRegistry;
  readonly #limits: Limits;

  constructor(engine: Engine, streams: StreamRegistry, limits: Limits) {
    this.#engine = engine;
    this.#streams = streams;
    this.#limits = limits;
  }

  /** Run the body of a request; `gone` tells whether the client has left. */
  async run(body: unknown, gone: () => boolean): Promise<Answer> {
    const pipeline = this.#parse(body);
    const kept = pipeline.requests.at(-1)?.type !== 'close';
    const stream = pipeline.baton === undefined ? this.#streams.open(kept) : this.#streams.take(pipeline.baton);
    const waiter: Waiter = { budget: { bytesLeft: this.#limits.resultBytesMax }, gone };
    const results: string[] = [];
    let ended = false;
    try {
      for (const request of pipeline.requests) {
        const result = ended ? errorText(CLOSED) : this.#request(stream, request, waiter);
        results.push(typeof result === 'string' ? result : await result);
        ended ||= request.type === 'close';
      }
      // A client that has left cannot show a baton: what it holds is given back at once.
      ended ||= gone() || !kept || this.#streams.closing;
    } catch (error) {
      ended = true;
      throw error;
    } finally {
      if (ended) this.#streams.end(stream);
    }
    const baton = ended ? 'null' : `"${this.#streams.keep(stream)}"`;
    return {
      text: `{"baton":${baton},"base_url":null,"results":[${results}]}`,
      abandon: () => this.#streams.end(stream),
    };
  }

  // By the protocol a request that is refused ends its stream: the client will not come back to it.
  #parse(body: unknown): PipelineRequest {
    try {
      return parsePipeline(body, this.#limits);
    } catch (error) {
      const baton = typeof body === 'object' && body !== null && 'baton' in body ? body.baton : undefined;
      if (typeof baton === 'string') this.#streams.end(this.#streams.take(baton));
      throw error;
    }
  }

  #request(stream: Stream, request: StreamRequest, waiter: Waiter): string | Promise<string> {
    try {
      switch (request.type) {
        case 'close':
          return okText('close');
        case 'execute':
          return this.#unit(stream, executeUnit(this.#bind(stream, request.stmt)), waiter);
        case 'batch':
          return this.#unit(stream, batchUnit(request.steps.map((step) => this.#step(stream, step))), waiter);
        case 'sequence':
          return this.#unit(stream, sequenceUnit(this.#sequence(stream, request.text)), waiter);
        case 'describe':
          return this.#describe(stream, request.text);
        case 'store_sql':
          return this.#storeSql(stream, request.sqlId, request.sql);
        case 'close_sql':
          stream.sqls.delete(request.sqlId);
          return okText('close_sql');
        case 'get_autocommit':
          return okText('get_autocommit', `,"is_autocommit":${stream.hold === undefined}`);
      }
    } catch (error) {
      return errorText(error);
    }
  }

  #unit(stream: Stream, unit: Unit, waiter: Waiter): string | Promise<string> {
    if (stream.hold !== undefined) return this.#runHeld(stream, stream.hold, unit, waiter);
    const route = routeOf(unit.statements);
    if (route === 'hold-reader') return this.#hold(stream, unit, waiter, this.#engine.holdReader());
    if (route === 'hold-writer') return this.#holdWriter(stream, unit, waiter);
    if (route === 'group') return this.#group(stream, unit, waiter);
    const { reader } = this.#engine;
    const { bytesLeft } = waiter.budget;
    const result = unit.run(new LiteralRunner(reader, waiter.budget));
    if (!reader.inTransaction) return result;
    reader.exec('ROLLBACK');
    waiter.budget.bytesLeft = bytesLeft;
    return this.#holdWriter(stream, unit, waiter);
  }

  async #group(stream: Stream, unit: Unit, waiter: Waiter): Promise<string> {
    try {
      const result = await this.#engine.writer.submit(unit, waiter);
      if (result !== undefined) return result;
    } catch (error) {
      return errorText(error);
    }
    return this.#holdWriter(stream, unit, waiter);
  }

  async #holdWriter(stream: Stream, unit: Unit, waiter: Waiter): Promise<string> {
    let hold: Hold;
    try {
      hold = await this.#engine.holdWriter(waiter);
    } catch (error) {
      return errorText(error);
    }
    return this.#hold(stream, unit, waiter, hold);
  }

  #hold(stream: Stream, unit: Unit, waiter: Waiter, hold: Hold): string {
    stream.hold = hold;
    return this.#runHeld(stream, hold, unit, waiter);
  }

  #runHeld(stream: Stream, hold: Hold, unit: Unit, waiter: Waiter): string {
    const result = unit.run(new LiteralRunner(hold.connection, waiter.budget));
    hold.worked();
    if (hold.connection.inTransaction) this.#streams.limitTransaction(stream);
    else this.#streams.release(stream);
    return result;
  }

  #describe(stream: Stream, text: SqlText): string {
    const statement = this.#engine.catalogue.only(this.#sql(stream, text));
    const cols = (stream.hold?.connection ?? this.#engine.reader).describe(statement);
    const result = {
      params: statement.parameters.map((name) => ({ name })),
      cols,
      is_explain: statement.words[0] === 'EXPLAIN',
      is_readonly: statement.kind === 'read',
    };
    return okText('describe', `,"result":${JSON.stringify(result)}`);
  }

  #storeSql(stream: Stream, sqlId: number, sql: string): string {
    if (stream.sqls.has(sqlId)) throw new HranaError(`SQL text ${sqlId} is already stored`, 'SQL_STORE_EXISTS');
    if (stream.sqls.size >= this.#limits.storedSqlPerStreamMax) {
      throw new HranaError(
        `At most ${this.#limits.storedSqlPerStreamMax} SQL texts may be stored`,
        'SQL_STORE_TOO_MANY',
      );
    }
    stream.sqls.set(sqlId, sql);
    return okText('store_sql');
  }

  #sql(stream: Stream, { sql, sqlId }: SqlText): string {
    const text = sql ?? (sqlId === undefined ? undefined : stream.sqls.get(sqlId));
    if (text === undefined) throw new HranaError(`SQL text ${sqlId} is not stored on the stream`, 'SQL_NOT_FOUND');
    return text;
  }

  #bind(stream: Stream, stmt: Stmt): BoundStatement {
    return { ...this.#engine.catalogue.only(this.#sql(stream, stmt)), request: stmt };
  }

  #step(stream: Stream, step: BatchStep): PreparedStep {
    try {
      return { condition: step.condition, statement: this.#bind(stream, step.stmt), error: undefined };
    } catch (error) {
      return { condition: step.condition, statement: undefined, error };
    }
  }

  #sequence(stream: Stream, text: SqlText): BoundStatement[] {
    const statements = this.#engine.catalogue.all(this.#sql(stream, text));
    if (statements.length > this.#limits.statementsPerRequestMax) {
      const message = `Statements in a request: at most ${this.#limits.statementsPerRequestMax} allowed`;
      throw new HranaError(message, 'REQUEST_TOO_LARGE');
    }
    return statements.map((statement) => ({ ...statement, request: NO_ARGUMENTS }));
  }
}

/** What a client is told whose stream was cut by the server going down. */
export const SHUTTING_DOWN = new RequestError(503, 'SHUTTING_DOWN', 'The server is shutting down');
