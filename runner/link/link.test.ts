import { describe, expect, it } from 'vitest';
import type { EdgeMessage, RunnerMessageOf } from '../../shared/protocol/messages.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { FakeTransport } from '../testing/fake-transport.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { Link, REFUSED_WAIT_MS, WEBSOCKET_FAILURES_MAX, WEBSOCKET_RETRY_MS } from './link.ts';

const hello: RunnerMessageOf<'hello'> = {
  type: 'hello',
  runner_id: 'r',
  signature: 'x',
  machine_id: 'm',
  boot_id: 'b',
  process_id: 'p',
  version: '1',
  protocol: [1, 1],
  hypervisor: 'simulated',
  hostname: 'h',
  capacity: { vcpus: 1, memory_mib: 1, disk_gib: 1 },
  capabilities: [],
  tunnel_ip: null,
  physical_networks: [],
  generation: 0,
  digest: '',
  attempts: 0,
};

function setUp(random: () => number = () => 0.5) {
  const time = new VirtualTime();
  const websocket = new FakeTransport('websocket');
  const poll = new FakeTransport('poll');
  const log = capturedLog();
  const events: string[] = [];
  const acks: number[] = [];
  const messages: EdgeMessage[] = [];
  const attempts: number[] = [];
  const link = new Link({
    websocket,
    poll,
    time,
    random,
    log,
    handlers: {
      hello: async (_challenge, attempt) => {
        attempts.push(attempt);
        return hello;
      },
      ready: () => events.push('ready'),
      message: (message) => messages.push(message),
      acked: (seq) => acks.push(seq),
      down: () => events.push('down'),
      rejected: (reject) => reject.code === 'bad-signature',
      heartbeat: () => ({ type: 'heartbeat', generation: 3, guests: 2 }),
      status: (status) => events.push(status.state),
    },
  });
  const connect = async () => {
    websocket.last.challenge();
    await time.settle();
    websocket.last.welcome();
  };
  return { time, websocket, poll, log, link, events, acks, messages, attempts, connect };
}

describe('the handshake', () => {
  it('answers the challenge with a hello and is ready with the welcome', async () => {
    const { link, websocket, time, events, connect } = setUp();
    link.start();
    await connect();
    expect(websocket.last.sent.map(({ seq, body }) => [seq, body.type])).toEqual([[1, 'hello']]);
    expect(events).toEqual(['connecting', 'ready', 'ready']);
    expect(link.send({ type: 'resync', reason: 'x' })).toBe(2);
    expect(time.pending.length).toBeGreaterThan(0);
  });

  it('sends nothing before the welcome', () => {
    const { link, websocket } = setUp();
    link.start();
    expect(link.send({ type: 'resync', reason: 'x' })).toBeNull();
    expect(websocket.last.sent).toEqual([]);
  });

  it('gives up a connection that is not welcomed in time', async () => {
    const { link, websocket, time, log } = setUp();
    link.start();
    websocket.last.challenge();
    await time.pass(20_000);
    expect(websocket.connections[0]?.closed).toBe(true);
    expect(log.lines.find((line) => line.event === 'link-down')?.reason).toMatch(/did not welcome/);
  });

  it('ignores a second challenge in one session', async () => {
    const { link, websocket, connect, time } = setUp();
    link.start();
    await connect();
    websocket.last.challenge();
    await time.settle();
    expect(websocket.last.sent).toHaveLength(1);
  });
});

