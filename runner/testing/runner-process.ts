import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LoggedLine } from './captured-log.ts';
import { WAIT_MS } from './fake-edge.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

/** The runner's command in a process of its own; killed when the test ends. */
export class RunnerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #watchers = new Set<() => void>();

  constructor(args: string[], env: Record<string, string> = {}) {
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, ...args];
    this.child = spawn(command[0] as string, command.slice(1), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#tell();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#tell();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve(code);
        this.#tell();
      });
    });
    onTestFinished(async () => {
      await this.kill();
    });
  }

  /** The lines of its log so far. */
  get lines(): LoggedLine[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LoggedLine);
  }

  /** Resolves with the first line of log of an event, of those with these fields. */
  async logged(event: string, fields: Record<string, unknown> = {}): Promise<LoggedLine> {
    const wanted = Object.entries({ event, ...fields });
    const find = () => this.lines.find((line) => wanted.every(([key, value]) => line[key] === value));
    const found = find();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const watch = () => {
        const now = find();
        const over = this.child.exitCode !== null || this.child.signalCode !== null;
        if (!now && !over) return;
        clearTimeout(timer);
        this.#watchers.delete(watch);
        if (now) resolve(now);
        else reject(new Error(`the runner ended without ${event}: ${this.stdout}${this.stderr}`));
      };
      const timer = setTimeout(() => reject(new Error(`no ${event} in ${WAIT_MS} ms: ${this.stdout}`)), WAIT_MS);
      this.#watchers.add(watch);
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.ended;
  }

  #tell(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

/** Runs a command of the runner to its end. */
export async function runnerCommand(args: string[], env: Record<string, string> = {}) {
  const run = new RunnerProcess(args, env);
  const code = await run.ended;
  return { code, stdout: run.stdout, stderr: run.stderr };
}
