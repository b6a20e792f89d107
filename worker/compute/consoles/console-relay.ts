import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../../env.ts';

/** The ends of a relay. */
export type Side = 'viewer' | 'machine';

const OTHER: Readonly<Record<Side, Side>> = { viewer: 'machine', machine: 'viewer' };

/** What a viewer may say before the machine is there: a few words of its protocol. */
const EARLY_BYTES_MAX = 4096;

/**
 * One look at a console: joins the socket of whoever looks with the one that the guest's machine dials, and passes on what
 * each says. Its name is the machine's id and a number that nobody guesses, so that no other machine gets in.
 */
export class ConsoleRelay extends DurableObject<Env> {
  // Not such as hibernate: somebody looks at it, and those are let go of only when the object sleeps.
  readonly #sockets = new Map<Side, WebSocket>();
  #early: (string | ArrayBuffer)[] = [];
  #earlyBytes = 0;

  /** Opens the socket of one side, named by the path. 409: that side is there already. */
  override async fetch(request: Request): Promise<Response> {
    const side = new URL(request.url).pathname.slice(1) as Side;
    if (this.#sockets.has(side)) return new Response(null, { status: 409 });
    const { 0: client, 1: server } = new WebSocketPair();
    server.binaryType = 'arraybuffer';
    server.accept();
    this.#sockets.set(side, server);
    server.addEventListener('message', ({ data }) => this.#said(side, data));
    server.addEventListener('close', () => this.end());
    server.addEventListener('error', () => this.end());
    if (side === 'machine') {
      // Whoever wanted to look has gone.
      if (!this.#sockets.has('viewer')) hangUp(server);
      for (const message of this.#early.splice(0)) server.send(message);
    }
    return upgraded(request, client);
  }

  /** Ends it: one side has gone, or the machine cannot be had. */
  async end(): Promise<void> {
    for (const socket of this.#sockets.values()) hangUp(socket);
  }

  #said(side: Side, message: string | ArrayBuffer): void {
    const other = this.#sockets.get(OTHER[side]);
    if (other) {
      other.send(message);
      return;
    }
    this.#early.push(message);
    this.#earlyBytes += typeof message === 'string' ? message.length : message.byteLength;
    if (this.#earlyBytes > EARLY_BYTES_MAX) this.end();
  }
}

/** The answer that opens a socket. Programs that view consoles ask for the protocol `binary`, and some insist on it. */
function upgraded(request: Request, client: WebSocket): Response {
  const wanted = request.headers.get('sec-websocket-protocol')?.split(/, */).includes('binary');
  const headers: Record<string, string> = wanted ? { 'sec-websocket-protocol': 'binary' } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

/** Without a code: what some viewers would take a reason for is data. */
function hangUp(socket: WebSocket): void {
  try {
    socket.close();
  } catch {
    // It is closed.
  }
}
