import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runner as command } from '../main.ts';
import { startEdge } from '../testing/live-runner.ts';
import { RunnerProcess, runnerCommand } from '../testing/runner-process.ts';
import { id, serverOf } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { TOKEN_VARIABLE } from './options.ts';

const simulated = ['--hypervisor', 'simulated'];
const oneLine = /^aerostat runner: [^\n]+\n?$/;

/** A command that ends by itself, in this process. */
async function refused(args: string[]): Promise<string> {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    expect(await command(args)).toBe(1);
    return said.mock.calls.map(String).join('\n');
  } finally {
    said.mockRestore();
  }
}

/** Where nobody listens. */
async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

describe('the command line', () => {
  it('explains itself', async () => {
    const { code, stdout } = await runnerCommand(['--help']);
    expect(code).toBe(0);
    for (const word of ['join URL TOKEN', 'run', 'install', 'status', '--hypervisor', TOKEN_VARIABLE])
      expect(stdout).toContain(word);
    expect((await runnerCommand(['dance'])).code).toBe(2);
  });

  it.each([
    [['join'], /join takes a URL and a token/],
    [['join', 'not a url', 't'], /no URL of an edge/],
    [['join', 'https://e', 't', '--hypervisor', 'xen'], /qemu or simulated/],
    [['join', 'https://e', 't', '--count', '5'], /--count is for simulated runners/],
    [['run', '--count', 'many'], /a whole number/],
    [['run', '--colour'], /--colour/],
    [['run'], /No runner has joined/],
    [['install'], /No runner has joined/],
  ])('refuses %j in one line that says what to do', async (args, message) => {
    const said = await refused([...args, '--state', join(temporaryFolder(), 'state')]);
    expect(said).toMatch(oneLine);
    expect(said).toMatch(message);
  });
});

describe('without root', () => {
  const asUser = async (args: string[]) => {
    const uid = vi.spyOn(process, 'getuid').mockReturnValue(1000);
    try {
      return await refused(args);
    } finally {
      uid.mockRestore();
    }
  };

  it('a real runner says that it needs it, and a simulated one does not', async () => {
    const state = join(temporaryFolder(), 'state');
    const real = await asUser(['join', await closedUrl(), 'token', '--state', state]);
    expect(real).toMatch(/A runner needs root, for guests and networks\. Try sudo/);
    const simulation = await asUser(['join', await closedUrl(), 'token', ...simulated, '--state', state]);
    expect(simulation).toMatch(/cannot be reached/);
  });
});

describe('join', () => {
  it('makes a key, enrols, keeps its identity to itself, and runs', async () => {
    const edge = await startEdge();
    const state = join(temporaryFolder(), 'state');
    const runner = new RunnerProcess(['join', edge.url, 'token', ...simulated, '--state', state, '--name', 'host-1']);
    await edge.until('a welcome', () => edge.live);
    const identity = JSON.parse(readFileSync(join(state, 'identity.json'), 'utf8'));
    expect(identity).toMatchObject({
      name: 'host-1',
      region: 'RegionOne',
      edge_url: edge.url,
      hypervisor: 'simulated',
    });
    expect(statSync(state).mode & 0o777).toBe(0o700);
    expect(statSync(join(state, 'identity.json')).mode & 0o777).toBe(0o600);
    const joined = await runner.logged('joined');
    expect(joined).toMatchObject({ name: 'host-1' });
    expect(runner.stdout + runner.stderr).not.toContain(identity.private_key);
    expect(await runner.kill('SIGTERM')).toBe(0);
  });

  it('takes the token from the environment, and can be repeated', async () => {
    const edge = await startEdge();
    const state = join(temporaryFolder(), 'state');
    const args = ['join', edge.url, ...simulated, '--state', state];
    const first = new RunnerProcess(args, { [TOKEN_VARIABLE]: 'token' });
    await edge.until('a welcome', () => edge.live);
    await first.kill();
    const second = new RunnerProcess(args, { [TOKEN_VARIABLE]: 'token' });
    await second.logged('joined-already');
    await second.logged('link-up');
    const elsewhere = await runnerCommand(['join', 'https://elsewhere', 't', ...simulated, '--state', state]);
    expect(elsewhere.stderr).toMatch(/in use by another runner \(process \d+\)/);
    await second.kill();
    const other = await refused(['join', 'https://elsewhere', 't', ...simulated, '--state', state]);
    expect(other).toMatch(/joined http.* already/);
  });

  it('says what is wrong with the token, or with the way to the edge', async () => {
    const edge = await startEdge();
    const state = join(temporaryFolder(), 'state');
    const bad = await refused(['join', edge.url, 'wrong', ...simulated, '--state', state]);
    expect(bad).toMatch(/The edge refused the token: .* not known/);
    const away = await refused(['join', await closedUrl(), 'token', ...simulated, '--state', state]);
    expect(away).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    const none = await refused(['join', edge.url, ...simulated, '--state', state]);
    expect(none).toMatch(/A token is needed/);
    for (const said of [bad, away, none]) expect(said).toMatch(oneLine);
  });

  it('uses the same key again after an answer that was lost', async () => {
    const edge = await startEdge();
    const state = join(temporaryFolder(), 'state');
    await refused(['join', await closedUrl(), 'token', ...simulated, '--state', state]);
    const pending = readFileSync(join(state, 'joining.json'), 'utf8').trim();
    const runner = new RunnerProcess(['join', edge.url, 'token', ...simulated, '--state', state]);
    await runner.logged('link-up');
    expect(JSON.parse(readFileSync(join(state, 'identity.json'), 'utf8')).private_key).toBe(pending);
  });

  it('makes many simulated runners in one process, each with a token, an identity and a ledger of its own', async () => {
    const edge = await startEdge();
    const folder = temporaryFolder();
    const tokens = ['a', 'b', 'c'];
    edge.tokens = new Set(tokens);
    writeFileSync(join(folder, 'tokens'), tokens.join('\n'));
    const state = join(folder, 'state');
    const many = ['--count', '3', '--token-file', join(folder, 'tokens'), '--name', 'sim'];
    const first = new RunnerProcess(['join', edge.url, ...simulated, ...many, '--state', state]);
    await edge.until('three welcomes', () => edge.sessions.filter((one) => one.open && one.epoch > 0).length === 3);
    expect(new Set(edge.sessions.map((one) => one.hello?.machine_id)).size).toBe(3);
    await first.kill();
    const second = new RunnerProcess(['run', '--state', state]);
    await edge.until('three more', () => edge.sessions.filter((one) => one.open && one.epoch > 3).length === 3);
    const { stdout } = await runnerCommand(['status', '--state', state]);
    expect(stdout).toMatch(/sim-0001.*connected by websocket/);
    expect(await second.kill('SIGTERM')).toBe(0);
  });
});

