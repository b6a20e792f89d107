import { describe, expect, it } from 'vitest';
import type { EdgeMessage, Observation } from '../../shared/protocol/messages.ts';
import type { FakeEdge } from '../testing/fake-edge.ts';
import { enrolled, startEdge, startRunner } from '../testing/live-runner.ts';
import { groupOf, id, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { poke, running, s1, s2, wholeGuest } from '../testing/whole-guest.ts';

const wholeReports = (edge: FakeEdge) => edge.heard('observed').filter((one) => one.complete);

describe('a runner and its edge', () => {
  it('proves itself, brings up what is wanted and reports it', async () => {
    const edge = await startEdge();
    const { bearers, machine } = startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    expect(session.hello).toMatchObject({
      hypervisor: 'simulated',
      capabilities: ['simulated', 'vlan'],
      generation: 0,
    });
    await edge.want(wholeGuest);
    await running(edge);
    await edge.until('all reports', () => edge.converged);
    expect(bearers).toEqual(['bearer-1']);
    expect(machine.held.get(`server/${s1}`)?.power).toBe('on');
  });

  it('removes what is no longer wanted until no tombstone is left', async () => {
    const edge = await startEdge();
    const { ledger, machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await running(edge);
    await edge.want(wholeGuest.map((one) => ({ ...one, spec: null })));
    await edge.until('the end of all', () => edge.desired.size === 0);
    await edge.until('an empty ledger', () => ledger.objects.size === 0);
    expect(machine.held.size).toBe(0);
  });

  it('reports everything once after its start, the last message complete', async () => {
    const edge = await startEdge();
    await edge.want(wholeGuest);
    startRunner(edge);
    await edge.until('a whole report', () => wholeReports(edge).some((one) => one.observations.length === 4));
    const before = wholeReports(edge).length;
    edge.live?.cut();
    await edge.until('the next session', () => edge.epoch === 2);
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    expect(wholeReports(edge)).toHaveLength(before);
  });

  it('reports a guest that ends by itself', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await running(edge);
    machine.endGuest(s1, 'crash');
    await edge.until('the crash', () => edge.observation('server', s1)?.state === 'stopped');
    expect(edge.observation('server', s1)).toMatchObject({ cause: 'crash', generation: 1 });
  });

  it('tells what the machine holds that nobody wants, and does not touch it', async () => {
    const edge = await startEdge();
    const folder = temporaryFolder();
    const identity = enrolled(edge);
    const first = startRunner(edge, { folder, identity });
    await edge.want(wholeGuest);
    await running(edge);
    await first.stop();
    const { machine } = startRunner(edge, {
      folder,
      identity,
      wrap: (simulated) => {
        const { drivers } = simulated;
        const list = async () => [...(await drivers.network.list()), id(77)];
        return {
          hypervisor: simulated.hypervisor,
          capabilities: simulated.capabilities,
          tunnelIp: simulated.tunnelIp,
          physicalNetworks: simulated.physicalNetworks,
          operator: simulated.operator,
          drivers: { ...drivers, network: { ...drivers.network, list } },
          capacity: () => simulated.capacity(),
          onChange: (listener) => simulated.onChange(listener),
          acknowledged: () => {},
          collectors: () => [],
          close: () => simulated.close(),
        };
      },
    });
    const unknown = await edge.until('word of it', () =>
      edge.heard('unknown').find((message) => message.objects.length > 0),
    );
    expect(unknown.objects).toEqual([{ kind: 'network', id: id(77) }]);
    expect(machine.held.size).toBe(4);
  });

  it('answers questions, and says why it cannot', async () => {
    const edge = await startEdge();
    startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    const ask = (query_id: string, target_id: string) =>
      edge.live?.send({ type: 'query', query_id, kind: 'console', target_id, args: { length_lines: 1 } });
    ask('q1', s1);
    ask('q2', s2);
    const answers = await edge.until('answers', () => edge.heard('answer').length === 2 && edge.heard('answer'));
    expect(answers[0]).toMatchObject({ query_id: 'q1', ok: true, result: { output: 'server-3 login: ' } });
    expect(answers[1]).toMatchObject({ query_id: 'q2', ok: false, fault: { code: 404 } });
  });

  it('takes a new bearer from a beat', async () => {
    const edge = await startEdge();
    const { bearers } = startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    session.send({ type: 'beat', server_time_ms: Date.now(), token: 'newer' });
    session.send({ type: 'query', query_id: 'q', kind: 'console', target_id: s1, args: {} });
    await edge.until('an answer', () => edge.heard('answer').length > 0);
    expect(bearers.at(-1)).toBe('newer');
  });
});

describe('a link that is cut', () => {
  it('reports again, on the next one, what the edge had not stored', async () => {
    const edge = await startEdge();
    const { ledger } = startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    edge.deaf = true;
    await edge.want(wholeGuest);
    await edge.until('a guest', () => ledger.get('server', s1)?.observation?.state === 'running' || poke(edge));
    expect(edge.observation('server', s1)).toBeUndefined();
    edge.deaf = false;
    first.cut();
    await running(edge);
    await edge.until('all reports', () => edge.converged);
  });

  it('has the machine know what the edge has stored, and not before', async () => {
    const edge = await startEdge();
    const stored: string[] = [];
    const acknowledged = ({ kind, state }: Observation) => void stored.push(`${kind} ${state}`);
    const { ledger } = startRunner(edge, { wrap: (machine) => Object.assign(machine, { acknowledged }) });
    const first = await edge.until('a welcome', () => edge.live);
    edge.deaf = true;
    await edge.want(wholeGuest);
    await edge.until('a guest', () => ledger.get('server', s1)?.observation?.state === 'running' || poke(edge));
    expect(stored).toEqual([]);
    edge.deaf = false;
    first.cut();
    await edge.until('its word', () => stored.includes('server running') || poke(edge));
  });

  it('does not report again what the edge has stored', async () => {
    const edge = await startEdge();
    const { ledger } = startRunner(edge);
    await edge.want(wholeGuest);
    await edge.until('settled', () => [...ledger.objects.values()].every((one) => one.settled) && edge.converged);
    const first = edge.live;
    const before = edge.heard('observed').length;
    first?.cut();
    await edge.until('the next session', () => edge.live && edge.live !== first);
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    const later = edge
      .heard('observed')
      .slice(before)
      .flatMap((one) => one.observations.map((seen) => seen.id));
    expect(new Set(later)).toEqual(new Set([s2]));
  });

  it('in the middle of a message loses nothing', async () => {
    const edge = await startEdge();
    startRunner(edge);
    const first = await edge.until('a welcome', () => edge.live);
    const frame = first.frame({ type: 'desired', generation: 1, full: false, complete: true, objects: [] });
    first.write(frame.slice(0, frame.length / 2));
    edge.generation = 1;
    edge.desired.set(`server/${s1}`, { kind: 'server', id: s1, generation: 1, deleted: false, spec: serverOf(3) });
    first.cut();
    await running(edge);
  });

  it('in the middle of a series removes nothing', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await running(edge);
    const first = edge.live;
    first?.send({ type: 'desired', generation: 2, full: true, complete: false, objects: [] });
    first?.cut();
    await edge.until('the next session', () => edge.live && edge.live !== first);
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    expect(machine.held.size).toBe(5);
  });
});

