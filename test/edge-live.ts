import { call } from './edge-client.ts';

/** An event of a stream: what it has of each field. */
export interface LiveEvent {
  id: string | null;
  event: string;
  data: {
    at: string;
    points: { resource_id: string; meter: string; value: number; rose?: number; over_s?: number }[];
  } | null;
}

/** Reads a stream of server-sent events as a client would. */
export function readEvents(body: ReadableStream<Uint8Array>) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const events: LiveEvent[] = [];
  let lastId: string | null = null;
  const parse = (block: string): LiveEvent => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
    const data = field('data');
    return { id: field('id'), event: field('event') ?? 'message', data: data === null ? null : JSON.parse(data) };
  };
  /** @returns false at the end of the stream */
  const more = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (done) return false;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const event of blocks.map(parse)) {
      lastId = event.id ?? lastId;
      events.push(event);
    }
    return true;
  };
  return {
    lastId: () => lastId,
    /** The next that has data; null at the end. */
    async next(): Promise<LiveEvent | null> {
      for (;;) {
        const event = events.shift();
        if (event?.data) return event;
        if (!event && !(await more())) return null;
      }
    },
    /** Waits for the sign that it has begun. */
    async begun(): Promise<void> {
      while (lastId === null) if (!(await more())) throw new Error('the stream ended at once');
      events.length = 0;
    },
    /** Goes away. */
    leave: () => reader.cancel(),
  };
}

/** Opens a stream of live figures. */
export async function openEvents(token: string, query: string, lastEventId?: string | null) {
  const headers: Record<string, string> = lastEventId ? { 'last-event-id': lastEventId } : {};
  const response = await call('GET', `/aerostat/v1/metering/live?${query}`, { token, headers });
  if (response.status !== 200 || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  const events = readEvents(response.body);
  await events.begun();
  return { ...events, response };
}