describe('the session', () => {
  it('beats at the rhythm of the welcome, the first time at a random moment', async () => {
    const { link, websocket, time, connect } = setUp(() => 0.3);
    link.start();
    await connect();
    const beats = () => websocket.last.sent.filter((one) => one.body.type === 'heartbeat').length;
    await time.pass(2_999);
    expect(beats()).toBe(0);
    await time.pass(1);
    expect(beats()).toBe(1);
    websocket.last.say({ type: 'beat', server_time_ms: 1 });
    await time.pass(10_000);
    expect(beats()).toBe(2);
  });

  it('drops a connection on which nothing is heard for two and a half beats', async () => {
    const { link, websocket, time, connect, events } = setUp();
    link.start();
    await connect();
    await time.pass(20_000);
    websocket.last.say({ type: 'beat', server_time_ms: 1 });
    await time.pass(24_999);
    expect(link.status().state).toBe('ready');
    await time.pass(1);
    expect(websocket.connections[0]?.closed).toBe(true);
    expect(events.slice(-2)).toEqual(['down', 'waiting']);
    expect(link.status().lastEnd).toMatch(/nothing heard of the edge for 25 s/);
  });

  it('passes on what the edge acknowledged, and its messages', async () => {
    const { link, websocket, connect, acks, messages } = setUp();
    link.start();
    await connect();
    websocket.last.say({ type: 'beat', server_time_ms: 9 }, 1);
    expect(acks.at(-1)).toBe(1);
    expect(messages.map((message) => message.type)).toEqual(['beat']);
  });

  it('reconnects when asked, after a random part of the time given', async () => {
    const { link, websocket, time, connect } = setUp(() => 0.25);
    link.start();
    await connect();
    for (let at = 0; at < 7; at += 1) {
      await time.pass(10_000);
      websocket.last.say({ type: 'beat', server_time_ms: 1 });
    }
    websocket.last.say({ type: 'reconnect', within_s: 8, reason: 'deploy' });
    await time.pass(1_999);
    expect(websocket.connections).toHaveLength(1);
    await time.pass(1);
    expect(websocket.connections).toHaveLength(2);
  });

  it('does not spin when every session begins with being asked to leave', async () => {
    const { link, websocket, time } = setUp(() => 0.5);
    link.start();
    for (let at = 0; at < 6; at += 1) {
      websocket.last.challenge();
      await time.settle();
      websocket.last.welcome();
      websocket.last.say({ type: 'reconnect', within_s: 0, reason: 'deploy' });
      await time.pass(0);
      await time.pass(Math.min(60_000, 1000 * 2 ** at) / 2 - 1);
      expect(websocket.connections).toHaveLength(at + 1);
      await time.pass(1);
      expect(websocket.connections).toHaveLength(at + 2);
    }
  });
});

