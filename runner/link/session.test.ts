import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MESSAGE_BYTES_MAX } from '../../shared/limits.ts';
import type { EdgeMessage, RunnerMessage } from '../../shared/protocol/messages.ts';
import { Session } from './session.ts';

const frame = (seq: number, body: EdgeMessage | Record<string, unknown>, change: Record<string, unknown> = {}) =>
  JSON.stringify({ v: 1, session: 's', epoch: 0, seq, ack: 0, ts_ms: 1, body, ...change });
const beat = { type: 'beat', server_time_ms: 5 } as const;
const heartbeat: RunnerMessage = { type: 'heartbeat', generation: 1, guests: 0 };

function welcomed(): Session {
  const session = new Session();
  session.receive(frame(1, { type: 'challenge', nonce: 'n', session: 's' }));
  session.challenged({ type: 'challenge', nonce: 'n', session: 's' });
  session.welcomed({
    type: 'welcome',
    session: 's',
    epoch: 4,
    protocol: 1,
    server_time_ms: 1,
    heartbeat_s: 15,
    token: 't',
    generation: 0,
  });
  return session;
}

describe('a session', () => {
  it('numbers what it sends from 1 and says what it has seen', () => {
    const session = welcomed();
    session.receive(frame(2, beat, { epoch: 4 }));
    expect(JSON.parse(session.encode(heartbeat, 77).text)).toEqual({
      v: 1,
      session: 's',
      epoch: 4,
      seq: 1,
      ack: 2,
      ts_ms: 77,
      body: heartbeat,
    });
    expect(session.encode(heartbeat, 78).seq).toBe(2);
  });

  it('takes a message once', () => {
    const session = welcomed();
    expect(session.receive(frame(2, beat, { epoch: 4, ack: 9 }))).toMatchObject({ what: 'message', ack: 9 });
    expect(session.receive(frame(2, beat, { epoch: 4, ack: 10 }))).toMatchObject({
      what: 'ignored',
      why: 'seen before',
      ack: 10,
    });
  });

  it('is broken by a frame that is missing', () => {
    const session = welcomed();
    expect(session.receive(frame(4, beat, { epoch: 4 }))).toEqual({ what: 'broken', why: 'frames 2 to 3 were lost' });
  });

  it('ignores another session and another epoch', () => {
    const session = welcomed();
    expect(session.receive(frame(2, beat, { epoch: 4, session: 'other' }))).toMatchObject({ why: 'another session' });
    expect(session.receive(frame(2, beat, { epoch: 3 }))).toMatchObject({ why: 'another epoch' });
    expect(session.receive(frame(2, beat, { epoch: 5 }))).toMatchObject({ why: 'another epoch' });
    expect(session.receive(frame(2, beat, { epoch: 4 }))).toMatchObject({ what: 'message' });
  });

  it('counts a message of a type it does not know, so that nothing looks lost', () => {
    const session = welcomed();
    expect(session.receive(frame(2, { type: 'from-the-future', x: 1 }, { epoch: 4, ack: 3 }))).toMatchObject({
      what: 'ignored',
      ack: 3,
    });
    expect(session.receive(frame(3, { type: 'beat', server_time_ms: 'soon' }, { epoch: 4 }))).toMatchObject({
      what: 'ignored',
    });
    expect(session.receive(frame(4, { ...beat, more: { of: 'it' } }, { epoch: 4 }))).toMatchObject({ what: 'message' });
  });

  it('bears some garbage, and then no more', () => {
    const session = welcomed();
    for (let at = 0; at < 10; at += 1) expect(session.receive('{"v":1,')).toMatchObject({ what: 'ignored' });
    expect(session.receive('')).toMatchObject({ what: 'broken' });
  });

  it('is thrown off by nothing that a peer may send', () => {
    const member = fc.oneof(fc.integer(), fc.string(), fc.constantFrom('s', 1, 4, 'beat', 'desired'), fc.jsonValue());
    const envelope = fc.record(
      { v: member, session: member, epoch: member, seq: member, ack: member, ts_ms: member, body: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      envelope.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (sent) => {
        expect(welcomed().receive(sent).what).not.toBe('message');
      }),
      { numRuns: 500 },
    );
  });

  it('refuses to send what is too large, and does not count it', () => {
    const session = welcomed();
    const huge: RunnerMessage = { type: 'answer', query_id: 'q', ok: true, result: 'x'.repeat(MESSAGE_BYTES_MAX) };
    expect(() => session.encode(huge, 1)).toThrow(RangeError);
    expect(session.encode(heartbeat, 1).seq).toBe(1);
  });
});
