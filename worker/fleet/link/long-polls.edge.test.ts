import { describe, expect, it } from 'vitest';
import type { MessageOf } from '../../../shared/protocol/messages.ts';
import { adminToken, call } from '../../../test/edge-client.ts';
import { enrol, sign } from '../../../test/edge-runner.ts';
import { isDesired, want } from '../../../test/edge-wishes.ts';

describe('long polls', () => {
  it('carry the same conversation', async () => {
    const { runner } = await enrol();
    const id = await want(runner.id);
    const poll = async (session: string | null, frames: unknown[]) =>
      (
        await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, {
          body: { session, frames: frames.map((frame) => JSON.stringify(frame)) },
        })
      ).json() as Promise<{ session: string; frames: string[] }>;
    const opened = await poll(null, []);
    const challenge = JSON.parse(opened.frames[0] ?? '{}') as { session: string; body: MessageOf<'challenge'> };
    const said = { runner_id: runner.id, machine_id: runner.machineId, boot_id: 'boot-1' };
    const signature = await sign(
      runner.keys,
      `aerostat-hello:v1:${challenge.body.nonce}:${runner.id}:${runner.machineId}:boot-1`,
    );
    const hello = {
      type: 'hello',
      ...said,
      signature,
      process_id: 'p',
      version: 't',
      protocol: [1, 1],
      hypervisor: 'simulated',
      hostname: 'h',
      capacity: { vcpus: 1, memory_mib: 1024, disk_gib: 1 },
      capabilities: [],
      generation: 0,
      digest: '',
      attempts: 0,
    };
    const welcomed = await poll(opened.session, [
      { v: 1, session: opened.session, epoch: 0, seq: 1, ack: 1, ts_ms: 0, body: hello },
    ]);
    const bodies = welcomed.frames.map((text) => (JSON.parse(text) as { body: { type: string } }).body);
    expect(bodies.map((body) => body.type)).toEqual(['welcome', 'desired']);
    expect(isDesired(id)(bodies[1] as { type: string })).toBe(true);
    const held = poll(opened.session, []);
    const later = await want(runner.id);
    const woken = (await held).frames.map((text) => (JSON.parse(text) as { body: { type: string } }).body);
    expect(woken.some(isDesired(later))).toBe(true);
  });

  it('hold one poll while an older one is let go', async () => {
    const { runner } = await enrol();
    const poll = async (session: string | null) =>
      (
        await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, { body: { session, frames: [] } })
      ).json() as Promise<{
        session: string;
        frames: string[];
      }>;
    const { session } = await poll(null);
    const older = poll(session);
    const newer = poll(session);
    expect((await older).frames).toEqual([]);
    await call('DELETE', `/aerostat/v1/runners/${runner.id}`, { token: await adminToken() });
    // Never welcomed, so nobody tells it: it is held until its time is up, and not beyond.
    await expect(Promise.race([newer.then(() => 'let go'), older.then(() => 'held')])).resolves.toBe('held');
  });

  it('answer a lost session with 410', async () => {
    const { runner } = await enrol();
    const response = await call('POST', `/aerostat/v1/runners/${runner.id}/poll`, {
      body: { session: 'gone', frames: [] },
    });
    expect(response.status).toBe(410);
  });
});