describe('a state folder', () => {
  async function joined() {
    const edge = await startEdge();
    const state = join(temporaryFolder(), 'state');
    const runner = new RunnerProcess(['join', edge.url, 'token', ...simulated, '--state', state]);
    await runner.logged('link-up');
    return { edge, state, runner };
  }

  it('serves one process at a time, and the next at once when that is killed', async () => {
    const { state, runner } = await joined();
    const second = await runnerCommand(['run', '--state', state]);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(oneLine) });
    expect(second.stderr).toContain(`process ${runner.child.pid}`);
    await runner.kill();
    await new RunnerProcess(['run', '--state', state]).logged('link-up');
  });

  it('that was copied does not start the same guests a second time', async () => {
    const { state, runner } = await joined();
    const copy = `${state}-copy`;
    await runner.kill();
    cpSync(state, copy, { recursive: true });
    const { code, stderr } = await runnerCommand(['run', '--state', copy]);
    expect(code).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(/belongs to another machine or was moved/);
    await new RunnerProcess(['run', '--state', state]).logged('link-up');
  });

  it('with a damaged identity says so', async () => {
    const { state, runner } = await joined();
    await runner.kill();
    writeFileSync(join(state, 'identity.json'), '{"runner_id":');
    const { stderr } = await runnerCommand(['run', '--state', state]);
    expect(stderr).toMatch(/is damaged: restore it/);
  });

  it('with a damaged ledger gets everything from the edge again, and keeps its guests', async () => {
    const { edge, state, runner } = await joined();
    await edge.want([{ kind: 'server', id: id(3), spec: serverOf(3) }]);
    await edge.until('a guest', () => edge.observation('server', id(3))?.state === 'running' && edge.converged);
    await runner.kill();
    for (const suffix of ['-wal', '-shm']) rmSync(join(state, `ledger.db${suffix}`), { force: true });
    writeFileSync(join(state, 'ledger.db'), 'no database '.repeat(3000));
    edge.observed.clear();
    const second = new RunnerProcess(['run', '--state', state]);
    expect(await second.logged('ledger-corrupt')).toMatchObject({ level: 'error' });
    await edge.until('the guest again', () => edge.observation('server', id(3))?.state === 'running');
    const console = readFileSync(join(state, 'simulated-machine.jsonl'), 'utf8').match(/Booting a simulated guest/g);
    expect(console).toHaveLength(1);
  });

  it('tells its status with a code for scripts', async () => {
    const { edge, state, runner } = await joined();
    const connected = await runnerCommand(['status', '--state', state]);
    expect(connected).toMatchObject({ code: 0, stdout: expect.stringMatching(/connected by websocket since/) });
    await edge.close();
    await runner.logged('link-down');
    const cut = await runnerCommand(['status', '--state', state]);
    expect(cut.code).toBe(3);
    await runner.kill();
    const ended = await runnerCommand(['status', '--state', state]);
    expect(ended).toMatchObject({ code: 4, stdout: expect.stringMatching(/Not running/) });
    expect((await runnerCommand(['status', '--state', temporaryFolder()])).code).toBe(4);
  });
});
