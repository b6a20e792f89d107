import type { ActorContext } from '../../http/context.ts';
import { conflict, serviceUnavailable } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { findServer } from '../servers/find-server.ts';

/** How long a client waits for a machine's answer. */
const CONSOLE_TIMEOUT_MS = 10_000;
const RETRY_AFTER_S = 5;
/** Control characters but for tab and newline, which Nova takes out too. */
const CONTROL = /[^\P{Cc}\t\n]/gu;

/**
 * The end of a guest's console.
 * @param lengthLines - lines wanted; null for all that the host keeps
 * @throws ApiError 404; 409 not on a host yet; 503 the host does not answer
 */
export async function consoleOutput(ctx: ActorContext, id: string, lengthLines: number | null): Promise<string> {
  authorize(ctx, policy, 'os_compute_api:os-console-output');
  const row = await findServer(ctx, id);
  if (row.runnerId === null) throw conflict(`Instance ${id} is not ready`);
  const query = { kind: 'console', targetId: id, args: { length_lines: lengthLines } };
  const answer = await ctx.fleet.query(row.runnerId, query, CONSOLE_TIMEOUT_MS);
  if (!answer.ok) {
    if (answer.fault.code === 404 || answer.fault.code === 409) throw conflict(`Instance ${id} is not ready`);
    throw serviceUnavailable(`The host of instance ${id} does not answer: ${answer.fault.message}`, RETRY_AFTER_S);
  }
  const { output = '' } = (answer.result ?? {}) as { output?: string };
  return output.replaceAll(CONTROL, '');
}
