import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';

const CONNECT_TIMEOUT_MS = 3_000;
const COMMAND_TIMEOUT_MS = 10_000;
/** Room for a unix socket's path in the kernel, without the closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export interface QmpEvent {
  event: string;
  data: Record<string, unknown>;
}

/** QEMU refused a command. */
export class QmpError extends Error {
  readonly command: string;
  constructor(command: string, message: string) {
    super(`${command}: ${message}`);
    this.name = 'QmpError';
    this.command = command;
  }
}

interface Waiting {
  command: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** A connection to a guest's monitor. QEMU serves one at a time on a socket. */
export class QmpClient {
  /** Settles when the connection ends, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #nextId = 1;
  #greeted: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    createInterface({ input: socket })
      .on('line', (line) => this.#hear(line))
      // It passes the socket's errors on, and nobody else would take them: a guest that ends resets the connection.
      .on('error', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        for (const [id, waiting] of this.#waiting) {
          this.#waiting.delete(id);
          clearTimeout(waiting.timer);
          waiting.reject(new QmpError(waiting.command, 'the monitor was closed'));
        }
        resolve();
      });
    });
  }

  /**
   * Connects, waits for the greeting and negotiates.
   * @throws when there is no listener, or somebody else holds the socket (QEMU then sends no greeting)
   */
  static async connect(path: string, timeout_ms = CONNECT_TIMEOUT_MS): Promise<QmpClient> {
    const socket = await connectUnix(path);
    const client = new QmpClient(socket);
    const greeting = new Promise<void>((resolve, reject) => {
      client.#greeted = resolve;
      const timer = setTimeout(
        () => reject(new QmpError('connect', `no greeting within ${timeout_ms} ms`)),
        timeout_ms,
      );
      client.closed.then(() => reject(new QmpError('connect', 'the monitor was closed')));
      socket.once('close', () => clearTimeout(timer));
      socket.once('data', () => clearTimeout(timer));
    });
    try {
      await greeting;
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Runs a command and answers what it returns. @throws QmpError refused, closed, or no answer in time */
  execute<T = unknown>(
    command: string,
    args: Record<string, unknown> = {},
    timeout_ms = COMMAND_TIMEOUT_MS,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new QmpError(command, 'the monitor was closed'));
        return;
      }
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new QmpError(command, `no answer within ${timeout_ms} ms`));
      }, timeout_ms);
      this.#waiting.set(id, { command, resolve: (value) => resolve(value as T), reject, timer });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Calls back for every event from now on; answers how to stop that. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(line: string): void {
    let message: {
      QMP?: unknown;
      event?: string;
      data?: unknown;
      id?: number;
      return?: unknown;
      error?: { desc?: string };
    };
    try {
      message = JSON.parse(line);
    } catch {
      this.close();
      return;
    }
    if (message.QMP !== undefined) this.#greeted();
    else if (typeof message.event === 'string') this.#tell(message.event, message.data);
    else this.#answer(message);
  }

  #tell(event: string, data: unknown): void {
    for (const listener of this.#listeners) listener({ event, data: (data ?? {}) as Record<string, unknown> });
  }

  #answer(message: { id?: number; return?: unknown; error?: { desc?: string } }): void {
    const waiting = this.#waiting.get(message.id ?? -1);
    if (!waiting) return;
    this.#waiting.delete(message.id ?? -1);
    clearTimeout(waiting.timer);
    if (message.error === undefined) waiting.resolve(message.return);
    else waiting.reject(new QmpError(waiting.command, message.error.desc ?? 'refused'));
  }
}

/** Connects to a unix socket, also where its path is longer than the kernel takes: then through a handle on its folder. */
async function connectUnix(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return connected(path);
  const folder = await open(dirname(path), 'r');
  try {
    return await connected(`/proc/self/fd/${folder.fd}/${basename(path)}`);
  } finally {
    await folder.close();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