describe('what a peer may send', () => {
  it('garbage is borne, and the session goes on', async () => {
    const edge = await startEdge();
    const { log } = startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    for (const text of ['', 'no json', '{}', '[1,2]', '{"v":2}', '\u0000']) session.write(text);
    session.send({ type: 'tomorrow' } as never);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    expect(edge.sessions).toHaveLength(1);
    expect(log.events()).toContain('frame-ignored');
  });

  it('a flood of garbage ends the session', async () => {
    const edge = await startEdge();
    startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    for (let at = 0; at < 11; at += 1) session.write('no json');
    await edge.until('another session', () => edge.sessions.length > 1);
    expect(session.open).toBe(false);
  });

  it('a message twice counts once', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    const session = edge.live;
    const query = session?.frame({ type: 'query', query_id: 'q', kind: 'console', target_id: s1, args: {} }) ?? '';
    session?.write(query);
    session?.write(query);
    session?.send({ type: 'query', query_id: 'last', kind: 'console', target_id: s1, args: {} });
    await edge.until('the last answer', () => edge.heard('answer').some((one) => one.query_id === 'last'));
    expect(edge.heard('answer').filter((one) => one.query_id === 'q')).toHaveLength(1);
    expect(machine.held.size).toBe(1);
  });

  it('a gap in the numbers ends the session, because something was lost', async () => {
    const edge = await startEdge();
    startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    session.frame({ type: 'beat', server_time_ms: 1 });
    session.send({ type: 'beat', server_time_ms: 1 });
    await edge.until('another session', () => edge.live && edge.live !== session);
  });

  it('a message of an older epoch changes nothing', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    const session = edge.live;
    const old: EdgeMessage = { type: 'desired', generation: 99, full: true, complete: true, objects: [] };
    session?.write(session.frame(old, { epoch: 0 }));
    if (session) session.seqOut -= 1;
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    expect(machine.held.size).toBe(2);
  });

  it('a refusal for good is logged, and guests go on', async () => {
    const edge = await startEdge();
    const { log, machine, statuses } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    edge.live?.send({ type: 'reject', code: 'fenced', message: 'A newer session took over.', retry: false });
    await edge.until('the end of the session', () => !edge.live);
    expect(statuses.at(-1)).toMatchObject({ state: 'waiting' });
    expect(log.lines.find((line) => line.event === 'link-refused')).toMatchObject({ code: 'fenced' });
    expect(machine.held.get(`server/${s1}`)?.power).toBe('on');
  });
});

