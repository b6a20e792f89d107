import type { Timers } from '../../shared/clock.ts';
import type { Fault, MessageOf, RunnerMessage } from '../../shared/protocol/messages.ts';
import type { Operator } from '../driver.ts';
import { faultOf } from '../reconcile/retry.ts';

/** Questions under way at one time; more are refused, because whoever asks will not wait. */
export const QUERIES_MAX = 32;
export const QUERY_TIMEOUT_MS = 20_000;

/** Answers the edge's questions. Nothing of it outlives the session. */
export class Queries {
  readonly #operator: Operator;
  readonly #time: Timers;
  readonly #send: (message: RunnerMessage) => number | null;
  #open = 0;

  constructor(operator: Operator, time: Timers, send: (message: RunnerMessage) => number | null) {
    this.#operator = operator;
    this.#time = time;
    this.#send = send;
  }

  take(message: MessageOf<'query'>): void {
    const { query_id, kind, target_id, args } = message;
    let answered = false;
    const answer = (body: { result: unknown } | { fault: Fault }) => {
      if (answered) return;
      answered = true;
      const fits = this.#send({ type: 'answer', query_id, ok: 'result' in body, ...body });
      const fault = { code: 413, message: `The answer to ${kind} is too large for the link.` };
      if (fits === null && 'result' in body) this.#send({ type: 'answer', query_id, ok: false, fault });
    };
    if (this.#open >= QUERIES_MAX) {
      answer({ fault: { code: 503, message: `The runner is busy with ${QUERIES_MAX} questions.` } });
      return;
    }
    this.#open += 1;
    const calm = this.#time.after(QUERY_TIMEOUT_MS, () =>
      answer({ fault: { code: 504, message: `The machine did not answer ${kind} in time.` } }),
    );
    this.#operator
      .query({ kind, targetId: target_id, args })
      .then(
        (result) => answer({ result }),
        (error: unknown) => answer({ fault: faultOf(error) }),
      )
      .finally(() => {
        calm();
        this.#open -= 1;
      });
  }
}
