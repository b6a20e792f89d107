import { describe, expect, it } from 'vitest';
import { POLL_HOLD_S } from '../../shared/limits.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { pollTransport } from './poll-transport.ts';
import type { TransportEnd } from './transport.ts';

const frame = (seq: number, ack = 0) => JSON.stringify({ v: 1, session: 's', epoch: 1, seq, ack, ts_ms: 1, body: {} });

/** A transport whose requests a test answers. */
function setUp() {
  const time = new VirtualTime();
  const posts: {
    body: { session: string | null; frames: string[] };
    signal: AbortSignal;
    answer(frames: string[], status?: number, headers?: Record<string, string>): Promise<void>;
    fail(error: Error): Promise<void>;
  }[] = [];
  const got: string[] = [];
  const ends: TransportEnd[] = [];
  const connection = pollTransport({
    edgeUrl: 'https://edge',
    runnerId: 'r',
    time,
    fetch: ((_url: string, init: RequestInit) =>
      new Promise<Response>((resolve, reject) => {
        const signal = init.signal as AbortSignal;
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        posts.push({
          body: JSON.parse(String(init.body)),
          signal,
          async answer(frames, status = 200, headers = {}) {
            resolve(Response.json({ session: 's', frames }, { status, headers }));
            await new Promise((done) => setImmediate(done));
          },
          async fail(error) {
            reject(error);
            await new Promise((done) => setImmediate(done));
          },
        });
      })) as typeof fetch,
  }).open({ frame: (text) => got.push(text), closed: (end) => ends.push(end) });
  const post = (index: number) => {
    const found = posts[index];
    if (!found) throw new Error(`no request ${index}`);
    return found;
  };
  return { time, posts, post, got, ends, connection };
}

describe('the long poll', () => {
  it('opens a session with an empty request and always has one with the edge', async () => {
    const { posts, post, got } = setUp();
    expect(post(0).body).toEqual({ session: null, frames: [] });
    await post(0).answer([frame(1)]);
    expect(got).toEqual([frame(1)]);
    expect(post(1).body).toEqual({ session: 's', frames: [] });
    await post(1).answer([]);
    expect(posts).toHaveLength(3);
  });

  it('carries frames past the request that is held, those of one turn together', async () => {
    const { posts, post, connection, time } = setUp();
    await post(0).answer([frame(1)]);
    connection.send(frame(1));
    connection.send(frame(2));
    await time.settle();
    expect(post(2).body.frames).toEqual([frame(1), frame(2)]);
    expect(posts).toHaveLength(3);
  });

  it('lets no two requests with frames overtake each other', async () => {
    const { posts, post, connection, time } = setUp();
    await post(0).answer([frame(1)]);
    connection.send(frame(1));
    await time.settle();
    connection.send(frame(2));
    await time.settle();
    expect(posts).toHaveLength(3);
    await post(2).answer([]);
    expect(post(3).body.frames).toEqual([frame(2)]);
  });

  it('sends on when an answer to another request acknowledges the frames', async () => {
    const { post, connection, time } = setUp();
    await post(0).answer([frame(1)]);
    connection.send(frame(1));
    await time.settle();
    connection.send(frame(2));
    await post(1).answer([frame(2, 1)]);
    expect(post(3).body.frames).toEqual([frame(2)]);
  });

  it('splits what is too much for one request', async () => {
    const { post, connection, time } = setUp();
    await post(0).answer([frame(1)]);
    const long = (seq: number) => JSON.stringify({ seq, text: 'x'.repeat(150_000) });
    for (let seq = 1; seq <= 5; seq += 1) connection.send(long(seq));
    await time.settle();
    expect(post(2).body.frames).toHaveLength(2);
    await post(2).answer([]);
    expect(post(3).body.frames).toHaveLength(2);
  });

  it('puts frames of answers that overtook each other in order', async () => {
    const { post, connection, got, time } = setUp();
    await post(0).answer([frame(1)]);
    connection.send(frame(1));
    await time.settle();
    await post(2).answer([frame(3), frame(4)]);
    expect(got).toEqual([frame(1)]);
    await post(1).answer([frame(2)]);
    expect(got).toEqual([frame(1), frame(2), frame(3), frame(4)]);
  });

  it('ends when a frame stays away', async () => {
    const { post, ends, time } = setUp();
    await post(0).answer([frame(1)]);
    await post(1).answer([frame(3)]);
    await time.pass(5_000);
    expect(ends).toEqual([{ reason: 'an answer of the edge was lost' }]);
  });

  it('ends with the reason: session lost, refused, unreachable, not answered', async () => {
    const lost = setUp();
    await lost.post(0).answer([], 410);
    expect(lost.ends).toEqual([{ reason: 'the edge lost the session', status: 410 }]);
    const busy = setUp();
    await busy.post(0).answer([], 503, { 'retry-after': '7' });
    expect(busy.ends).toMatchObject([{ status: 503, retryAfterMs: 7_000 }]);
    const away = setUp();
    await away.post(0).fail(new Error('ECONNREFUSED'));
    expect(away.ends).toEqual([{ reason: 'ECONNREFUSED' }]);
    const silent = setUp();
    await silent.time.pass((POLL_HOLD_S + 15) * 1000);
    expect(silent.ends).toEqual([{ reason: 'the edge did not answer a poll in time' }]);
    const wrong = setUp();
    await wrong.post(0).answer('no frames' as never);
    expect(wrong.ends).toHaveLength(1);
  });

  it('says nothing more after it is closed', async () => {
    const { post, connection, ends, got, posts } = setUp();
    await post(0).answer([frame(1)]);
    connection.close();
    expect(post(1).signal.aborted).toBe(true);
    await post(1).answer([frame(2)]);
    connection.send(frame(9));
    expect(ends).toEqual([]);
    expect(got).toEqual([frame(1)]);
    expect(posts).toHaveLength(2);
  });
});
