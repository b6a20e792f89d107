import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../shared/clock.ts';
import { RotatedLog } from './rotated-log.ts';

const RESTART_MIN_MS = 200;
const RESTART_MAX_MS = 10_000;
/** A process that lived this long starts its backoff anew. */
const HEALTHY_MS = 30_000;
/** Between SIGTERM and SIGKILL at the end, unless a process is given another time. */
const STOP_GRACE_MS = 5_000;

export interface Supervised {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  logFile: string;
  /** How long it may take to end when it is told to. */
  stopGrace_ms?: number;
}

/** A process that is started again whenever it ends, until `stop`. */
export interface Supervisor {
  pid(): number | undefined;
  /** How often it has been started again. */
  restarts(): number;
  stop(): Promise<void>;
}

/** Keeps a process running: restarted with backoff, its output in a rotated log. */
export function supervise(wanted: Supervised, clock: Clock, onExit?: (how: string) => void): Supervisor {
  const log = new RotatedLog(wanted.logFile);
  let child: ChildProcess | undefined;
  let stopping = false;
  let restarts = 0;
  let wait_ms = RESTART_MIN_MS;
  let timer: NodeJS.Timeout | undefined;
  let ended: () => void = () => {};

  const start = () => {
    const startedAtMs = clock.nowMs();
    const own = spawn(wanted.command, wanted.args, {
      env: { ...process.env, ...wanted.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = own;
    own.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
    own.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    let over = false;
    const end = (how: string) => {
      if (over) return;
      over = true;
      if (child === own) child = undefined;
      ended();
      if (stopping) return;
      if (clock.nowMs() - startedAtMs > HEALTHY_MS) wait_ms = RESTART_MIN_MS;
      const line = { level: 'error', event: 'process-ended', name: wanted.name, how, restart_in_ms: wait_ms };
      log.write(`${JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), ...line })}\n`);
      onExit?.(how);
      timer = setTimeout(() => {
        restarts += 1;
        start();
      }, wait_ms);
      wait_ms = Math.min(wait_ms * 2, RESTART_MAX_MS);
    };
    own.on('error', (error) => end(error.message));
    own.on('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
  };
  start();

  return {
    pid: () => child?.pid,
    restarts: () => restarts,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      const own = child;
      if (own) {
        const gone = new Promise<void>((resolve) => {
          ended = resolve;
        });
        own.kill('SIGTERM');
        const killer = setTimeout(() => own.kill('SIGKILL'), wanted.stopGrace_ms ?? STOP_GRACE_MS);
        await gone;
        clearTimeout(killer);
      }
      log.close();
    },
  };
}