describe('views that do not agree', () => {
  it('asks for everything when the ledger does not amount to what it should', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    edge.generation = 2;
    edge.desired.set(`server/${s2}`, { kind: 'server', id: s2, generation: 2, deleted: false, spec: serverOf(4) });
    edge.live?.send({
      type: 'desired',
      generation: 2,
      full: false,
      complete: true,
      ledger_digest: await edge.digest(),
      objects: [],
    });
    await running(edge, s2);
    expect(edge.heard('resync')).toHaveLength(1);
    expect(machine.held.size).toBe(2);
  });

  it('reports the same generation with other content as a fault, and does not apply it', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want([{ kind: 'server', id: s1, spec: serverOf(3) }]);
    await running(edge);
    const spec = serverOf(3, { vcpus: 9 });
    const object = { kind: 'server', id: s1, generation: 1, digest: 'another', deleted: false, spec };
    edge.live?.send({ type: 'desired', generation: 1, full: false, complete: true, objects: [object] });
    await edge.until('the fault', () => edge.observation('server', s1)?.fault?.code === 409);
    expect(machine.held.get(`server/${s1}`)?.spec).toBe(JSON.stringify(serverOf(3)));
  });

  it('takes a full series as all there is', async () => {
    const edge = await startEdge();
    const { machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await running(edge);
    for (const one of wholeGuest) edge.desired.delete(`${one.kind}/${one.id}`);
    edge.generation = 2;
    if (edge.live) await edge.sendDesired(edge.live, 0, true);
    await edge.until('absence', () =>
      wholeGuest.every((one) => edge.observation(one.kind, one.id)?.state === 'absent'),
    );
    expect(machine.held.size).toBe(0);
  });

  it('refuses a view that is older than its own', async () => {
    const edge = await startEdge();
    const { log, machine } = startRunner(edge);
    await edge.want(wholeGuest);
    await edge.want([{ kind: 'server', id: s2, spec: serverOf(4) }]);
    await running(edge, s2);
    edge.live?.send({ type: 'desired', generation: 1, full: true, complete: true, objects: [] });
    edge.live?.send({ type: 'query', query_id: 'q', kind: 'console', target_id: s1, args: {} });
    await edge.until('an answer', () => edge.heard('answer').length > 0);
    expect(log.events()).toContain('desired-refused');
    expect(machine.held.size).toBe(5);
  });

  it('takes a series of many messages as one', async () => {
    const edge = await startEdge();
    const { machine, ledger } = startRunner(edge);
    const session = await edge.until('a welcome', () => edge.live);
    edge.generation = 1;
    const objects = Array.from({ length: 1200 }, (_, index) => {
      const spec = { ...groupOf(1), id: id(5000 + index) };
      return { kind: 'security-group', id: spec.id, generation: 1, digest: 'd', deleted: false, spec };
    });
    for (const one of objects) edge.desired.set(`${one.kind}/${one.id}`, one);
    for (let at = 0; at < 1200; at += 400) {
      const part = objects.slice(at, at + 400);
      session.send({ type: 'desired', generation: 1, full: true, complete: at === 800, objects: part });
      if (at < 800) expect(ledger.objects.size).toBe(0);
    }
    await edge.until('all reports', () => edge.converged);
    expect(machine.held.size).toBe(1200);
  });
});
