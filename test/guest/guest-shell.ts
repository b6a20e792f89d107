import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const COMMAND_TIMEOUT_MS = 60_000;
/** A guest that still boots hears nothing: it is asked again this often. */
const HELLO_EVERY_MS = 500;
const CONNECT_RETRY_MS = 100;
const OUTPUT_CHARACTERS_MAX = 4 * 1024 * 1024;
const BASE64_LINE_CHARACTERS = 76;
const CTRL_C = '\x03';

/** The socket's file is not there yet, or its one place is taken. */
const RETRIED_ERRORS = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];

export interface GuestResult {
  output: string;
  exitCode: number;
}

/** QEMU serves one connection of a serial socket at a time, so calls on the same socket queue up. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs a shell command in the guest through the unix socket of its serial port, waiting for the guest to boot first.
 * Output is standard output and error together; the command's standard input is empty.
 * @example const { output } = await runInGuest('/run/vm/ttyS1', 'ip -o addr', { timeout_ms: 5_000 });
 */
export async function runInGuest(
  socketPath: string,
  command: string,
  options: { timeout_ms?: number } = {},
): Promise<GuestResult> {
  const before = queues.get(socketPath);
  const call = (async () => {
    await before?.catch(() => {});
    return talk(socketPath, command, options.timeout_ms ?? COMMAND_TIMEOUT_MS);
  })();
  queues.set(socketPath, call);
  try {
    return await call;
  } finally {
    if (queues.get(socketPath) === call) queues.delete(socketPath);
  }
}

async function talk(socketPath: string, command: string, timeout_ms: number): Promise<GuestResult> {
  const deadline = Date.now() + timeout_ms;
  const socket = await open(socketPath, deadline);
  const heard = new Listener(socket, deadline, `guest at ${socketPath}, running: ${command}`);
  try {
    const token = randomBytes(8).toString('hex');
    await greet(socket, heard, token);
    socket.write(script(command, token));
    const [, output = '', code = ''] = await heard.until(
      new RegExp(`${token}-begin\\r?\\n([^]*?)\\r?\\n${token}-end-(\\d+)\\r?\\n`),
    );
    return { output: output.replaceAll('\r\n', '\n'), exitCode: Number(code) };
  } finally {
    heard.stop();
    socket.destroy();
  }
}

async function open(path: string, deadline: number): Promise<Socket> {
  while (true) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect(path);
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!RETRIED_ERRORS.includes(code) || Date.now() > deadline) throw error;
      await delay(CONNECT_RETRY_MS);
    }
  }
}

/** Asks until the shell answers. Ctrl-C, sent once, ends what an earlier caller left running. */
async function greet(socket: Socket, heard: Listener, token: string): Promise<void> {
  const ask = () => socket.write(`\n${say(`${token}-hello`)}\n`);
  socket.write(CTRL_C);
  ask();
  const asking = setInterval(ask, HELLO_EVERY_MS);
  try {
    await heard.until(new RegExp(`${token}-hello`));
  } finally {
    clearInterval(asking);
  }
}

/** Written in two parts, so that a terminal's echo of the command is not taken for its output. */
function say(words: string): string {
  return `echo "${words.slice(0, 8)}""${words.slice(8)}"`;
}

/** The command travels encoded: no quote or brace left open in it can hold up the shell. */
function script(command: string, token: string): string {
  const file = `/tmp/.${token}`;
  const encoded = Buffer.from(`${command}\n`).toString('base64');
  const lines = encoded.match(new RegExp(`.{1,${BASE64_LINE_CHARACTERS}}`, 'g')) ?? [];
  return [
    `base64 -d >${file} <<.`,
    ...lines,
    '.',
    `${say(`${token}-begin`)}; sh ${file} </dev/null 2>&1; set -- $?; echo; ${say(`${token}-end-$1`)}; rm -f ${file}`,
    '',
  ].join('\n');
}

/** What came from the socket, and a wait for something in it that ends at the deadline. */
class Listener {
  readonly #socket: Socket;
  readonly #deadline: number;
  readonly #what: string;
  readonly #decoder = new TextDecoder();
  #text = '';
  #check = () => {};
  #failure: Error | undefined;

  constructor(socket: Socket, deadline: number, what: string) {
    this.#socket = socket;
    this.#deadline = deadline;
    this.#what = what;
    socket.on('data', (chunk) => {
      this.#text += this.#decoder.decode(chunk, { stream: true });
      if (this.#text.length > OUTPUT_CHARACTERS_MAX) this.#fail(`more than ${OUTPUT_CHARACTERS_MAX} characters`);
      this.#check();
    });
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', () => this.#fail('the serial port was closed'));
  }

  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail('timed out'), Math.max(0, this.#deadline - Date.now()));
      this.#check = () => {
        const match = pattern.exec(this.#text);
        if (!match && !this.#failure) return;
        clearTimeout(timer);
        this.#check = () => {};
        if (match) resolve(match);
        else reject(this.#failure);
      };
      this.#check();
    });
  }

  stop(): void {
    this.#socket.removeAllListeners('data');
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.#what}: ${why}; last heard: ${this.#text.slice(-500)}`);
    this.#check();
  }
}
