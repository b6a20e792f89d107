import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RequestError } from './errors.ts';
import type { Limits } from './limits.ts';
import { type PipelineRunner, SHUTTING_DOWN } from './pipeline.ts';

const VERSION_TEXT = 'aerostat-db hrana-http 2, 3 (json)';
const PIPELINES = new Set(['/v2/pipeline', '/v3/pipeline']);
const CHECKS = new Map([
  ['/health', ''],
  ['/v2', ''],
  ['/v3', ''],
  ['/version', VERSION_TEXT],
]);

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

// Digests have one length whatever was sent, and comparing them tells nothing of where they differ.
function isAuthorized(request: IncomingMessage, tokenDigest: Buffer): boolean {
  const sent = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(sent), tokenDigest);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function bodyTooLarge(bytesMax: number): RequestError {
  return new RequestError(413, 'REQUEST_TOO_LARGE', `Bytes of a body: at most ${bytesMax} allowed`);
}

// Listeners, for an async iterator over the request costs as much as all the rest of a small read.
function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) reject(bodyTooLarge(bytesMax));
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks, Math.min(bytes, bytesMax))));
    request.once('error', reject);
  });
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw bodyTooLarge(bytesMax);
  const body = await readBytes(request, bytesMax);
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw new RequestError(400, 'HRANA_PROTO_ERROR', `The body is not JSON: ${String(error)}`);
  }
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  process.stderr.write(`${JSON.stringify({ level: 'error', message: 'request failed', error: String(error) })}\n`);
  return new RequestError(500, 'SERVER_ERROR', 'Internal error');
}

export interface ListenerOptions {
  pipelines: PipelineRunner;
  token: string;
  limits: Limits;
  /** Whether the server is going down: what runs is finished, nothing more is begun. */
  draining(): boolean;
}

/** Answers Hrana over HTTP. Only pipelines need the token: the rest tells no more than that the server is there. */
export function requestListener({ pipelines, token, limits, draining }: ListenerOptions): RequestListener {
  const tokenDigest = sha256(token);
  let running = 0;

  async function pipeline(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isAuthorized(request, tokenDigest)) {
      throw new RequestError(401, 'AUTH_REJECTED', 'The authorization is missing or wrong');
    }
    if (draining()) throw SHUTTING_DOWN;
    if (running >= limits.concurrentRequestsMax) {
      throw new RequestError(429, 'TOO_MANY_REQUESTS', `At most ${limits.concurrentRequestsMax} requests at a time`);
    }
    running += 1;
    try {
      const body = await readBody(request, limits.bodyBytesMax);
      const answer = await pipelines.run(body, () => response.destroyed);
      // Cut before it was sent, the baton is lost and nobody can end the stream.
      response.once('close', () => response.writableFinished || answer.abandon());
      if (draining()) response.setHeader('connection', 'close');
      send(response, 200, 'application/json', answer.text);
    } finally {
      running -= 1;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const check = CHECKS.get(path);
    try {
      if (request.method === 'GET' && check !== undefined) send(response, 200, 'text/plain', check);
      else if (request.method === 'POST' && PIPELINES.has(path)) await pipeline(request, response);
      else throw new RequestError(404, 'NOT_FOUND', `Nothing at ${request.method} ${path}`);
    } catch (error) {
      if (response.destroyed) return;
      const { status, error: reason } = toRequestError(error);
      // The rest of a body that was refused is not read: the connection cannot be used again.
      if (!request.complete || draining()) response.setHeader('connection', 'close');
      send(response, status, 'application/json', reason.toJsonText());
    }
  }

  return (request, response) => void answer(request, response);
}
