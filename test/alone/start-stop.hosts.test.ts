import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { login } from '../../home/api-client.ts';
import { FIRST_GUEST } from '../../home/first-guest.ts';
import { freePort } from '../../home/free-port.ts';
import { until } from '../../home/until.ts';
import { Refusal } from '../../shared/refusal.ts';
import { type MachineState, machineState } from '../machine-state.ts';

const CLI = join(import.meta.dirname, '../../bin/aerostat.mjs');
const START_TIMEOUT_MS = 200_000;
const CIDR = '10.78.0.0/24';

let folder: string;
let port: number;
let before: MachineState;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-start-'));
  port = await freePort();
  before = await machineState();
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await ended(cli('stop', '--state', folder).child);
  rmSync(folder, { recursive: true, force: true });
});

function cli(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn('node', [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  return { child, output: () => text };
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) =>
    child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode),
  );
const start = (...args: string[]) => cli('start', '--state', folder, '--port', String(port), '--cidr', CIDR, ...args);

async function admin() {
  const { adminPassword } = JSON.parse(readFileSync(join(folder, 'secrets.json'), 'utf8')) as { adminPassword: string };
  return login(`http://127.0.0.1:${port}/identity/v3`, { user: 'admin', password: adminPassword, project: 'admin' });
}

/** The guest's own word on how often it booted and since when it is up: an adopted guest goes on counting. */
async function guestUptimeS(): Promise<number> {
  const api = await admin();
  const { servers } = await api.call<{ servers: { addresses: Record<string, { addr: string }[]> }[] }>(
    'compute',
    'GET',
    `/servers/detail?name=^${FIRST_GUEST}$`,
  );
  const address = Object.values(servers[0]?.addresses ?? {})[0]?.[0]?.addr;
  const info = await (await fetch(`http://${address}/cgi-bin/info`)).text();
  return Number(/^uptime=(\d+)|^(\d+)\.\d+ /m.exec(info)?.slice(1).find(Boolean));
}

it('brings up a cloud whose guest answers, keeps the guest over Ctrl-C, and leaves nothing after stop', async () => {
  const first = start();
  await until('the first cloud', START_TIMEOUT_MS, async () => {
    if (first.child.exitCode !== null) throw new Refusal(first.output());
    return first.output().includes('The cloud is up');
  });
  for (const proof of ['DHCP lease', 'metadata read', 'user data run', 'console text', 'HTTP from'])
    expect(first.output()).toContain(`ok ${proof}`);
  for (const file of ['openrc', 'clouds.yaml', 'secrets.json'])
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  const again = start();
  expect(await ended(again.child)).toBe(1);
  expect(again.output()).toContain('it runs already');

  const uptimeS = await guestUptimeS();
  first.child.kill('SIGINT');
  first.child.kill('SIGTERM');
  expect(await ended(first.child)).toBe(0);
  expect((await machineState()).processes.filter((line) => line.includes('qemu-system'))).toHaveLength(1);

  const second = start();
  await until('the second cloud', START_TIMEOUT_MS, async () => second.output().includes('The cloud is up'));
  expect(await guestUptimeS()).toBeGreaterThanOrEqual(uptimeS);

  const stopping = cli('stop', '--state', folder);
  expect(await ended(stopping.child)).toBe(0);
  expect(await ended(second.child)).toBe(0);
  expect(await machineState()).toEqual(before);
  const idle = cli('stop', '--state', folder);
  expect(await ended(idle.child)).toBe(0);
});

it('is called off at once while its first guest still boots', async () => {
  const state = join(folder, 'another');
  const one = cli('start', '--state', state, '--port', String(port), '--cidr', CIDR);
  await until('a guest under way', START_TIMEOUT_MS, async () => {
    if (one.child.exitCode !== null) throw new Refusal(one.output());
    return one.output().includes('Booting the first guest');
  });
  one.child.kill('SIGTERM');
  expect(await ended(one.child)).toBe(0);
  expect(one.output()).not.toContain('The cloud is up');
  expect(await ended(cli('stop', '--state', state).child)).toBe(0);
  expect(await machineState()).toEqual(before);
});

it('says in one line what is wrong and what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const taken = (server.address() as { port: number }).port;
  const cases: [string[], RegExp][] = [
    [
      ['start', '--state', folder, '--port', String(taken)],
      /^aerostat: port \d+ is taken\. Choose another: npm start -- --port \d+$/m,
    ],
    [['start', '--port', 'x'], /^aerostat: --port x is no port\.$/m],
    [['start', '--nonsense'], /^aerostat: .*--nonsense.*--help/m],
    [['bench', 'nothing'], /^aerostat: there is no benchmark nothing/m],
  ];
  for (const [args, line] of cases) {
    const one = cli(...args);
    expect(await ended(one.child), one.output()).toBe(1);
    expect(one.output()).toMatch(line);
    expect(one.output()).not.toContain('    at ');
  }
  server.close();
});
