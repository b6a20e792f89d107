import { randomIds } from '../../../shared/ids.ts';
import { app } from '../../../worker/app.ts';
import { farmRound } from '../../../worker/billing/farmer/farm-round.ts';
import type { Env } from '../../../worker/env.ts';
import { makeContext } from '../../../worker/http/make-context.ts';

export * from '../../../worker/index.ts';

/** A round of billing, asked for instead of waited for. */
export interface RoundBody {
  region: string;
  /** What the round's clock says. */
  nowMs: number;
}

const ROUND_PATH = '/bench/round';

/** The worker as it is, and one way in for the benchmark: rounds of a region's farmer, at a moment of its choice. */
export default {
  async fetch(request: Request, env: Env, execution: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname !== ROUND_PATH) return app.fetch(request, env, execution);
    const { region, nowMs } = (await request.json()) as RoundBody;
    const context = makeContext(env, {
      clock: { nowMs: () => nowMs },
      ids: randomIds,
      requestId: 'req-bench',
      region,
      baseUrl: env.PUBLIC_URL,
      waitUntil: (promise) => execution.waitUntil(promise),
    });
    return Response.json(await farmRound(context));
  },
};
