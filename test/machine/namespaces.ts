import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '../../runner/host/run.ts';
import { Names } from '../../runner/network/names.ts';
import type { PortSpec } from '../../shared/specs/network.ts';

let made = 0;
const COMMAND_TIMEOUT_MS = 60_000;
const CONDITION_TIMEOUT_MS = 60_000;

/** A network namespace, with what runs in it. */
export class Namespace {
  readonly name: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(name: string) {
    this.name = name;
  }

  static async make(): Promise<Namespace> {
    made++;
    const namespace = new Namespace(`aeronet-${process.pid}-${made}`);
    await run('ip', ['netns', 'add', namespace.name]);
    await run('ip', ['-n', namespace.name, 'link', 'set', 'lo', 'up']);
    return namespace;
  }

  /** Runs a shell line; answers what it says. @throws CommandError */
  async sh(line: string): Promise<string> {
    const args = ['netns', 'exec', this.name, 'sh', '-c', line];
    return (await run('ip', args, { timeout_ms: COMMAND_TIMEOUT_MS })).stdout;
  }

  /** Whether a shell line succeeds. */
  async does(line: string): Promise<boolean> {
    return this.sh(line).then(
      () => true,
      (error: unknown) => {
        if (error instanceof CommandError) return false;
        throw error;
      },
    );
  }

  /** Starts a program that runs until the namespace is closed. */
  start(command: string, ...args: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#processes.push(child);
    return child;
  }

  /** A web server that says a word. */
  serve(port: number, word: string): Promise<void> {
    return this.#serve(port, `r.end(${JSON.stringify(word)} + ' ' + q.socket.remoteAddress)`);
  }

  /** A web server whose answer goes on for ever, a letter at a time. */
  serveTicks(port: number): Promise<void> {
    return this.#serve(port, `setInterval(() => r.write('x'), 50)`);
  }

  async #serve(port: number, answer: string): Promise<void> {
    const script = `require('node:http').createServer((q, r) => ${answer})
      .listen(${port}, '0.0.0.0', () => console.log('listening'))`;
    const child = this.start(process.execPath, '-e', script);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
  }

  /** Runs a script of Node's to its end; answers what it says. */
  async node(script: string): Promise<string> {
    const args = ['netns', 'exec', this.name, process.execPath, '-e', script];
    return (await run('ip', args, { timeout_ms: COMMAND_TIMEOUT_MS })).stdout;
  }

  /** Listens with tcpdump; resolves when it hears. Its words are in `text`, `listening on` first. */
  async tcpdump(...args: string[]): Promise<{ text(): string; stop(): void }> {
    const child = this.start('sh', '-c', 'exec tcpdump -lnne --immediate-mode "$@" 2>&1', 'tcpdump', ...args);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await eventually('tcpdump', async () => text.includes('listening on'));
    return { text: () => text, stop: () => child.kill('SIGINT') };
  }

  /** Listens for datagrams. */
  async listenUdp(port: number): Promise<{ heard(): string }> {
    const script = `const s = require('node:dgram').createSocket('udp4');
      s.on('message', (m) => process.stdout.write(m)); s.bind(${port}, () => process.stdout.write('listening\\n'))`;
    const child = this.start(process.execPath, '-e', script);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await eventually('the listener', async () => text.includes('listening'));
    return { heard: () => text };
  }

  async close(): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL');
    await run('ip', ['netns', 'del', this.name]);
  }
}

/** A namespace in place of a guest: its eth0 is the port's tap. */
export async function fakeGuest(machine: Namespace, mark: string, port: PortSpec): Promise<Namespace> {
  const guest = await Namespace.make();
  await plugIn(guest, machine, mark, port);
  return guest;
}

/** Connects a fake guest to a machine: a new eth0, without an address yet. */
export async function plugIn(guest: Namespace, machine: Namespace, mark: string, port: PortSpec): Promise<void> {
  const tap = new Names(mark).tap(port.id);
  await machine.sh(`ip link del ${tap} 2>/dev/null; ip link add ${tap} type veth peer name eth0 netns ${guest.name}`);
  await guest.sh(`ip link set eth0 address ${port.mac_address} mtu ${port.mtu} up`);
}

/** Gives a fake guest its address and default route, as a static configuration would. */
export async function configure(guest: Namespace, port: PortSpec, gateway: string): Promise<void> {
  await guest.sh(`ip addr add ${port.fixed_ips[0]?.ip_address}/24 dev eth0; ip route add default via ${gateway}`);
}

/** Waits for a condition. @throws when the time is over */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | false | null | undefined>,
  timeout_ms = CONDITION_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeout_ms;
  while (performance.now() < deadline) {
    const answer = await condition();
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** A folder that goes with the test. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'aeromachine-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
