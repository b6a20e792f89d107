import { describe, expect, it } from 'vitest';
import { FakeEdge } from '../testing/fake-edge.ts';
import { enrolled, startEdge, startRunner } from '../testing/live-runner.ts';
import { serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { running, s1, s2, wholeGuest } from '../testing/whole-guest.ts';

describe('without WebSockets', () => {
  it('does everything over the long poll', async () => {
    const edge = await startEdge();
    edge.refuseUpgrades = true;
    // Nothing that is found by a beat, which comes late, is found in time.
    edge.heartbeatS = 3_600;
    const { machine } = startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    expect(session.transport).toBe('poll');
    await edge.want(wholeGuest);
    await running(edge);
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    edge.operate({ op_id: 'op', target_id: s1 });
    await edge.until('the reboot', () => edge.heard('operation-update').some((one) => one.state === 'done'));
    expect(machine.held.size).toBe(5);
    expect(edge.sessions.filter((one) => one.epoch > 0)).toHaveLength(1);
  });

  it('begins anew when the edge has lost the session', async () => {
    const edge = await startEdge();
    edge.refuseUpgrades = true;
    startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    first.cut();
    await edge.until('another session', () => edge.live && edge.live !== first);
    await edge.want(wholeGuest);
    await running(edge);
  });

  it('comes back to WebSockets when they work again and polls do not', async () => {
    const edge = await startEdge();
    edge.refuseUpgrades = true;
    startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    edge.refuseUpgrades = false;
    edge.refusePolls = true;
    first.cut();
    const session = await edge.until('another session', () => edge.live && edge.live !== first && edge.live);
    expect(session).toMatchObject({ transport: 'websocket' });
  });
});

describe('an edge that is away', () => {
  it('does not keep guests from coming up after a boot', async () => {
    const edge = await startEdge();
    const folder = temporaryFolder();
    const identity = enrolled(edge);
    const first = startRunner(edge, { folder, identity });
    await edge.want(wholeGuest);
    await running(edge);
    await edge.until('settled', () => edge.converged);
    await first.stop();
    await edge.close();
    const second = startRunner(edge, { folder, identity, bootId: 'boot-2' });
    const up = () => second.machine.held.get(`server/${s1}`)?.power === 'on';
    expect(up()).toBe(false);
    while (!up()) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(second.statuses.some((status) => status.state === 'ready')).toBe(false);
  });

  it('is found again when it comes back, and told what happened', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await running(edge);
    await edge.until('settled', () => edge.converged);
    const port = Number(new URL(edge.url).port);
    await edge.close();
    machine.endGuest(s1, 'guest');
    const again = new FakeEdge();
    again.generation = edge.generation;
    for (const [key, one] of edge.desired) again.desired.set(key, one);
    for (const [key, one] of edge.keys) again.keys.set(key, one);
    again.epoch = edge.epoch;
    await again.listen(port);
    await again.until('the report', () => again.observation('server', s1)?.state === 'stopped');
    await again.close();
  });
});

describe('keys', () => {
  it('are replaced when the edge asks, and the next session is signed with the new one', async () => {
    const edge = await startEdge();
    const given = startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    const old = given.identity().private_key;
    first.send({ type: 'rotate' });
    await edge.until('the new key', () => edge.heard('rotated').length > 0);
    first.send({ type: 'query', query_id: 'q', kind: 'console', target_id: s1, args: {} });
    await edge.until('an answer', () => edge.heard('answer').length > 0);
    expect(given.identity().private_key).not.toBe(old);
    expect(given.identity().next_private_key).toBeUndefined();
    first.cut();
    await edge.until('the next session', () => edge.live && edge.live !== first);
  });

  it('survive a cut between the new key and the word that the edge took it', async () => {
    const edge = await startEdge();
    const given = startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    const send = first.send.bind(first);
    // The key is stored, but nothing of the edge gets through any more.
    Object.assign(first, { send: () => {} });
    send({ type: 'rotate' });
    await edge.until('the new key', () => edge.heard('rotated').length > 0);
    first.cut();
    await edge.until('the next session', () => edge.live && edge.live !== first);
    await edge.until('the new key in its place', () => given.identity().next_private_key === undefined);
  });
});
