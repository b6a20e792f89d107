import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What a receiver does with one request; by default it answers 204. */
export interface Behaviour {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Answers nothing: until it is closed, or at all. */
  does?: 'stall' | 'stall-body' | 'close' | 'close-midway';
}
/** A webhook as it arrived. */
export interface Received {
  id: string;
  timestamp: number;
  signature: string;
  contentType: string;
  body: string;
  /** By the public package, with each secret that the receiver was given: by `verify`, and but for the time. */
  verified: boolean[];
  signed: boolean[];
  atMs: number;
}
interface Inbox {
  behaviours: Behaviour[];
  always: Behaviour | undefined;
  secrets: string[];
  received: Received[];
}

/**
 * A receiver of webhooks on loopback, for tests in workerd: `POST /KEY` is a webhook, `PUT /KEY` says what it does next
 * (a list, then `always`) and with which secrets it verifies, `GET /KEY` what it got.
 */
export async function startReceiver(): Promise<{ url: string; close(): Promise<void> }> {
  const inboxes = new Map<string, Inbox>();
  const server = createServer((request, response) => {
    void answer(inboxes, request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(inboxes: Map<string, Inbox>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = new URL(request.url ?? '/', 'http://x').pathname;
  const inbox = inboxes.get(key) ?? { behaviours: [], always: undefined, secrets: [], received: [] };
  inboxes.set(key, inbox);
  const body = await textOf(request);
  if (request.method === 'PUT') {
    Object.assign(inbox, JSON.parse(body));
    response.end();
  } else if (request.method === 'GET') {
    response.end(JSON.stringify(inbox.received));
  } else {
    inbox.received.push(noted(inbox, request, body));
    behave(response, inbox.behaviours.shift() ?? inbox.always ?? {});
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function noted({ secrets }: Inbox, { headers }: IncomingMessage, body: string): Received {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => String(headers[`webhook-${name}`]));
  const hooks = secrets.map((secret) => new Webhook(secret));
  const own = { 'webhook-id': id ?? '', 'webhook-timestamp': timestamp ?? '', 'webhook-signature': signature ?? '' };
  const at = new Date(Number(timestamp) * 1000);
  return {
    ...{ id: id ?? '', timestamp: Number(timestamp), signature: signature ?? '', body, atMs: Date.now() },
    contentType: String(headers['content-type']),
    verified: hooks.map((hook) => takes(() => hook.verify(body, own))),
    signed: hooks.map((hook) => (signature ?? '').split(' ').includes(hook.sign(id ?? '', at, body))),
  };
}

function takes(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}

function behave(response: ServerResponse, { status = 204, headers = {}, body = '', does }: Behaviour): void {
  if (does === 'stall') return;
  if (does === 'close') {
    response.socket?.destroy();
    return;
  }
  if (does === undefined) {
    response.writeHead(status, headers).end(status === 204 ? undefined : body);
    return;
  }
  response.writeHead(status === 204 ? 200 : status, { ...headers, 'content-length': '1000000' });
  response.write(body || 'so far', () => {
    if (does === 'close-midway') response.socket?.destroy();
  });
}