describe('coming back', () => {
  it('waits a random part of a window that doubles from 1 s to 60 s', async () => {
    const { link, websocket, poll, time } = setUp(() => 0.5);
    link.start();
    const waits: number[] = [];
    for (let at = 0; at < 10; at += 1) {
      const newest = [websocket, poll]
        .map((transport) => transport.connections.at(-1))
        .find((one) => one && !one.closed);
      newest?.end({ reason: 'refused' });
      waits.push(time.pending[0] ?? -1);
      await time.pass(time.pending[0] ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('spreads a fleet over the whole window', async () => {
    const waits = [0, 0.1, 0.5, 0.999].map((part) => {
      const { link, websocket, time } = setUp(() => part);
      link.start();
      websocket.last.end({ reason: 'refused' });
      return time.pending[0];
    });
    expect(waits).toEqual([0, 100, 500, 999]);
  });

  it('starts the window anew after a healthy minute', async () => {
    const { link, websocket, time, connect, attempts } = setUp(() => 0.5);
    link.start();
    websocket.last.end({ reason: 'refused' });
    await time.pass(500);
    websocket.last.end({ reason: 'refused' });
    await time.pass(1_000);
    await connect();
    expect(attempts).toEqual([2]);
    for (let at = 0; at < 6; at += 1) {
      await time.pass(10_000);
      websocket.last.say({ type: 'beat', server_time_ms: 1 });
    }
    websocket.last.end({ reason: 'cut' });
    expect(time.pending).toEqual([500]);
  });

  it('goes on with the window after a session that did not last', async () => {
    const { link, websocket, time, connect } = setUp(() => 0.5);
    link.start();
    websocket.last.end({ reason: 'refused' });
    await time.pass(500);
    await connect();
    await time.pass(10_000);
    websocket.last.end({ reason: 'cut' });
    expect(time.pending).toEqual([1000]);
  });

  it('stays away for as long as the edge asks, and then some', async () => {
    const { link, websocket, time } = setUp(() => 0.5);
    link.start();
    websocket.last.end({ reason: 'busy', status: 503, retryAfterMs: 30_000 });
    expect(time.pending).toEqual([30_500]);
    await time.pass(30_500);
    websocket.last.challenge();
    await time.settle();
    websocket.last.say({ type: 'reject', code: 'duplicate', message: 'm', retry: true, retry_after_s: 50 });
    expect(time.pending).toEqual([51_000]);
  });

  it('waits long after a refusal for good, and says so', async () => {
    const { link, websocket, time, log } = setUp(() => 0.5);
    link.start();
    websocket.last.challenge();
    await time.settle();
    websocket.last.say({ type: 'reject', code: 'fenced', message: 'A newer session took over.', retry: false });
    expect(time.pending).toEqual([REFUSED_WAIT_MS * 1.5]);
    expect(log.lines.find((line) => line.event === 'link-refused')).toMatchObject({ level: 'error', code: 'fenced' });
    expect(websocket.last.closed).toBe(true);
  });

  it('tries at once where there is another key to try', async () => {
    const { link, websocket, time } = setUp(() => 0.5);
    link.start();
    websocket.last.challenge();
    await time.settle();
    websocket.last.say({ type: 'reject', code: 'bad-signature', message: 'm', retry: false });
    expect(time.pending).toEqual([500]);
  });

  it('ends for good when stopped', async () => {
    const { link, websocket, time, connect, events } = setUp();
    link.start();
    await connect();
    link.stop();
    expect(websocket.last.closed).toBe(true);
    expect(time.pending).toEqual([]);
    expect(events.at(-1)).toBe('stopped');
    websocket.last.events.closed({ reason: 'late' });
    expect(time.pending).toEqual([]);
  });
});

describe('the long poll', () => {
  const failWebsockets = async ({ websocket, time }: ReturnType<typeof setUp>) => {
    for (let at = 0; at < WEBSOCKET_FAILURES_MAX; at += 1) {
      websocket.last.end({ reason: 'no upgrade', status: 403 });
      await time.pass(time.pending[0] ?? 0);
    }
  };

  it('takes over when WebSockets fail before their first frame, again and again', async () => {
    const given = setUp();
    given.link.start();
    await failWebsockets(given);
    expect(given.websocket.connections).toHaveLength(WEBSOCKET_FAILURES_MAX);
    expect(given.poll.connections).toHaveLength(1);
    given.poll.last.challenge();
    await given.time.settle();
    given.poll.last.welcome();
    expect(given.link.status()).toMatchObject({ state: 'ready', transport: 'poll' });
  });

  it('is not tried while WebSockets open but end later', async () => {
    const { link, websocket, poll, time, connect } = setUp();
    link.start();
    for (let at = 0; at < 6; at += 1) {
      await connect();
      websocket.last.end({ reason: 'cut' });
      await time.pass(time.pending[0] ?? 0);
    }
    expect(poll.connections).toHaveLength(0);
  });

  it('takes turns with WebSockets while neither works', async () => {
    const given = setUp();
    given.link.start();
    await failWebsockets(given);
    for (let at = 0; at < 2; at += 1) {
      given.poll.last.end({ reason: 'unreachable' });
      await given.time.pass(given.time.pending[0] ?? 0);
      given.websocket.last.end({ reason: 'no upgrade' });
      await given.time.pass(given.time.pending[0] ?? 0);
    }
    expect(given.poll.connections).toHaveLength(3);
    expect(given.websocket.connections).toHaveLength(WEBSOCKET_FAILURES_MAX + 2);
  });

  async function polling() {
    const given = setUp();
    given.link.start();
    await failWebsockets(given);
    given.poll.last.challenge();
    await given.time.settle();
    given.poll.last.welcome();
    const beats = async (ms: number) => {
      for (let left = ms; left > 0; left -= 10_000) {
        await given.time.pass(Math.min(left, 10_000));
        if (!given.poll.last.closed) given.poll.last.say({ type: 'beat', server_time_ms: 1 });
      }
    };
    return { ...given, beats };
  }

  it('tries a WebSocket beside it now and then, and keeps polling when that fails', async () => {
    const { websocket, poll, link, beats } = await polling();
    const before = websocket.connections.length;
    await beats(WEBSOCKET_RETRY_MS);
    expect(websocket.connections).toHaveLength(before + 1);
    websocket.last.end({ reason: 'no upgrade' });
    expect(link.status()).toMatchObject({ state: 'ready', transport: 'poll' });
    expect(poll.last.closed).toBe(false);
    await beats(WEBSOCKET_RETRY_MS);
    expect(websocket.connections).toHaveLength(before + 2);
  });

  it('goes over to a WebSocket that works', async () => {
    const { websocket, poll, link, time, beats, events } = await polling();
    await beats(WEBSOCKET_RETRY_MS);
    websocket.last.challenge();
    await time.settle();
    websocket.last.welcome(2);
    expect(poll.last.closed).toBe(true);
    expect(link.status()).toMatchObject({ state: 'ready', transport: 'websocket', epoch: 2 });
    expect(events.slice(-4)).toEqual(['down', 'connecting', 'ready', 'ready']);
    websocket.last.end({ reason: 'cut' });
    expect(link.status().state).toBe('waiting');
  });
});
