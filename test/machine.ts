import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, run } from '../runner/host/run.ts';
import { Relay } from './relay.ts';

const EDGE_PORT = 8774;
let made = 0;

/** A network namespace that serves as a machine, with a line to the edge that a test can cut. */
export interface Machine {
  netns: string;
  /** What the edge is called on this machine. */
  edgeUrl: string;
  line: Relay;
  /** Runs a command on the machine. */
  run(command: string, args: string[], options?: RunOptions): Promise<{ stdout: string; stderr: string }>;
  close(): Promise<void>;
}

/** Makes a machine whose 127.0.0.1 reaches the edge, on the port given. */
export async function openMachine(edge: { port: number; as?: number }): Promise<Machine> {
  const { as = EDGE_PORT } = edge;
  made += 1;
  const netns = `aerotest-${process.pid}-${made}`;
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-machine-'));
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  const socket = join(folder, 'edge');
  const line = await Relay.open({ host: '127.0.0.1', port: edge.port }, socket);
  const forwarder = spawn(
    'ip',
    ['netns', 'exec', netns, process.execPath, join(import.meta.dirname, 'forward.mjs'), String(as), socket],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await ready(forwarder);
  return {
    netns,
    edgeUrl: `http://127.0.0.1:${as}`,
    line,
    run: (command, args, options) => run('ip', ['netns', 'exec', netns, command, ...args], options),
    async close() {
      forwarder.kill('SIGKILL');
      await line.close();
      await run('ip', ['netns', 'del', netns]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the forwarder ended with ${code}`)));
  });
}
