import { iso } from '../../http/times.ts';
import { LIVE_RETRY_MS } from '../limits.ts';
import type { Arrival } from './arrivals.ts';
import type { LiveLine } from './live-streams.ts';
import { idOf, type Positions } from './positions.ts';

/** Lines of a machine (`LiveLine`). */
export interface Source {
  runnerId: string;
  lines: ReadableStream<Uint8Array>;
  /** Lets the machine's object know that nobody reads them any more. */
  end(): Promise<void>;
}

/** One stream of server-sent events of all machines' lines. It ends with the first of them: its reader comes back for all. */
export function mergeLive(sources: Source[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const positions: Positions = new Map();
  const inputs = sources.map(({ runnerId, lines, end }) => ({
    runnerId,
    reader: lines.getReader(),
    text: lineReader(),
    end,
  }));
  const cancel = async () => {
    await Promise.allSettled(inputs.flatMap(({ reader, end }) => [end(), reader.cancel()]));
  };
  type Input = (typeof inputs)[number];
  // One that breaks off ends like one that is over.
  const read = async (input: Input) => {
    const { done, value } = await input.reader.read().catch(() => ({ done: true, value: undefined }));
    return { input, part: done ? undefined : value };
  };
  const reads = new Map(inputs.map((input) => [input, read(input)]));
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      for (;;) {
        const { input, part } = await Promise.race(reads.values());
        if (part === undefined) {
          controller.close();
          return cancel();
        }
        reads.set(input, read(input));
        const events = input.text(part).map((line) => eventOf(positions, input.runnerId, line));
        if (events.length > 0) return controller.enqueue(encoder.encode(events.join('')));
      }
    },
    cancel,
  });
}

/** Puts lines together of parts that end anywhere. */
function lineReader(): (part: Uint8Array) => string[] {
  const decoder = new TextDecoder();
  let rest = '';
  return (part) => {
    const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    return lines;
  };
}

/** A line as an event. The positions become those that its reader has with it. */
function eventOf(positions: Positions, runnerId: string, line: string): string {
  const said = JSON.parse(line) as LiveLine;
  positions.set(runnerId, { n: said.n, atMs: said.atMs });
  const id = `id: ${idOf(positions)}\n`;
  if ('points' in said) return `${id}data: ${JSON.stringify(momentView(said))}\n\n`;
  const gap = said.gap ? 'event: gap\ndata: {}\n' : '';
  return `: alive\nretry: ${LIVE_RETRY_MS}\n${id}${gap}\n`;
}

/** A moment's points. What a counter rose by is null where nobody knows since when. */
const momentView = ({ t, points }: Arrival) => ({
  at: iso(t),
  points: points.map(({ resource, meter, v, rose, overMs }) => ({
    resource_id: resource,
    meter,
    value: v,
    ...(rose === null || overMs === null ? {} : { rose, over_s: overMs / 1_000 }),
  })),
});
