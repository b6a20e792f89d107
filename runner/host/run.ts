import { spawn } from 'node:child_process';

export const COMMAND_TIMEOUT_MS = 30_000;
/** Output beyond this is dropped, and the error or result says so. */
export const COMMAND_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 2_000;

/** A command that failed: what was run, how it ended and what it said. */
export class CommandError extends Error {
  readonly command: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly output: string;
  constructor(end: { command: string; code: number | null; signal: string | null; timedOut: boolean; output: string }) {
    const how = end.timedOut ? 'timed out' : end.signal ? `ended by ${end.signal}` : `exit ${end.code}`;
    super(`${end.command}: ${how}: ${end.output.trim().slice(-2000) || 'no output'}`);
    this.name = 'CommandError';
    this.command = end.command;
    this.code = end.code;
    this.signal = end.signal;
    this.timedOut = end.timedOut;
    this.output = end.output;
  }
}

export interface RunOptions {
  timeout_ms?: number;
  /** Written to its standard input. */
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
  signal?: AbortSignal;
}

/**
 * Runs a command to its end. Arguments are an array; no shell is involved.
 * @throws CommandError when it does not exit with 0, in time
 */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const { timeout_ms = COMMAND_TIMEOUT_MS, input, cwd, env, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: env ? { ...process.env, ...env } : process.env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let bytes = 0;
    let timedOut = false;
    const keep = (into: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= COMMAND_OUTPUT_BYTES_MAX) into.push(chunk);
    };
    child.stdout?.on('data', keep(out));
    child.stderr?.on('data', keep(err));
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill('SIGTERM');
      killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      stop();
    }, timeout_ms);
    signal?.addEventListener('abort', stop, { once: true });
    const done = () => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal?.removeEventListener('abort', stop);
    };
    const line = [command, ...args].join(' ');
    child.on('error', (cause: NodeJS.ErrnoException) => {
      done();
      const hint = cause.code === 'ENOENT' ? `${command} is not installed` : cause.message;
      reject(new CommandError({ command: line, code: null, signal: null, timedOut, output: hint }));
    });
    child.on('close', (code, killedBy) => {
      done();
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      if (code === 0 && !timedOut) resolve({ stdout, stderr });
      else reject(new CommandError({ command: line, code, signal: killedBy, timedOut, output: stderr || stdout }));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
