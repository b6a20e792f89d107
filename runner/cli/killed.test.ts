import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FakeEdge } from '../testing/fake-edge.ts';
import { startEdge } from '../testing/live-runner.ts';
import { RunnerProcess } from '../testing/runner-process.ts';
import { id, networkOf, portOf, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';

const KILLS = 12;
/** A runner is killed at a random moment within this, counted from a change of what is wanted. */
const KILL_WITHIN_MS = 40;
const SERVERS = 12;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the simulated machine holds, as its file says: the last line of each object counts. */
function machineOf(state: string): Map<string, unknown> {
  const held = new Map<string, unknown>();
  for (const text of readFileSync(join(state, 'simulated-machine.jsonl'), 'utf8').split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as { kind?: string; id?: string; gone?: true; spec?: string };
    if (line.kind === undefined) continue;
    if (line.gone) held.delete(`${line.kind}/${line.id}`);
    else held.set(`${line.kind}/${line.id}`, JSON.parse(line.spec ?? 'null'));
  }
  return held;
}

/** A random change: some servers come with a port each, some change, some go. */
function changes(dice: () => number, edge: FakeEdge) {
  const wishes: { kind: string; id: string; spec: unknown }[] = [{ kind: 'network', id: id(1), spec: networkOf(1) }];
  for (let number = 0; number < SERVERS; number += 1) {
    const server = id(200 + number);
    const port = id(100 + number);
    const roll = dice() % 4;
    const there = edge.desired.get(`server/${server}`)?.deleted === false;
    if (roll === 0 && there) {
      wishes.push({ kind: 'server', id: server, spec: null }, { kind: 'port', id: port, spec: null });
    } else if (roll < 3) {
      const power = dice() % 5 === 0 ? ('off' as const) : ('on' as const);
      const change = { ports: [port], vcpus: 1 + (dice() % 4), power };
      wishes.push({ kind: 'port', id: port, spec: portOf(100 + number, 1) });
      wishes.push({ kind: 'server', id: server, spec: serverOf(200 + number, change) });
    }
  }
  return wishes;
}

it('a runner that is killed at any moment ends where the edge wants it, and nothing runs twice', async () => {
  const seed = Date.now() & 0x7fffffff;
  const [rolls] = fc.sample(fc.infiniteStream(fc.nat()), { seed, numRuns: 1 });
  const dice = () => (rolls?.next().value as number | undefined) ?? 0;
  const edge = await startEdge();
  const state = join(temporaryFolder(), 'state');
  let runner = new RunnerProcess(['join', edge.url, 'token', '--hypervisor', 'simulated', '--state', state]);
  await edge.until('a welcome', () => edge.live);
  for (let kill = 0; kill < KILLS; kill += 1) {
    await edge.want(changes(dice, edge));
    const target = [...edge.desired.values()].find((one) => one.kind === 'server' && !one.deleted);
    if (target) edge.operate({ op_id: `op-${kill}`, target_id: target.id });
    await sleep(dice() % KILL_WITHIN_MS);
    await runner.kill('SIGKILL');
    runner = new RunnerProcess(['run', '--state', state]);
    if (dice() % 2 === 0) await edge.until('a welcome', () => edge.live?.open);
  }
  await edge.until('a welcome', () => edge.live?.open);
  await edge.until(
    () => `reports (seed ${seed}) of ${edge.open}`,
    () => edge.converged,
  );
  await edge.until(`all operations (seed ${seed})`, () => [...edge.operations.values()].every((one) => one.ended));
  const wanted = Object.fromEntries([...edge.desired].map(([key, one]) => [key, one.spec]));
  expect(Object.fromEntries(machineOf(state)), `seed ${seed}`).toEqual(wanted);
  for (const one of edge.desired.values()) {
    const power = (one.spec as { power?: string }).power;
    const expected = one.kind === 'server' ? (power === 'on' ? 'running' : 'stopped') : 'applied';
    expect(edge.observation(one.kind, one.id), `seed ${seed}`).toMatchObject({
      state: expected,
      generation: one.generation,
    });
  }
  expect(runner.lines.filter((line) => line.level === 'error')).toEqual([]);
});
