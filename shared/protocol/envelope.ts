import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from '../limits.ts';
import { type EdgeMessage, edgeMessage, type RunnerMessage, runnerMessage } from './messages.ts';

/** What carries a message: `seq` counts a direction of one session, `ack` is the highest contiguous seq seen. */
const envelope = z.object({
  v: z.literal(1),
  session: z.string().max(64),
  epoch: z.int().min(0),
  seq: z.int().min(0),
  ack: z.int().min(0),
  ts_ms: z.int().min(0),
  body: z.unknown(),
});
export type Envelope<Body> = Omit<z.infer<typeof envelope>, 'body'> & { body: Body };

/**
 * Why a frame was refused; the session goes on unless it was garbage. Where the envelope could be read it is there, so
 * that the frame still counts: a message nobody understands must not look like one that was lost.
 */
export type Refused = {
  refused: 'garbage' | 'too-large' | 'unknown-type' | 'malformed';
  message: string;
  envelope?: Envelope<unknown>;
};

/** One frame of text to an envelope with a checked body; unknown message types and members are tolerated, not fatal. */
function parse<Body>(text: string, bodySchema: z.ZodType<Body>, types: ReadonlySet<string>): Envelope<Body> | Refused {
  if (text.length > MESSAGE_BYTES_MAX)
    return { refused: 'too-large', message: `message over ${MESSAGE_BYTES_MAX} bytes` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { refused: 'garbage', message: 'message is not JSON' };
  }
  const outer = envelope.safeParse(json);
  if (!outer.success) return { refused: 'garbage', message: z.prettifyError(outer.error) };
  const type = (outer.data.body as { type?: unknown } | null)?.type;
  if (typeof type !== 'string' || !types.has(type))
    return { refused: 'unknown-type', message: `unknown message type ${String(type)}`, envelope: outer.data };
  const body = bodySchema.safeParse(outer.data.body);
  if (!body.success)
    return { refused: 'malformed', message: `${type}: ${z.prettifyError(body.error)}`, envelope: outer.data };
  return { ...outer.data, body: body.data };
}

const typesOf = (union: { options: readonly { shape: { type: { value: string } } }[] }) =>
  new Set(union.options.map((option) => option.shape.type.value));
const edgeTypes = typesOf(edgeMessage);
const runnerTypes = typesOf(runnerMessage);

/** A frame that the edge sent. */
export function parseEdgeFrame(text: string): Envelope<EdgeMessage> | Refused {
  return parse(text, edgeMessage, edgeTypes);
}

/** A frame that a runner sent. */
export function parseRunnerFrame(text: string): Envelope<RunnerMessage> | Refused {
  return parse(text, runnerMessage, runnerTypes);
}
