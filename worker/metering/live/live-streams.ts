import type { Timers } from '../../../shared/clock.ts';
import { LIVE_KEEP_ALIVE_MS, LIVE_SILENT_MS, LIVE_STREAMS_MAX, LIVE_STREAMS_PROJECT_MAX } from '../limits.ts';
import type { RunnerMeter } from '../runner-meter.ts';
import type { Arrival, LiveFrom, LiveStart, Watched } from './arrivals.ts';

/** Who watches what of a machine, from where on, and until when. */
export interface LiveAsked {
  /** The stream's, by which it can be ended. */
  id: string;
  /** Whose streams are counted together. */
  project: string;
  watched: Watched[];
  /** Null: from now on. */
  from: LiveFrom | null;
  untilMs: number;
}

/** A line of a stream: what came, or where its reader is, at its start and as a sign of life. */
export type LiveLine = LiveStart | Arrival;

interface Stream {
  asked: LiveAsked;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  /** The last arrival that is in it, or had nothing for it. */
  n: number;
  /** When the last came that had something. */
  atMs: number;
  /** Its reader has not taken the last line: what comes meanwhile is read from the book after that. */
  busy: boolean;
  /** By resource: when there was last a point of it. */
  heardMs: Map<string, number>;
  callOffs: (() => void)[];
}

/** Streams of one machine's points. Nothing is held for a reader but where it is. */
export interface LiveStreams {
  /** @returns lines of JSON (`LiveLine`); null where there are too many streams */
  open(asked: LiveAsked): ReadableStream<Uint8Array> | null;
  /** Something came. */
  wake(): void;
  /** Its reader is gone: it would be found out by the second line that nobody takes. */
  end(id: string): void;
  /** How many are open. */
  count(): number;
}

const encoder = new TextEncoder();

/** The streams of a machine's object, on its meter. */
export function liveStreams(meter: Pick<RunnerMeter, 'liveFrom' | 'nextArrival'>, timers: Timers): LiveStreams {
  const streams = new Set<Stream>();
  const end = (stream: Stream, how: 'close' | 'abort') => {
    if (!streams.delete(stream)) return;
    for (const callOff of stream.callOffs) callOff();
    // What waits for a reader who does not take the last line would wait for ever, and outlive its limits.
    void stream.writer[stream.busy ? 'abort' : how]().catch(() => {});
  };
  /** Writes a line, if one is given, and all that came; a reader that is gone ends its stream. */
  const pump = async (stream: Stream, line?: LiveLine) => {
    if (stream.busy) return;
    stream.busy = true;
    try {
      if (line !== undefined) await write(stream, line);
      while (streams.has(stream)) {
        const came = meter.nextArrival(stream.asked.watched, stream.n);
        if (came === null) break;
        stream.n = came.n;
        if (came.points.length === 0) continue;
        stream.atMs = came.atMs;
        for (const { resource } of came.points) stream.heardMs.set(resource, timers.nowMs());
        await write(stream, came);
      }
    } catch {
      end(stream, 'abort');
    }
    stream.busy = false;
  };
  const keepAlive = (stream: Stream) =>
    timers.after(LIVE_KEEP_ALIVE_MS, () => {
      stream.callOffs[0] = keepAlive(stream);
      // What is not heard of may be on another machine by now: its reader comes back, and is led there.
      if (isSilent(stream, timers.nowMs())) end(stream, 'close');
      else void pump(stream, { n: stream.n, atMs: stream.atMs, gap: false });
    });
  return {
    open(asked) {
      const own = [...streams].filter((stream) => stream.asked.project === asked.project).length;
      if (streams.size >= LIVE_STREAMS_MAX || own >= LIVE_STREAMS_PROJECT_MAX) return null;
      const { readable, writable } = new IdentityTransformStream();
      const nowMs = timers.nowMs();
      const begun = meter.liveFrom(asked.from ?? { n: null, atMs: nowMs });
      const heardMs = new Map(asked.watched.map(({ resource }) => [resource, nowMs]));
      const { n, atMs } = begun;
      const stream: Stream = { asked, writer: writable.getWriter(), n, atMs, busy: false, heardMs, callOffs: [] };
      const close = timers.after(Math.max(0, asked.untilMs - nowMs), () => end(stream, 'close'));
      stream.callOffs = [keepAlive(stream), close];
      streams.add(stream);
      stream.writer.closed.catch(() => end(stream, 'abort'));
      void pump(stream, begun);
      return readable;
    },
    wake() {
      for (const stream of streams) void pump(stream);
    },
    end(id) {
      for (const stream of streams) if (stream.asked.id === id) end(stream, 'abort');
    },
    count: () => streams.size,
  };
}

const write = ({ writer }: Stream, line: LiveLine) => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
const isSilent = ({ heardMs }: Stream, nowMs: number) =>
  [...heardMs.values()].some((atMs) => nowMs - atMs >= LIVE_SILENT_MS);
